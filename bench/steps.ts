/*
 * What a run of 5,000 steps costs beside one of 10 steps that takes equally long.
 *
 *   npm run build && npm run bench:steps
 *
 * The summary has to stay under GitHub's 1 MiB, and the log under 2,000 lines.
 */
import { measureAction } from './measured.ts'

const FEW = 10
const MANY = 5_000

/** The server's time runs faster than the clock on the wall. */
const SPEED = 4

const MAX_SUMMARY_BYTES = 1_048_576
const MAX_LOG_LINES = 2_000

interface Measured {
  readonly conclusion: string
  readonly summaryBytes: number
  readonly logLines: number
  readonly outputBytes: number
  readonly peakMegabytes: number
  readonly cpuSeconds: number
  readonly wallSeconds: number
  readonly requests: number
}

async function measure(steps: number): Promise<Measured> {
  const { result, ...used } = await measureAction(['steps', String(SPEED), String(steps)], () => ({
    inputs: {},
  }))
  return {
    ...used,
    conclusion: result.outputs['conclusion'] ?? '',
    summaryBytes: Buffer.byteLength(result.summary),
    logLines: result.stdout.split('\n').length - 1,
    outputBytes: Buffer.byteLength(Object.values(result.outputs).join('')),
    wallSeconds: result.ms / 1_000,
  }
}

type Figure = Exclude<keyof Measured, 'conclusion'>

const FIGURES: readonly (readonly [title: string, figure: Figure, digits: number])[] = [
  ['summary, bytes', 'summaryBytes', 0],
  ['log, lines', 'logLines', 0],
  ['outputs, bytes', 'outputBytes', 0],
  ['peak memory, MiB', 'peakMegabytes', 0],
  ['processor time, s', 'cpuSeconds', 2],
  ['wall time, s', 'wallSeconds', 1],
  ['requests', 'requests', 0],
]

function print(few: Measured, many: Measured): void {
  console.log(`| | ${FEW} steps | ${MANY} steps | ratio |\n| --- | ---: | ---: | ---: |`)
  for (const [title, figure, digits] of FIGURES) {
    const [one, other] = [few[figure], many[figure]]
    console.log(
      `| ${title} | ${one.toFixed(digits)} | ${other.toFixed(digits)} | ${(other / one).toFixed(1)} |`,
    )
  }
}

/** Prints one line; gives whether the limit is kept. */
function check(title: string, value: number, limit: number): boolean {
  console.log(`${title}: ${value}, ${value < limit ? 'under' : 'NOT UNDER'} ${limit}`)
  return value < limit
}

const few = await measure(FEW)
const many = await measure(MANY)
print(few, many)
console.log('')
const kept = [
  check('bytes of summary', many.summaryBytes, MAX_SUMMARY_BYTES),
  check('lines of log', many.logLines, MAX_LOG_LINES),
  few.conclusion === 'completed' && many.conclusion === 'completed',
]
if (few.conclusion !== 'completed' || many.conclusion !== 'completed') {
  console.log(`The runs did not complete: ${few.conclusion}, ${many.conclusion}`)
}
if (kept.includes(false)) process.exitCode = 1
