/*
 * How long it takes from the start of the process to the run, beside a script that only logs in, finds the snapshot by
 * its name and triggers it, at servers that are so many milliseconds away. It is only their answers that take so long:
 * connections are made on this machine, so a handshake costs nothing here, and one that is made early gains nothing.
 *
 *   npm run build && npm run bench:trigger -- [--runs 15]
 *
 * On the Node that GitHub's runner ships. Fails where the limit is not kept.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { prepareAction, type PreparedAction } from '../e2e/action.ts'
import { runnerNode } from './node.ts'

const DELAYS_MS = [0, 20, 100, 200]
/** Times the script, where a server is so far away. */
const LIMIT = 1.2
const LIMIT_AT_MS = 100
/** Runs that only warm the disk cache. */
const WARM_UP = 2

const Served = z.object({ url: z.string(), apiKey: z.string() })
const Timed = z.object({ ms: z.number().nullable(), text: z.string() })

type Process = Omit<PreparedAction, 'folder'>

function bare(node: string, { url, apiKey }: z.infer<typeof Served>): Process {
  const { PATH, HOME } = process.env
  const args = [path.join(import.meta.dirname, 'bare/trigger.mjs')]
  return { node, args, cwd: import.meta.dirname, env: { PATH, HOME, BENCH_URL: url, BENCH_KEY: apiKey } }
}

async function time(starter: ChildProcess, { node, args, cwd, env }: Process): Promise<number> {
  const told = once(starter, 'message')
  starter.send({ node, args, cwd, env })
  const { ms, text } = Timed.parse((await told)[0])
  if (ms === null) throw new Error(`No run was started:\n${text}`)
  return ms
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN
}

/** Both in turn, again and again, so that a busy moment of the machine hits both alike. Gives their medians. */
async function measure(
  node: string,
  delayMs: number,
  runs: number,
): Promise<[action: number, script: number]> {
  const options = { execArgv: ['--import', 'tsx'] }
  const server = fork(path.join(import.meta.dirname, 'server.ts'), ['away', String(delayMs)], options)
  const starter = fork(path.join(import.meta.dirname, 'until-started.mjs'), { execArgv: [], execPath: node })
  const folders: string[] = []
  try {
    const served = Served.parse((await once(server, 'message'))[0])
    const connect = { 'server-url': served.url, 'api-key': served.apiKey }
    const inputs = { ...connect, snapshot: 'training-template', wait: 'false' }
    const actions: number[] = []
    const scripts: number[] = []
    for (let round = -WARM_UP; round < runs; round++) {
      const { folder, ...action } = await prepareAction({ inputs, nodePath: node })
      folders.push(folder)
      const ms = await time(starter, action)
      const scriptMs = await time(starter, bare(node, served))
      if (round < 0) continue
      actions.push(ms)
      scripts.push(scriptMs)
    }
    return [median(actions), median(scripts)]
  } finally {
    starter.kill()
    server.kill()
    await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true })))
  }
}

const { values } = parseArgs({ options: { runs: { type: 'string', default: '15' } } })
const node = await runnerNode()
console.log(`From the start of a process to the run, Node ${node.version}, medians of ${values.runs} runs\n`)
console.log('| ms to the server and back | action, ms | script, ms | ratio |\n| ---: | ---: | ---: | ---: |')
for (const delayMs of DELAYS_MS) {
  const [action, script] = await measure(node.path, delayMs, Number(values.runs))
  const ratio = action / script
  console.log(`| ${delayMs} | ${action.toFixed(0)} | ${script.toFixed(0)} | ${ratio.toFixed(2)} |`)
  if (delayMs === LIMIT_AT_MS && ratio > LIMIT) {
    console.log(`\nThat is OVER the limit of ${LIMIT}.\n`)
    process.exitCode = 1
  }
}
