import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { z } from 'zod'
import { runAction, type ActionOptions, type ActionResult } from '../e2e/action.ts'
import { runnerNode } from './node.ts'

/** What a server of `server.ts` says of itself; `epoch` is its time when it began. */
const Served = z.object({ url: z.string(), apiKey: z.string(), epoch: z.number() })
type Served = z.infer<typeof Served>

/** Of the process that runs the action, as Node tells it: kibibytes and microseconds. */
const Usage = z.object({ maxRSS: z.number(), userCPUTime: z.number(), systemCPUTime: z.number() })

export interface Measured {
  readonly result: ActionResult
  readonly peakMegabytes: number
  readonly cpuSeconds: number
  readonly requests: number
}

/** Runs a built action as the runner does, with its Node, against a server of its own, in a process each. */
export async function measureAction(
  serverArguments: readonly string[],
  action: (served: Served) => ActionOptions & { readonly preload?: readonly string[] },
): Promise<Measured> {
  const server = fork(path.join(import.meta.dirname, 'server.ts'), serverArguments, {
    execArgv: ['--import', 'tsx'],
  })
  const folder = await mkdtemp(path.join(tmpdir(), 'bench-'))
  try {
    const served = Served.parse((await once(server, 'message'))[0])
    const { inputs, preload = [], env, ...options } = action(served)
    const usageFile = path.join(folder, 'usage.json')
    const loaded = [path.join(import.meta.dirname, 'usage.mjs'), ...preload]
    const result = await runAction({
      ...options,
      nodePath: (await runnerNode()).path,
      inputs: { 'server-url': served.url, 'api-key': served.apiKey, pipeline: 'bench', ...inputs },
      env: {
        ...env,
        NODE_OPTIONS: loaded.map((file) => `--import ${pathToFileURL(file).href}`).join(' '),
        BENCH_USAGE: usageFile,
      },
    })
    server.send('count')
    const { requests } = z.object({ requests: z.number() }).parse((await once(server, 'message'))[0])
    const usage = Usage.parse(JSON.parse(await readFile(usageFile, 'utf8')))
    return {
      result,
      peakMegabytes: usage.maxRSS / 1024,
      cpuSeconds: (usage.userCPUTime + usage.systemCPUTime) / 1_000_000,
      requests,
    }
  } finally {
    server.kill()
    await rm(folder, { recursive: true, force: true })
  }
}
