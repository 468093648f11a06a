import { spawn, type ChildProcess } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'

const ROOT = path.join(import.meta.dirname, '..')

/** The built entries, each a file in dist/; `post` belongs to the same action as `main`. */
export type Entry = 'main' | 'post' | 'login' | 'wait' | 'sweep' | 'stop' | 'resolve' | 'promote'

export interface ActionOptions {
  /** Default: main. */
  readonly entry?: Entry
  /** As under `with:`; what is not named gets its default from the action's own file. */
  readonly inputs: Readonly<Record<string, string>>
  /** What an earlier step of the same action saved; arrives as STATE_<name>. */
  readonly state?: Readonly<Record<string, string>>
  /** GITHUB_*, RUNNER_* and other variables beside or instead of the usual ones; undefined removes one. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** What an input's default such as `${{ github.job }}` means here, by expression. */
  readonly contexts?: Readonly<Record<string, string>>
  /** The workspace; default: an empty folder, removed afterwards. */
  readonly workspace?: string
  /** The event's payload; default: an empty object. */
  readonly event?: unknown
  /** Default: this project's. */
  readonly distDir?: string
  /** Folder that holds action.yml, login/action.yml and so on; default: this project's. */
  readonly actionDir?: string
  /** Default: the Node that runs this. */
  readonly nodePath?: string
  /** Called for each line as it is printed. */
  readonly onLine?: (line: string, stream: 'stdout' | 'stderr') => void
}

export interface ActionResult {
  /** Null when a signal ended it. */
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
  /** What the runner would read from GITHUB_OUTPUT and GITHUB_STATE. */
  readonly outputs: Readonly<Record<string, string>>
  readonly state: Readonly<Record<string, string>>
  /** Variables for the later steps, from GITHUB_ENV. */
  readonly exported: Readonly<Record<string, string>>
  /** Text of the job summary. */
  readonly summary: string
  /** From spawn to the end of the process. */
  readonly ms: number
}

/** As the runner has it: the path of action.yml's folder, and behind it what the file says, with its dots. */
function entryPath({ entry = 'main', distDir }: ActionOptions): string {
  if (distDir !== undefined) return path.join(distDir, `${entry}.js`)
  const isOfRoot = entry === 'main' || entry === 'post'
  return isOfRoot ? `${ROOT}/dist/${entry}.js` : `${ROOT}/${entry}/../dist/${entry}.js`
}

/** A running step. */
export interface RunningAction {
  readonly pid: number
  /** What the runner does on cancel; false if the process has ended. */
  signal(signal: NodeJS.Signals): boolean
  /** Nobody reads what it prints any more. */
  closeOutput(): void
  /** Resolves when the process has ended and its output was read. */
  readonly done: Promise<ActionResult>
}

const ActionFile = z.object({
  inputs: z.record(
    z.string(),
    z.object({ default: z.union([z.string(), z.number(), z.boolean()]).optional() }),
  ),
})

const CONTEXTS: Readonly<Record<string, string>> = {
  'github.job': 'train',
  'github.token': '',
  'strategy.job-index': '0',
}

const FILES = ['output', 'state', 'step_summary', 'env', 'path'] as const

/** Which mutant is switched on, and where to note those that are reached; see mutation/. */
const FOR_MUTANTS = ['__STRYKER_ACTIVE_MUTANT__', 'MUTANTS_REACHED']

/** What is passed on from this process: without these nothing starts. Proxies are left out: all is loopback. */
const PASSED_ON = [
  ...['PATH', 'HOME', 'TMPDIR', 'TEMP', 'TMP', 'SystemRoot', 'USERPROFILE', 'LANG'],
  ...FOR_MUTANTS,
]

const alive = new Set<ChildProcess>()

function killAll(): void {
  for (const child of alive) child.kill('SIGKILL')
}

/** Defaults from the action's own file, with `${{ … }}` replaced as the runner would. */
async function defaults(
  file: string,
  contexts: Readonly<Record<string, string>>,
): Promise<[string, string][]> {
  const { inputs } = ActionFile.parse(parse(await readFile(file, 'utf8')))
  return Object.entries(inputs).map(([name, input]) => [
    name,
    String(input.default ?? '').replaceAll(/\$\{\{\s*(.*?)\s*\}\}/g, (_, expression: string) => {
      const value = contexts[expression]
      if (value === undefined) throw new Error(`${file}: no test value for the expression "${expression}"`)
      return value
    }),
  ])
}

/**
 * Reads a runner's file command: `name=value` lines and `name<<DELIMITER` blocks.
 * Throws on a line that the runner would refuse, or a block that never ends.
 */
export function parseFileCommand(text: string): Record<string, string> {
  const values: Record<string, string> = {}
  const lines = text.split(/\r?\n/)
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? ''
    if (line === '') continue
    const equals = line.indexOf('=')
    const heredoc = line.indexOf('<<')
    if (heredoc > 0 && (equals < 0 || heredoc < equals)) {
      const end = lines.indexOf(line.slice(heredoc + 2), index + 1)
      if (end < 0) throw new Error(`unfinished value: ${line}`)
      values[line.slice(0, heredoc)] = lines.slice(index + 1, end).join('\n')
      index = end
    } else if (equals > 0) {
      values[line.slice(0, equals)] = line.slice(equals + 1)
    } else {
      throw new Error(`neither name=value nor name<<DELIMITER: ${line}`)
    }
  }
  return values
}

function githubContext(folder: string, workspace: string): Record<string, string> {
  return {
    CI: 'true',
    GITHUB_ACTIONS: 'true',
    GITHUB_ACTION: '__self',
    GITHUB_ACTOR: 'octocat',
    GITHUB_API_URL: 'https://api.github.com',
    GITHUB_EVENT_NAME: 'push',
    GITHUB_EVENT_PATH: path.join(folder, 'event.json'),
    GITHUB_JOB: 'train',
    GITHUB_REF: 'refs/heads/main',
    GITHUB_REF_NAME: 'main',
    GITHUB_REPOSITORY: 'octo-org/example',
    GITHUB_REPOSITORY_ID: '4711',
    GITHUB_RUN_ATTEMPT: '1',
    GITHUB_RUN_ID: '100200300',
    GITHUB_RUN_NUMBER: '7',
    GITHUB_SERVER_URL: 'https://github.com',
    GITHUB_SHA: '0123456789abcdef0123456789abcdef01234567',
    GITHUB_WORKFLOW: 'train',
    GITHUB_WORKFLOW_REF: 'octo-org/example/.github/workflows/train.yml@refs/heads/main',
    GITHUB_WORKSPACE: workspace,
    RUNNER_ARCH: 'X64',
    RUNNER_NAME: 'e2e',
    RUNNER_OS: 'Linux',
    RUNNER_TEMP: path.join(folder, 'temp'),
    RUNNER_TOOL_CACHE: path.join(folder, 'tools'),
  }
}

async function environment(
  options: ActionOptions,
  folder: string,
  workspace: string,
): Promise<NodeJS.ProcessEnv> {
  const entry = options.entry ?? 'main'
  const actionDir = options.actionDir ?? ROOT
  const file = path.join(actionDir, entry === 'main' || entry === 'post' ? '' : entry, 'action.yml')
  const inputs = new Map(await defaults(file, { ...CONTEXTS, ...options.contexts }))
  for (const [name, value] of Object.entries(options.inputs)) inputs.set(name, value)

  const env: NodeJS.ProcessEnv = {}
  for (const name of PASSED_ON) {
    if (process.env[name] !== undefined) env[name] = process.env[name]
  }
  Object.assign(env, githubContext(folder, workspace))
  for (const name of FILES) env[`GITHUB_${name.toUpperCase()}`] = path.join(folder, name)
  for (const [name, value] of inputs) env[`INPUT_${name.replaceAll(' ', '_').toUpperCase()}`] = value
  for (const [name, value] of Object.entries(options.state ?? {})) env[`STATE_${name}`] = value
  for (const [name, value] of Object.entries(options.env ?? {})) {
    if (value === undefined) Reflect.deleteProperty(env, name)
    else env[name] = value
  }
  return env
}

/** Hands on whole lines as they come, and gives back all that was read. */
function collect(
  child: ChildProcess,
  stream: 'stdout' | 'stderr',
  onLine: ActionOptions['onLine'],
): () => string {
  let text = ''
  let pending = ''
  child[stream]?.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
    const lines = (pending + chunk).split('\n')
    pending = lines.pop() ?? ''
    for (const line of lines) onLine?.(line, stream)
  })
  return () => text
}

async function finish(
  child: ChildProcess,
  folder: string,
  options: ActionOptions,
  start: number,
): Promise<ActionResult> {
  const stdout = collect(child, 'stdout', options.onLine)
  const stderr = collect(child, 'stderr', options.onLine)
  const [exitCode, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, name) => resolve([code, name]))
  })
  const ms = performance.now() - start
  const read = (name: (typeof FILES)[number]): Promise<string> => readFile(path.join(folder, name), 'utf8')
  const result = {
    exitCode,
    signal,
    stdout: stdout(),
    stderr: stderr(),
    outputs: parseFileCommand(await read('output')),
    exported: parseFileCommand(await read('env')),
    state: parseFileCommand(await read('state')),
    summary: await read('step_summary'),
    ms,
  }
  await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  return result
}

/** All that a runner has ready before it starts a step: a process's arguments and surroundings. */
export interface PreparedAction {
  readonly node: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
  /** Holds the files of the step; whoever asked for it removes it. */
  readonly folder: string
}

/** Makes everything that a built entry needs, as the runner does: inputs, context and state as variables, files. */
export async function prepareAction(options: ActionOptions): Promise<PreparedAction> {
  const folder = await mkdtemp(path.join(tmpdir(), 'action-'))
  const workspace = options.workspace ?? path.join(folder, 'workspace')
  await mkdir(workspace, { recursive: true })
  await mkdir(path.join(folder, 'temp'))
  await writeFile(path.join(folder, 'event.json'), JSON.stringify(options.event ?? {}))
  for (const name of FILES) await writeFile(path.join(folder, name), '')
  const env = await environment(options, folder, workspace)
  const node = options.nodePath ?? process.execPath
  return { node, args: [entryPath(options)], cwd: workspace, env, folder }
}

/**
 * Starts a built entry as the runner does: inputs, context and state as variables, results
 * through files, input closed. It is killed if this process ends first.
 */
export async function startAction(options: ActionOptions): Promise<RunningAction> {
  const { node, args, cwd, env, folder } = await prepareAction(options)
  if (!process.listeners('exit').includes(killAll)) process.on('exit', killAll)
  const start = performance.now()
  const child = spawn(node, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  alive.add(child)
  child.once('exit', () => alive.delete(child))
  return {
    pid: child.pid ?? 0,
    signal: (signal) => child.kill(signal),
    closeOutput: () => child.stdout.destroy(),
    done: finish(child, folder, options, start),
  }
}

/** Runs a built entry to its end. Rejects only if it cannot be started. */
export async function runAction(options: ActionOptions): Promise<ActionResult> {
  const running = await startAction(options)
  return running.done
}
