/*
 * How long each action takes to its first connection and to its first request, beside the least that Node can do; sizes of
 * what is shipped. An action connects before it has read its inputs: the limit is for that, the column beside it hides nothing.
 *
 *   npm run build && npm run bench:startup -- [--runs 25]
 *
 * On the Node that GitHub's runner ships. The ratios hold on a busy machine as well, the milliseconds do not.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { prepareAction, type ActionOptions, type PreparedAction } from '../e2e/action.ts'
import { runnerNode } from './node.ts'
import { fileSizes, sourceLines } from './sizes.ts'

const ROOT = path.join(import.meta.dirname, '..')

/** Times bare node:http: the fastest action of this kind that was found. */
const MAIN_LIMIT = 2.2
/** Times an empty script. */
const POST_LIMIT = 1.15
/** For starting a process alone; more would hide the differences. */
const LAUNCH_LIMIT_MS = 2

/** Runs that only warm the disk cache. */
const WARM_UP = 2

const Listening = z.object({ port: z.number() })
const Timed = z.object({
  launchMs: z.number(),
  connectedMs: z.number().nullable(),
  requestedMs: z.number().nullable(),
  endedMs: z.number(),
})

type Process = Omit<PreparedAction, 'folder'>

interface Contestant extends Process {
  readonly name: string
  /** Up to where it is timed. */
  readonly until: 'connection' | 'end'
}

interface Measured {
  readonly contestant: Contestant
  readonly milliseconds: number[]
  /** Up to the first request, where there is one: over https nobody answers. */
  readonly toRequest: number[]
}

const REFERENCE = 'bare node:http'
const NOTHING = 'node -e 0'
const EMPTY = 'an empty script'
const MAIN = 'main'
const POST = 'post, nothing to do'

function bare(node: string, url: string): Contestant[] {
  const { PATH, HOME } = process.env
  const script = (name: string, file: string, at = url): Contestant => ({
    name,
    until: file === 'empty.mjs' ? 'end' : 'connection',
    node,
    args: [path.join(import.meta.dirname, 'bare', file)],
    cwd: ROOT,
    env: { PATH, HOME, BENCH_URL: `${at}/api/v1/login` },
  })
  return [
    { ...script(NOTHING, 'empty.mjs'), args: ['-e', '0'] },
    script(EMPTY, 'empty.mjs'),
    script(REFERENCE, 'http.mjs'),
    script('bare node:https', 'https.mjs', secure(url)),
  ]
}

/** Nobody speaks TLS there: it is enough for a connection. */
function secure(url: string): string {
  return url.replace('http:', 'https:')
}

/** The actions, each up to its login; no sweep and no run is ever begun. */
function actionsAt(url: string): Readonly<Record<string, ActionOptions>> {
  const connect = { 'server-url': url, 'api-key': 'ZENKEY_of_the_bench' }
  const settled = { settled: 'true', summaryDue: 'false' }
  const model = { model: 'churn', version: '7', stage: 'production' }
  return {
    [MAIN]: { inputs: { ...connect, template: 'training' } },
    'main over https': { inputs: { ...connect, 'server-url': secure(url), template: 'training' } },
    [POST]: { entry: 'post', inputs: { ...connect, template: 'training' }, state: settled },
    login: { entry: 'login', inputs: connect },
    wait: { entry: 'wait', inputs: { ...connect, run: 'nightly' } },
    stop: { entry: 'stop', inputs: { ...connect, run: 'nightly' } },
    resolve: { entry: 'resolve', inputs: { ...connect, run: 'nightly', answer: 'true' } },
    sweep: {
      entry: 'sweep',
      inputs: { ...connect, template: 'training', matrix: 'train.epochs: [1, 2]' },
    },
    promote: { entry: 'promote', inputs: { ...connect, ...model } },
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  return ((sorted[Math.ceil(middle) - 1] ?? NaN) + (sorted[Math.floor(middle)] ?? NaN)) / 2
}

/** Gives a time, that of the launch, which is part of it, and that of the first request. */
async function time(
  starter: ChildProcess,
  { name, until, node, args, cwd, env }: Contestant,
): Promise<[ms: number, launchMs: number, requestMs: number | null]> {
  const told = once(starter, 'message')
  starter.send({ node, args, cwd, env })
  const { launchMs, connectedMs, requestedMs, endedMs } = Timed.parse((await told)[0])
  if ((connectedMs === null) !== (until === 'end')) {
    throw new Error(
      `${name} ${connectedMs === null ? 'made no connection' : 'connected, with nothing to do'}`,
    )
  }
  return [connectedMs ?? endedMs, launchMs, requestedMs]
}

/** All contestants in turn, again and again, so that a busy moment of the machine hits all alike. */
async function measure(
  node: string,
  runs: number,
): Promise<{ readonly measured: readonly Measured[]; readonly launches: readonly number[] }> {
  const starter = fork(path.join(import.meta.dirname, 'starter.mjs'), { execArgv: [], execPath: node })
  const prepared: PreparedAction[] = []
  try {
    const url = `http://127.0.0.1:${Listening.parse((await once(starter, 'message'))[0]).port}`
    const contestants = bare(node, url)
    for (const [name, options] of Object.entries(actionsAt(url))) {
      const action = await prepareAction({ ...options, nodePath: node })
      prepared.push(action)
      contestants.push({ ...action, name, until: name === POST ? 'end' : 'connection' })
    }
    const measured: Measured[] = contestants.map((contestant) => ({
      contestant,
      milliseconds: [],
      toRequest: [],
    }))
    const launches: number[] = []
    for (let round = -WARM_UP; round < runs; round++) {
      for (const { contestant, milliseconds, toRequest } of measured) {
        const [ms, launchMs, requestMs] = await time(starter, contestant)
        if (round < 0) continue
        milliseconds.push(ms)
        launches.push(launchMs)
        if (requestMs !== null) toRequest.push(requestMs)
      }
    }
    return { measured, launches }
  } finally {
    starter.kill()
    await Promise.all(prepared.map(({ folder }) => rm(folder, { recursive: true, force: true })))
  }
}

function print(lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`)
}

function verdict(what: string, value: number, limit: number, unit: string): string {
  return `${what}: ${value.toFixed(2)} ${unit}, ${value <= limit ? 'within' : 'OVER'} the limit of ${limit}`
}

function told(ms: number, reference: number): string[] {
  return [ms.toFixed(1), (ms / reference).toFixed(2)]
}

function printTimes(measured: readonly Measured[], launches: readonly number[]): void {
  const medians = new Map(
    measured.map(({ contestant, milliseconds }) => [contestant.name, median(milliseconds)] as const),
  )
  const medianOf = (name: string): number => medians.get(name) ?? NaN
  print([
    '| what | up to | ms | × bare node:http | ms above node -e 0 | first request, ms | × |',
    '| --- | --- | ---: | ---: | ---: | ---: | ---: |',
  ])
  const bareRequest = median(
    measured.find(({ contestant }) => contestant.name === REFERENCE)?.toRequest ?? [],
  )
  for (const { contestant, toRequest } of measured) {
    const ms = medianOf(contestant.name)
    const ratio = (ms / medianOf(REFERENCE)).toFixed(2)
    const until = contestant.until === 'end' ? 'its end' : 'the first connection'
    const above = (ms - medianOf(NOTHING)).toFixed(1)
    const request = toRequest.length === 0 ? ['–', '–'] : told(median(toRequest), bareRequest)
    print([`| ${[contestant.name, until, ms.toFixed(1), ratio, above, ...request].join(' | ')} |`])
  }
  print([
    '',
    `${verdict('starting a process, part of each time', median(launches), LAUNCH_LIMIT_MS, 'ms')} (the fastest: ${Math.min(...launches).toFixed(2)} ms)`,
    verdict(MAIN, medianOf(MAIN) / medianOf(REFERENCE), MAIN_LIMIT, `times ${REFERENCE}`),
    verdict(POST, medianOf(POST) / medianOf(EMPTY), POST_LIMIT, `times ${EMPTY}`),
  ])
}

async function printSizes(): Promise<void> {
  print(['', '| dist | KiB |', '| --- | ---: |'])
  for (const { name, bytes } of await fileSizes(path.join(ROOT, 'dist'))) {
    print([`| ${name} | ${(bytes / 1024).toFixed(1)} |`])
  }
  print(['', '| folder | files | lines |', '| --- | ---: | ---: |'])
  for (const folder of ['src', '__tests__', 'simulator', 'e2e', 'bench']) {
    const { files, lines } = await sourceLines(path.join(ROOT, folder))
    print([`| ${folder} | ${files} | ${lines} |`])
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { runs: { type: 'string', default: '25' } } })
  const runs = Number(values.runs)
  const node = await runnerNode()
  const { measured, launches } = await measure(node.path, runs)
  print([`From the start of a process, Node ${node.version}, medians of ${runs} interleaved runs`, ''])
  printTimes(measured, launches)
  await printSizes()
}

await main()
