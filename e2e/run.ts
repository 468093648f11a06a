/*
 * End to end: the contract suite, the built action, and real workflows, against real ZenML servers.
 *
 *   npm run e2e                                       all cases on the servers that must hold before a merge
 *   npm run e2e -- --case <regular expression>        the cases of that name, slow ones too
 *   npm run e2e -- --slow                             slow cases as well
 *   npm run e2e -- --server 0.96.1 [--server 0.92.0]  any version from 0.74.0 on; "newest" is what pip finds
 *   npm run e2e -- --server 0.98.0 --pro              in ZenML Pro's mode, from 0.85.0 on
 *   npm run e2e -- --server 0.98.0 --project ml       with everything in a project that is not the default one
 *   npm run e2e -- --all                              the core cases and the slow ones on every version of the docs
 */
import { access } from 'node:fs/promises'
import path from 'node:path'
import { isDeepStrictEqual, parseArgs } from 'node:util'
import { CASES } from './cases/index.ts'
import { exitOnSignals } from './processes.ts'
import { closing, grid, list, resultOf, type Outcome } from './report.ts'
import { play, type Case } from './scene.ts'
import { startServer, type ZenServer } from './servers.ts'
import { ALL_TARGETS, labelOf, makeTarget, USUAL_TARGETS, type Target } from './target.ts'
import { actPath, MissingTool, newestVersion, zenmlPython } from './tools.ts'

/** Servers at once: with more, two cores are so busy that times mean nothing. */
const AT_ONCE = 2

interface Selection {
  readonly targets: readonly Target[]
  readonly cases: readonly Case[]
  /** Whether the outcomes are to be laid out for the docs. */
  readonly all: boolean
}

const OPTIONS = {
  server: { type: 'string', multiple: true },
  case: { type: 'string' },
  pro: { type: 'boolean' },
  project: { type: 'string' },
  slow: { type: 'boolean' },
  all: { type: 'boolean', default: false },
} as const

async function select(args: readonly string[]): Promise<Selection> {
  const { values } = parseArgs({ args: [...args], options: OPTIONS })
  const { server: servers, pro = false, project, all } = values
  if (servers === undefined && (pro || project !== undefined)) {
    throw new Error('--pro and --project say what a server is like: name one with --server')
  }
  const targets: Target[] = []
  for (const server of servers ?? []) {
    const version = server === 'newest' ? await newestVersion() : server
    targets.push(makeTarget(version, { pro, project }))
  }
  const usual = all ? ALL_TARGETS : USUAL_TARGETS
  return { targets: servers === undefined ? usual : targets, cases: casesFor(values), all }
}

function casesFor(values: { case?: string; slow?: boolean; all: boolean }): readonly Case[] {
  if (values.case !== undefined) {
    const pattern = new RegExp(values.case, 'i')
    return CASES.filter(({ name }) => pattern.test(name))
  }
  if (values.all) return CASES.filter(({ core, slow }) => core ?? slow ?? false)
  return CASES.filter(({ slow }) => slow === undefined || values.slow === true)
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

async function outcomeOf(target: Target, name: string, work: () => Promise<void>): Promise<Outcome> {
  const start = performance.now()
  let error: string | undefined
  try {
    await work()
  } catch (thrown) {
    error = text(thrown)
  }
  const seconds = (performance.now() - start) / 1_000
  const outcome = { target, name, seconds, error }
  const shown = `${seconds.toFixed(1).padStart(6)} s`
  process.stderr.write(`${labelOf(target)}  ${resultOf(outcome)}  ${shown}  ${name}\n`)
  return outcome
}

async function playAll(server: ZenServer, cases: readonly Case[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  for (const one of cases) {
    const environment = one.environment ?? {}
    outcomes.push(
      await outcomeOf(server.target, one.name, async () => {
        if (!server.running || !isDeepStrictEqual(server.environment, environment))
          await server.restart(environment)
        await play(one, server)
      }),
    )
  }
  return outcomes
}

/** All cases of one server, one after the other: only so can the runs of each be counted. */
async function lane(target: Target, all: readonly Case[]): Promise<Outcome[]> {
  const cases = all.filter(({ where }) => where?.(target) ?? true)
  if (cases.length === 0) return []
  let server: ZenServer | undefined
  const started = await outcomeOf(target, 'server starts', async () => {
    server = await startServer(target, cases[0]?.environment)
  })
  if (server === undefined) return [started]
  const outcomes = await playAll(server, cases)
  const failed = outcomes.some(({ error }) => error !== undefined)
  await server.stop(failed)
  if (failed) process.stderr.write(`${labelOf(target)}: logs and database are kept in ${server.directory}\n`)
  return [started, ...outcomes]
}

/** The lanes' outcomes, in the order of the targets. */
async function playLanes(targets: readonly Target[], cases: readonly Case[]): Promise<Outcome[]> {
  const outcomes: Outcome[][] = []
  const waiting = [...targets.entries()]
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [index, target] = next
      outcomes[index] = await lane(target, cases)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  return outcomes.flat()
}

async function main(): Promise<void> {
  const { targets, cases, all } = await select(process.argv.slice(2))
  await access(path.join(import.meta.dirname, '..', 'dist', 'main.js')).catch(() => {
    throw new MissingTool('dist/main.js is missing: run `npm run build` first.')
  })
  for (const { version } of targets) await zenmlPython(version)
  await actPath()
  const outcomes = await playLanes(targets, cases)
  process.stdout.write(`\n${all ? grid(outcomes) : list(outcomes)}\n${closing(outcomes)}\n`)
  if (outcomes.some(({ error }) => error !== undefined)) process.exitCode = 1
}

exitOnSignals()
main().catch((error: unknown) => {
  process.stderr.write(`${text(error)}\n`)
  process.exitCode = 1
})
