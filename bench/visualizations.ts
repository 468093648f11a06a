/*
 * What it costs to show what a run's artifacts hold: 200 artifacts of one megabyte each, beside the same run without.
 *
 *   npm run build && npm run bench:visualizations
 *
 * The process has to stay under 200 MiB, and the step may be delayed by 20 s at most.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { z } from 'zod'
import { runAction } from '../e2e/action.ts'

const ARTIFACTS = 200
const MAX_MEGABYTES = 200
const MAX_DELAY_SECONDS = 20

/** Of the process that runs the action, as Node tells it: kibibytes and microseconds. */
const Usage = z.object({ maxRSS: z.number(), userCPUTime: z.number(), systemCPUTime: z.number() })

interface Measured {
  readonly conclusion: string
  readonly peakMegabytes: number
  readonly cpuSeconds: number
  readonly wallSeconds: number
  readonly requests: number
  readonly summaryBytes: number
  readonly pageBytes: number
}

async function measure(visualizations: boolean): Promise<Measured> {
  const server = fork(path.join(import.meta.dirname, 'visualizations-server.ts'), [String(ARTIFACTS)], {
    execArgv: ['--import', 'tsx'],
  })
  const folder = await mkdtemp(path.join(tmpdir(), 'bench-visualizations-'))
  try {
    const { url, apiKey } = z
      .object({ url: z.string(), apiKey: z.string() })
      .parse((await once(server, 'message'))[0])
    const usageFile = path.join(folder, 'usage.json')
    const result = await runAction({
      inputs: {
        'server-url': url,
        'api-key': apiKey,
        pipeline: 'bench',
        'poll-interval': '1s',
        visualizations: String(visualizations),
      },
      env: {
        NODE_OPTIONS: `--import ${pathToFileURL(path.join(import.meta.dirname, 'usage.mjs')).href}`,
        BENCH_USAGE: usageFile,
        RUNNER_TEMP: folder,
      },
    })
    server.send('count')
    const { requests } = z.object({ requests: z.number() }).parse((await once(server, 'message'))[0])
    const usage = Usage.parse(JSON.parse(await readFile(usageFile, 'utf8')))
    const { report = '' } = result.outputs
    return {
      conclusion: result.outputs['conclusion'] ?? '',
      peakMegabytes: usage.maxRSS / 1024,
      cpuSeconds: (usage.userCPUTime + usage.systemCPUTime) / 1_000_000,
      wallSeconds: result.ms / 1_000,
      requests,
      summaryBytes: Buffer.byteLength(result.summary),
      pageBytes: report === '' ? 0 : (await stat(report)).size,
    }
  } finally {
    server.kill()
    await rm(folder, { recursive: true, force: true })
  }
}

type Figure = Exclude<keyof Measured, 'conclusion'>

const FIGURES: readonly (readonly [title: string, figure: Figure, digits: number])[] = [
  ['peak memory, MiB', 'peakMegabytes', 0],
  ['processor time, s', 'cpuSeconds', 2],
  ['wall time, s', 'wallSeconds', 1],
  ['requests', 'requests', 0],
  ['summary, bytes', 'summaryBytes', 0],
  ['report page, bytes', 'pageBytes', 0],
]

/** Prints one line; gives whether the limit is kept. */
function check(title: string, value: number, limit: number): boolean {
  console.log(`${title}: ${value.toFixed(1)}, ${value < limit ? 'under' : 'NOT UNDER'} ${limit}`)
  return value < limit
}

const without = await measure(false)
const shown = await measure(true)
console.log('| | without | with visualizations |\n| --- | ---: | ---: |')
for (const [title, figure, digits] of FIGURES) {
  console.log(`| ${title} | ${without[figure].toFixed(digits)} | ${shown[figure].toFixed(digits)} |`)
}
console.log('')
const kept = [
  check('peak memory, MiB', shown.peakMegabytes, MAX_MEGABYTES),
  check('delay, s', shown.wallSeconds - without.wallSeconds, MAX_DELAY_SECONDS),
  without.conclusion === 'completed' && shown.conclusion === 'completed',
]
if (kept.includes(false)) process.exitCode = 1
