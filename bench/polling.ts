/*
 * How late the end of a run is seen, and for how many requests: the policy of the watch beside fixed intervals and
 * ZenML's own client. Five thousand runs of each length, drawn with a seed from a lognormal distribution around the
 * length. Fails where a promise does not hold.
 *
 *   npm run bench:polling
 */
import { mulberry32 } from '../simulator/clock.ts'
import { usualOf } from '../src/run/watch/usual-duration.ts'
import { nextPollMs } from '../src/run/watch/polling.ts'
import type { Usual } from '../src/run/facts.ts'

const DRAWS = 5_000
const SPREAD = 0.15
const SEED = 6

/** How many runs a history is made of. */
const HISTORY = 10

/** A run is looked at for the first time when the answer to the trigger is there, so many milliseconds at most. */
const LATEST_FIRST_LOOK_MS = 2_000

/**
 * Beside the looks: the history, the steps when the run is first seen running, and the run and its steps, one of
 * them instead of a look, at its end. In between a reading of the steps takes the place of a look.
 */
const REQUESTS_BESIDE_LOOKS = 3

const LENGTHS = { '30 s': 30, '2 min': 120, '10 min': 600, '1 h': 3_600, '6 h': 21_600 } as const
type Length = keyof typeof LENGTHS

/** Milliseconds until the next look. */
type Interval = (moment: { elapsedMs: number; looks: number; random: number }) => number

interface Policy {
  readonly name: string
  readonly besideLooks: number
  /** For one run of this median. */
  prepare(medianMs: number, draw: () => number): Interval
}

const OURS = 'ours, with a history'
const FIXED_10 = 'every 10 s'

const POLICIES: readonly Policy[] = [
  ours(OURS, (medianMs) => ({ medianMs, spread: SPREAD, runs: HISTORY })),
  ours(`ours, with ${HISTORY} drawn runs as history`, (medianMs, draw) =>
    usualOf(
      Array.from({ length: HISTORY }, () => ({ created: 0, endTime: medianMs * Math.exp(SPREAD * draw()) })),
    ),
  ),
  ours('ours, without a history', () => undefined),
  plain('every 5 s', () => 5_000),
  plain(FIXED_10, () => 10_000),
  plain('every 30 s', () => 30_000),
  plain("ZenML's client (1, 2, 4 … 64 s)", ({ looks }) => Math.min(64, 2 ** (looks - 1)) * 1_000),
]

function ours(name: string, historyOf: (medianMs: number, draw: () => number) => Usual | undefined): Policy {
  return {
    name,
    besideLooks: REQUESTS_BESIDE_LOOKS,
    prepare: (medianMs, draw) => {
      const usual = historyOf(medianMs, draw)
      return ({ elapsedMs, random }) => nextPollMs({ elapsedMs, random, usual, fixedMs: undefined })
    },
  }
}

function plain(name: string, interval: Interval): Policy {
  return { name, besideLooks: 0, prepare: () => interval }
}

interface Measured {
  readonly lagMs: number
  readonly requests: number
}

function measure(policy: Policy, medianMs: number): Measured {
  let state = SEED
  const random = (): number => {
    state = (state + 0x6d2b79f5) | 0
    return mulberry32(state)
  }
  // Box and Muller's way to a normal distribution.
  const draw = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  let lagMs = 0
  let requests = 0
  for (let run = 0; run < DRAWS; run++) {
    const endMs = medianMs * Math.exp(SPREAD * draw())
    const interval = policy.prepare(medianMs, draw)
    const firstMs = random() * LATEST_FIRST_LOOK_MS
    let atMs = firstMs
    let looks = 1
    for (; atMs < endMs; looks++) atMs += interval({ elapsedMs: atMs - firstMs, looks, random: random() })
    lagMs += atMs - endMs
    requests += looks + policy.besideLooks
  }
  return { lagMs: lagMs / DRAWS, requests: requests / DRAWS }
}

function main(): void {
  const lengths = Object.entries(LENGTHS)
  console.log(
    `Mean seconds from a run's end to the look that sees it / mean requests; ${DRAWS} draws each, σ ${SPREAD}\n`,
  )
  console.log(`| ${['policy', ...lengths.map(([name]) => `runs of ${name}`)].join(' | ')} |`)
  console.log(`| --- |${' ---: |'.repeat(lengths.length)}`)
  const table = new Map<string, Measured>()
  for (const policy of POLICIES) {
    const cells = lengths.map(([length, seconds]) => {
      const measured = measure(policy, seconds * 1_000)
      table.set(`${policy.name}, ${length}`, measured)
      return `${(measured.lagMs / 1_000).toFixed(1)} / ${measured.requests.toFixed(0)}`
    })
    console.log(`| ${policy.name} | ${cells.join(' | ')} |`)
  }
  console.log('')
  const of = (policy: string, length: Length): Measured => {
    const measured = table.get(`${policy}, ${length}`)
    if (measured === undefined) throw new Error(`Not measured: ${policy}, ${length}`)
    return measured
  }
  const kept = [promise('10 min', 1_800), promise('1 h', 4_500)]
  if (kept.includes(false)) process.exitCode = 1

  function promise(length: Length, lagMs: number): boolean {
    const [mine, fixed] = [of(OURS, length), of(FIXED_10, length)]
    const isKept = mine.lagMs < lagMs && mine.requests < fixed.requests
    console.log(
      `${isKept ? 'Kept' : 'BROKEN'}: runs of ${length} are seen to end in ${(mine.lagMs / 1_000).toFixed(2)} s ` +
        `(less than ${lagMs / 1_000}) for ${mine.requests.toFixed(1)} requests (fewer than ${fixed.requests.toFixed(1)})`,
    )
    return isKept
  }
}

main()
