import { expect } from '@jest/globals'
import type { ActionResult } from '../../e2e/action.ts'

/** What other programs make of a secret, and how much of it is as good as sixteen characters of the secret. */
const ENCODINGS: readonly { readonly encode: (secret: string) => string; readonly stretch: number }[] = [
  { encode: (secret) => secret, stretch: 16 },
  { encode: (secret) => Buffer.from(secret).toString('hex'), stretch: 32 },
  { encode: (secret) => Buffer.from(secret).join(''), stretch: 40 },
  // What stands before the secret decides which of three texts comes of it; the first characters hold bits of both.
  ...['', '.', '..'].map((before) => ({
    encode: (secret: string) =>
      Buffer.from(before + secret)
        .toString('base64')
        .slice(4),
    stretch: 22,
  })),
]

/** What a reader of a text may take its escapes for. */
const READINGS: readonly ((text: string) => string)[] = [
  (text) =>
    text.replaceAll(/%([\da-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
  (text) =>
    text.replaceAll(
      /&(?:#(\d+)|#x([\da-f]+)|(amp)|\w+);/gi,
      (_, decimal?: string, hex?: string, amp?: string) => {
        if (amp !== undefined) return '&'
        const code = decimal === undefined ? Number.parseInt(hex ?? '20', 16) : Number(decimal)
        return code > 0x10ffff ? ' ' : String.fromCodePoint(code)
      },
    ),
  (text) =>
    text.replaceAll(/\\+(?:u\{?([\da-f]{1,6})\}?|x([\da-f]{2})|[nrtbf])/gi, (_, u?: string, x?: string) => {
      const code = Number.parseInt(u ?? x ?? '20', 16)
      return code > 0x10ffff ? ' ' : String.fromCodePoint(code)
    }),
]

function readingsOf(text: string): Set<string> {
  const found = new Set([text])
  for (let layer = 0; layer < 3; layer += 1) {
    for (const known of [...found]) for (const read of READINGS) found.add(read(known))
  }
  return found
}

/** What is left of a text for whoever puts it together again: neither case nor line ends nor signs matter. */
function lettersOf(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9]/g, '').toLowerCase()
}

function stretchesOf(letters: string, length: number): string[] {
  return Array.from({ length: Math.max(0, letters.length - length + 1) }, (_, start) =>
    letters.slice(start, start + length),
  )
}

/** The stretches of secrets, in whatever form, that stand in a text. */
export function shownStretches(text: string, secrets: readonly string[]): string[] {
  const readings = [...new Set([...readingsOf(text)].map(lettersOf))]
  return ENCODINGS.flatMap(({ encode, stretch }) => {
    const known = new Set(secrets.flatMap((secret) => stretchesOf(lettersOf(encode(secret)), stretch)))
    return readings.flatMap((letters) => stretchesOf(letters, stretch)).filter((each) => known.has(each))
  })
}

/**
 * Fails if a secret, or a stretch of one, in any usual form, stands anywhere but in the command that asks the runner to
 * hide it: not on stdout or stderr, in an output, in the state for the post step, or in the job summary.
 */
export function expectNoSecret(result: ActionResult, secrets: readonly string[]): void {
  const seen = {
    log: result.stdout.replaceAll(/^::add-mask::.*$/gm, ''),
    stderr: result.stderr,
    outputs: JSON.stringify(result.outputs),
    state: JSON.stringify(result.state),
    summary: result.summary,
  }
  const found = Object.entries(seen).flatMap(([place, text]) =>
    shownStretches(text, secrets).length > 0 ? [place] : [],
  )
  expect({ 'places that show a secret': found }).toEqual({ 'places that show a secret': [] })
}

/** Fails unless each value was registered as a mask; the runner hides it only from then on. */
export function expectMasked(result: ActionResult, secrets: readonly string[]): void {
  const masks = [...result.stdout.matchAll(/^::add-mask::(.*)$/gm)].map(([, value]) => value)
  expect(masks).toEqual(expect.arrayContaining([...secrets]))
}
