import type { Random } from './random.ts'

/** What a database, or something before it, makes of a run's name. */
export const NAMINGS = {
  'as sent': (name: string) => name,
  'trailing space': (name: string) => `${name} `,
  'upper case': (name: string) => name.toUpperCase(),
  composed: (name: string) => name.normalize('NFC'),
  decomposed: (name: string) => name.normalize('NFD'),
} as const satisfies Readonly<Record<string, (name: string) => string>>

export type Naming = keyof typeof NAMINGS

export function drawNaming(random: Random): Naming {
  return random.weighted<Naming>([
    [84, 'as sent'],
    [4, 'trailing space'],
    [4, 'upper case'],
    [4, 'composed'],
    [4, 'decomposed'],
  ])
}

/** Undefined: one of ours. */
export function drawRunName(random: Random): string | undefined {
  if (random.chance(0.75)) return undefined
  return random.pick(['nightly', 'nightly-{date}-{time}', 'n\u00e4chtlich-{time}', 'na\u0308chtlich-{time}'])
}
