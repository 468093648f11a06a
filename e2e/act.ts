import { cp, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { run, type CommandOptions } from './processes.ts'
import type { ZenServer } from './servers.ts'
import { isInAnotherProject } from './target.ts'
import { actPath } from './tools.ts'

const ROOT = path.join(import.meta.dirname, '..')

/** What the repository of a workflow holds: the action as it is released. */
const ACTION_FILES = ['action.yml', 'dist', 'login', 'wait', 'sweep', 'stop', 'resolve', 'promote']

export interface WorkflowResult {
  /** 0 if every job succeeded. */
  readonly code: number | null
  /** All that act printed. */
  readonly log: string
  /** The lines of each file that a step wrote under $E2E_RESULTS. */
  readonly results: Readonly<Record<string, readonly string[]>>
}

async function makeRepository(folder: string): Promise<void> {
  await mkdir(folder)
  for (const file of ACTION_FILES) {
    await cp(path.join(ROOT, file), path.join(folder, file), { recursive: true }).catch((error: unknown) => {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
    })
  }
  const author = ['-c', 'user.name=e2e', '-c', 'user.email=e2e@example.invalid']
  for (const args of [
    ['init', '--quiet', '--initial-branch=main'],
    ['remote', 'add', 'origin', 'https://github.com/octo-org/example'],
    ['add', '--all'],
    [...author, 'commit', '--quiet', '--message=The action under test'],
  ]) {
    const done = await run('git', args, { cwd: folder })
    if (done.code !== 0) throw new Error(`git ${args.join(' ')}: ${done.stderr}`)
  }
}

async function readResults(folder: string): Promise<Record<string, string[]>> {
  const results: Record<string, string[]> = {}
  for (const name of await readdir(folder)) {
    results[name] = (await readFile(path.join(folder, name), 'utf8')).trimEnd().split('\n')
  }
  return results
}

/** What a workflow is run with beside its server. */
export interface WorkflowOptions {
  readonly onOutput?: CommandOptions['onOutput']
  /** Which event starts it; default: push. */
  readonly event?: string
  /** Its text, in place of a file of workflows/. */
  readonly text?: string
}

/**
 * Runs a workflow of workflows/ with act, in a repository that holds the action as `uses: ./`.
 * The workflow gets `vars.SERVER_URL`, `vars.PROJECT` (empty where none has to be named), `secrets.ZENML_API_KEY` and
 * the folder E2E_RESULTS.
 */
export async function runWorkflow(
  name: string,
  server: ZenServer,
  { onOutput, event = 'push', text }: WorkflowOptions = {},
): Promise<WorkflowResult> {
  const act = await actPath()
  const base = await mkdtemp(path.join(tmpdir(), 'act-'))
  const repository = path.join(base, 'repository')
  const results = path.join(base, 'results')
  const secrets = path.join(base, 'secrets')
  try {
    await makeRepository(repository)
    await mkdir(results)
    await writeFile(secrets, `ZENML_API_KEY=${server.apiKey}\n`, { mode: 0o600 })
    const workflow =
      text === undefined ? path.join(import.meta.dirname, 'workflows', name) : path.join(base, name)
    if (text !== undefined) await writeFile(workflow, text)
    const done = await run(
      act,
      [
        ...[event, '--workflows', workflow, '--platform', 'ubuntu-latest=-self-hosted'],
        ...['--secret-file', secrets, '--var', `SERVER_URL=${server.url}`, '--env', `E2E_RESULTS=${results}`],
        ...['--var', `PROJECT=${isInAnotherProject(server.target) ? server.target.project : ''}`],
        '--no-cache-server',
      ],
      // A home of its own: act keeps its caches and its first-run question there.
      {
        cwd: repository,
        env: { PATH: process.env['PATH'], HOME: base, XDG_CACHE_HOME: base },
        timeout: 300_000,
        ...(onOutput === undefined ? {} : { onOutput }),
      },
    )
    return { code: done.code, log: done.stdout + done.stderr, results: await readResults(results) }
  } finally {
    await rm(base, { recursive: true, force: true, maxRetries: 5 })
  }
}

/**
 * Runs a workflow and cancels it, as Ctrl-C does, as soon as a line of its log fits. Gives all that was printed.
 */
export async function runCancelledWorkflow(name: string, server: ZenServer, line: RegExp): Promise<string> {
  let printed = ''
  let cancelled = false
  const { log } = await runWorkflow(name, server, {
    onOutput: (text, child) => {
      printed += text
      if (cancelled || !printed.split('\n').some((each) => line.test(each))) return
      cancelled = true
      child.kill('SIGINT')
    },
  })
  return log
}
