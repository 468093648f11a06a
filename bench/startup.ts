/*
 * Process start to the first request, beside the least that Node can do; sizes of what is shipped.
 *
 *   npm run build && npm run bench:startup -- [--runs 25]
 *
 * The action may take at most 2.5 times as long as a bare node:http script, on the Node that GitHub's runner ships.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { startAction } from '../e2e/action.ts'
import { runnerNode } from './node.ts'
import { fileSizes, sourceLines } from './sizes.ts'

const ROOT = path.join(import.meta.dirname, '..')
const LIMIT = 2.5

/** Runs that only warm the disk cache. */
const WARM_UP = 2

interface Arrival {
  /** As `performance.now()` tells it. */
  readonly at: number
  readonly request: string
}

/** Starts one process and resolves with when that was, once the process has ended. */
type Start = (url: string, node: string) => Promise<number>

const CONTESTANTS: Readonly<Record<string, Start>> = {
  'bare node:http': bare('http.mjs'),
  'bare fetch': bare('fetch.mjs'),
  'the action': async (url, node) => {
    const running = await startAction({
      nodePath: node,
      inputs: { 'server-url': url, 'api-key': 'ZENKEY_of_the_bench', template: 'training' },
    })
    await running.done
    return running.startedAt
  },
}

function bare(script: string): Start {
  return async (url, node) => {
    const { PATH, HOME } = process.env
    const startedAt = performance.now()
    const child = spawn(node, [path.join(import.meta.dirname, 'bare', script)], {
      env: { PATH, HOME, BENCH_URL: `${url}/api/v1/login` },
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    await once(child, 'close')
    return startedAt
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  return ((sorted[Math.ceil(middle) - 1] ?? NaN) + (sorted[Math.floor(middle)] ?? NaN)) / 2
}

/** Refuses every login, so that each process ends right after its first request. */
async function startRefusingServer(arrivals: Arrival[]): Promise<Server> {
  const server = createServer((request, answer) => {
    arrivals.push({ at: performance.now(), request: `${request.method} ${request.url}` })
    request.resume()
    answer.writeHead(401, { 'content-type': 'application/json', connection: 'close' })
    answer.end('{"detail":["CredentialsNotValid","Authentication error: error decoding API key"]}')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

interface Measured {
  readonly milliseconds: number[]
  request: string
}

/** All contestants in turn, again and again, so that a busy moment of the machine hits all alike. */
async function measure(node: string, runs: number): Promise<Map<string, Measured>> {
  const arrivals: Arrival[] = []
  const server = await startRefusingServer(arrivals)
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  const url = `http://127.0.0.1:${address.port}`
  const measured = new Map<string, Measured>()
  for (let round = -WARM_UP; round < runs; round++) {
    for (const [name, start] of Object.entries(CONTESTANTS)) {
      arrivals.length = 0
      const startedAt = await start(url, node)
      const [first] = arrivals
      if (first === undefined) throw new Error(`${name} sent no request`)
      const known = measured.get(name) ?? { milliseconds: [], request: first.request }
      if (round >= 0) known.milliseconds.push(first.at - startedAt)
      measured.set(name, known)
    }
  }
  server.close()
  return measured
}

function print(lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`)
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { runs: { type: 'string', default: '25' } } })
  const runs = Number(values.runs)
  const node = await runnerNode()
  const measured = await measure(node.path, runs)

  const reference = median(measured.get('bare node:http')?.milliseconds ?? [])
  print([
    `Process start to first request, Node ${node.version}, median of ${runs} interleaved runs`,
    '',
    '| what | first request | ms | ratio |',
    '| --- | --- | ---: | ---: |',
  ])
  for (const [name, { milliseconds, request }] of measured) {
    const ms = median(milliseconds)
    print([`| ${name} | ${request} | ${ms.toFixed(0)} | ${(ms / reference).toFixed(2)} |`])
  }
  const ratio = median(measured.get('the action')?.milliseconds ?? []) / reference
  print([
    '',
    `${ratio.toFixed(2)} times bare node:http: ${ratio <= LIMIT ? 'within' : 'OVER'} the limit of ${LIMIT}`,
  ])

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

await main()
