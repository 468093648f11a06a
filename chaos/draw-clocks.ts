import type { Random } from './random.ts'

/** How wrong a clock is. */
export interface Skew {
  readonly aheadMs: number
  /** Somebody sets it so long after the case began. */
  readonly jump: { readonly afterMs: number; readonly byMs: number } | undefined
}

export interface Clocks {
  /** Of the machine on which the steps run; main and post have the same. */
  readonly runner: Skew
  readonly server: Skew
}

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const RIGHT: Skew = { aheadMs: 0, jump: undefined }

/** Draws clocks that are mostly right. */
export function drawClocks(random: Random): Clocks {
  if (random.chance(0.7)) return { runner: RIGHT, server: RIGHT }
  return {
    runner: drawSkew(random, [-HOUR_MS, HOUR_MS]),
    // The simulator's runs live by its clock: set back, they would not have begun.
    server: random.chance(0.4) ? drawSkew(random, [HOUR_MS]) : RIGHT,
  }
}

function drawSkew(random: Random, jumps: readonly number[]): Skew {
  const minutes = random.pick([0, -30, -10, -3, -1, 1, 3, 10, 30])
  const jump = random.chance(0.4)
    ? { afterMs: random.int(0, MINUTE_MS), byMs: random.pick(jumps) }
    : undefined
  return { aheadMs: minutes * MINUTE_MS, jump }
}

/** Whether both clocks are right all the time. */
export function areRight({ runner, server }: Clocks): boolean {
  return [runner, server].every(({ aheadMs, jump }) => aheadMs === 0 && jump === undefined)
}
