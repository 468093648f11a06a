/*
 * End to end: the contract suite, the built action, and real workflows, against real ZenML servers.
 *
 *   npm run e2e -- [--server 0.98.0]… [--case <regular expression>]
 */
import { access } from 'node:fs/promises'
import path from 'node:path'
import { isDeepStrictEqual, parseArgs } from 'node:util'
import { CONTRACT } from './cases/contract.ts'
import { FINDING } from './cases/finding.ts'
import { OUTCOME } from './cases/outcome.ts'
import { PARAMETERS } from './cases/parameters.ts'
import { SEEING } from './cases/seeing.ts'
import { STOPPING } from './cases/stopping.ts'
import { SUB_ACTIONS } from './cases/sub-actions.ts'
import { TRIGGER } from './cases/trigger.ts'
import { WORKFLOW } from './cases/workflow.ts'
import { exitOnSignals } from './processes.ts'
import { report, type Outcome } from './report.ts'
import { play, type Case } from './scene.ts'
import { startServer, VERSIONS, type Version, type ZenServer } from './servers.ts'
import { actPath, MissingTool, zenmlPython } from './tools.ts'

/** Cases with an environment of their own stand last, so that the server is seldom restarted. */
const CASES: readonly Case[] = [
  ...OUTCOME,
  ...FINDING,
  ...PARAMETERS,
  ...SEEING,
  ...SUB_ACTIONS,
  ...WORKFLOW,
  ...CONTRACT,
  ...STOPPING,
  ...TRIGGER,
]

interface Selection {
  readonly versions: readonly Version[]
  readonly cases: readonly Case[]
}

function select(args: readonly string[]): Selection {
  const { values } = parseArgs({
    args: [...args],
    options: { server: { type: 'string', multiple: true }, case: { type: 'string', default: '' } },
  })
  const unknown = values.server?.find((server) => !VERSIONS.some((version) => version === server))
  if (unknown !== undefined) throw new Error(`--server ${unknown}: one of ${VERSIONS.join(', ')}`)
  const pattern = new RegExp(values.case, 'i')
  return {
    versions: VERSIONS.filter((version) => values.server?.includes(version) ?? true),
    cases: CASES.filter(({ name }) => pattern.test(name)),
  }
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

async function outcomeOf(version: Version, name: string, work: () => Promise<void>): Promise<Outcome> {
  const start = performance.now()
  let error: string | undefined
  try {
    await work()
  } catch (thrown) {
    error = text(thrown)
  }
  const seconds = (performance.now() - start) / 1_000
  const result = error === undefined ? 'passed' : 'FAILED'
  process.stderr.write(`${version}  ${result}  ${seconds.toFixed(1).padStart(6)} s  ${name}\n`)
  return { version, name, seconds, error }
}

async function playAll(server: ZenServer, cases: readonly Case[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  for (const one of cases) {
    const environment = one.environment ?? {}
    outcomes.push(
      await outcomeOf(server.version, one.name, async () => {
        if (!server.running || !isDeepStrictEqual(server.environment, environment))
          await server.restart(environment)
        await play(one, server)
      }),
    )
  }
  return outcomes
}

/** All cases of one version, one after the other: only so can the runs of each be counted. */
async function lane(version: Version, cases: readonly Case[]): Promise<Outcome[]> {
  if (cases.length === 0) return []
  let server: ZenServer | undefined
  const started = await outcomeOf(version, 'server starts and is seeded', async () => {
    server = await startServer(version, cases[0]?.environment)
  })
  if (server === undefined) return [started]
  const outcomes = await playAll(server, cases)
  const failed = outcomes.some(({ error }) => error !== undefined)
  await server.stop(failed)
  if (failed) process.stderr.write(`${version}: logs and database are kept in ${server.directory}\n`)
  return [started, ...outcomes]
}

async function main(): Promise<void> {
  const { versions, cases } = select(process.argv.slice(2))
  await access(path.join(import.meta.dirname, '..', 'dist', 'main.js')).catch(() => {
    throw new MissingTool('dist/main.js is missing: run `npm run build` first.')
  })
  for (const version of versions) await zenmlPython(version)
  await actPath()
  const lanes = versions.map((version) =>
    lane(
      version,
      cases.filter((one) => one.versions?.includes(version) ?? true),
    ),
  )
  const outcomes = (await Promise.all(lanes)).flat()
  process.stdout.write(`${report(outcomes)}\n`)
  if (outcomes.some(({ error }) => error !== undefined)) process.exitCode = 1
}

exitOnSignals()
main().catch((error: unknown) => {
  process.stderr.write(`${text(error)}\n`)
  process.exitCode = 1
})
