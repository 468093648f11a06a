/*
 * What a sweep of 64 runs of about ten minutes costs, beside one step of the main action over a run as long as the whole
 * sweep, and beside 64 such steps.
 *
 *   npm run build && npm run bench:sweep
 *
 * Requests and lateness come from the real code in virtual time, over a real socket. Memory and processor time come from
 * dist, in a process whose time runs faster than the clock on the wall. Fails where a promise does not hold.
 */
import path from 'node:path'
import { measureAction, type Measured } from './measured.ts'
import { drawSeconds, stepInputs, sweepInputs } from './swept.ts'
import { seeSteps, seeSweep, type Seen } from './sweep-simulated.ts'

const CELLS = 64
const MEDIAN_SECONDS = 600
const FEW_AT_ONCE = 4

/** Of what one run as long as the sweep takes, and for each cell to start and to be judged. */
const MAX_SHARE_OF_REQUESTS = 1.5
const MAX_REQUESTS_BESIDE = 5

/** A look waits for 15 seconds at most, and then there is the way to the server. */
const MAX_LAG_SECONDS = 16
const MAX_MEGABYTES = 150

/** Ten minutes take 20 seconds. */
const SPEED = 30

const cells = drawSeconds(MEDIAN_SECONDS, CELLS)
const kept: boolean[] = []

/** Prints one line, and remembers whether the limit is kept. */
function promise(title: string, value: number, limit: number): void {
  const isKept = value <= limit
  kept.push(isKept)
  console.log(`${isKept ? 'Kept' : 'BROKEN'}: ${title}: ${value.toFixed(1)}, at most ${limit.toFixed(1)}`)
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

function row(title: string, { requests, lagsMs, lengthMs }: Seen, all: Seen): string {
  const seconds = [meanOf(lagsMs), Math.max(...lagsMs)].map((ms) => (ms / 1_000).toFixed(1))
  const share = (requests / all.requests).toFixed(2)
  return `| ${[title, (lengthMs / 60_000).toFixed(0), requests, ...seconds, share].join(' | ')} |`
}

/** @param history median of earlier runs, in seconds; undefined: there are none */
async function simulate(history: number | undefined): Promise<void> {
  const title = history === undefined ? 'Without earlier runs' : 'With ten earlier runs'
  console.log(`${title}, in virtual time\n`)
  console.log(`| | minutes | requests | mean lag, s | max lag, s | of ${CELLS} steps' requests |`)
  console.log('| --- | ---: | ---: | ---: | ---: | ---: |')
  const all = await seeSteps(cells, history)
  const [atOnce, one] = await simulateSweep(CELLS, all, history)
  await simulateSweep(FEW_AT_ONCE, all, history)
  console.log(row(`${CELLS} steps, all at once`, all, all))
  console.log('')
  const limit = MAX_SHARE_OF_REQUESTS * one.requests + MAX_REQUESTS_BESIDE * CELLS
  promise(`requests of the sweep, ${CELLS} at once`, atOnce.requests, limit)
  promise(
    'seconds after which the end of a run is known',
    Math.max(...atOnce.lagsMs) / 1_000,
    MAX_LAG_SECONDS,
  )
  console.log('')
}

async function simulateSweep(
  maxParallel: number,
  all: Seen,
  history: number | undefined,
): Promise<[Seen, Seen]> {
  const swept = await seeSweep(cells, maxParallel, history)
  const seconds = swept.lengthMs / 1_000
  const one = await seeSteps([seconds], history && seconds)
  console.log(row(`sweep, ${maxParallel} at once`, swept, all))
  console.log(row('one step over a run of that length', one, all))
  return [swept, one]
}

async function measure(entry: 'sweep' | 'main', inputs: Readonly<Record<string, string>>): Promise<Measured> {
  return measureAction(['swept', String(SPEED)], ({ epoch }) => ({
    entry,
    inputs,
    preload: [path.join(import.meta.dirname, '..', 'chaos', 'fast-time.mjs')],
    env: { CHAOS_SPEED: String(SPEED), CHAOS_EPOCH: String(epoch), CHAOS_SKEW: '{"aheadMs":0}' },
  }))
}

async function measureProcesses(): Promise<void> {
  console.log(
    `Of dist's process, whose time and the server's run ${SPEED} times as fast as the clock on the wall\n`,
  )
  const swept = await measure('sweep', sweepInputs(cells))
  const one = await measure('main', stepInputs(Math.max(...cells)))
  const figures = [
    ['peak memory, MiB', 'peakMegabytes', 0],
    ['processor time, s', 'cpuSeconds', 2],
    ['requests', 'requests', 0],
  ] as const
  console.log(`| | sweep of ${CELLS} | one step | sweep / ${CELLS} steps |\n| --- | ---: | ---: | ---: |`)
  for (const [title, figure, digits] of figures) {
    const [mine, other] = [swept[figure], one[figure]]
    const share = (mine / (CELLS * other)).toFixed(3)
    console.log(`| ${title} | ${mine.toFixed(digits)} | ${other.toFixed(digits)} | ${share} |`)
  }
  console.log('')
  const completed = [swept.result.outputs['completed'], one.result.outputs['conclusion']]
  if (completed.join() !== `${CELLS},completed`) throw new Error(`not all completed: ${completed.join()}`)
  promise('MiB of memory', swept.peakMegabytes, MAX_MEGABYTES)
}

await simulate(MEDIAN_SECONDS)
await simulate(undefined)
await measureProcesses()
if (kept.includes(false)) process.exitCode = 1
