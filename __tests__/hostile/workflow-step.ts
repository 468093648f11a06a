import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseFileCommand } from '../../e2e/action.ts'
import { startSimulator, VirtualClock, type Simulator, type SimulatorOptions } from '../../simulator/index.ts'
import { openClient } from '../../src/actions/open-client.ts'
import { WorkflowStep } from '../../src/actions/workflow-step.ts'
import type { ConnectionInputs } from '../../src/github/inputs/connection.ts'
import { WorkflowLog } from '../../src/github/log/workflow-log.ts'
import { followExistingRun } from '../../src/run/follow-existing-run.ts'
import { startAndFollowRun, type RunRequest } from '../../src/run/start-and-follow-run.ts'
import { resolveRun } from '../../src/run/resolve/resolve.ts'
import { stopExistingRun } from '../../src/run/stop-existing-run.ts'
import type { Outcome } from '../../src/run/conclusion.ts'
import { Http, type HttpLimits } from '../../src/http/http.ts'
import { BASE_REQUEST } from '../run/scene.ts'
import { startTampering, type Tamper, type TamperingServer } from './tampering-server.ts'

/** Of a workflow for a pull request. */
const COMMITS = { head: 'a'.repeat(40), merge: 'b'.repeat(40), workflow: undefined }

/** Which action is taken: the main one, wait/, stop/ or resolve/; all but the first get a run that is running. */
export type Way = 'execute' | 'attach' | 'stop' | 'resolve'

const ACTIONS = { execute: 'main', attach: 'wait', stop: 'stop', resolve: 'resolve' } as const

export interface StepOptions {
  readonly way?: Way
  readonly tamper: Tamper
  readonly server?: SimulatorOptions
  readonly changes?: Partial<RunRequest>
  /** Called with the simulator before the step, after the run for `attach` and `stop` was started. */
  readonly before?: (server: Simulator) => void
  readonly limits?: Partial<HttpLimits>
  /** For a report page; default: there is none. */
  readonly reportFolder?: string
}

/** What one step left behind, as the runner gets it. */
export interface StepView {
  /** Undefined if something was thrown that nobody foresaw. */
  readonly succeeded: boolean | undefined
  readonly crash: unknown
  readonly stdout: string
  readonly outputs: Readonly<Record<string, string>>
  readonly state: Readonly<Record<string, string>>
  readonly summary: string
  readonly requests: readonly string[]
  /** What the server gave out: the only texts that may be masked. */
  readonly tokens: readonly string[]
  /** The server's address, which differs from run to run. */
  readonly url: string
  readonly runs: Simulator['runs']
}

const FILES = { output: 'GITHUB_OUTPUT', state: 'GITHUB_STATE', summary: 'GITHUB_STEP_SUMMARY' } as const

/** The files through which the runner takes results; one set for all steps, because the summary keeps its path. */
export class RunnerFiles {
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'runner-files-'))

  constructor() {
    for (const [name, variable] of Object.entries(FILES))
      process.env[variable] = path.join(this.#folder, name)
    this.empty()
  }

  empty(): void {
    for (const name of Object.keys(FILES)) writeFileSync(path.join(this.#folder, name), '')
  }

  read(name: keyof typeof FILES): string {
    return readFileSync(path.join(this.#folder, name), 'utf8')
  }

  remove(): void {
    for (const variable of Object.values(FILES)) Reflect.deleteProperty(process.env, variable)
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/**
 * Takes one step in this process, wired as the actions wire it, over real sockets but in virtual time: the
 * answers of a simulated server reach it through a server that tampers with them.
 */
export async function takeStep(files: RunnerFiles, options: StepOptions): Promise<StepView> {
  const { way = 'execute', tamper } = options
  const clock = new VirtualClock()
  const server = await startSimulator({ seed: 7, clock, orchestrator: 'kubernetes', ...options.server })
  const running = way === 'execute' ? undefined : await startRun(server, clock)
  options.before?.(server)
  const between = await startTampering(server.url, tamper)
  const http = new Http('test', options.limits)
  files.empty()
  try {
    return await observe(files, server, between, async (log) => {
      const step = workflowStep(ACTIONS[way], { clock, http, log })
      step.reportTo({
        summary: true,
        comment: undefined,
        commits: COMMITS,
        reportFolder: options.reportFolder,
      })
      try {
        return await step.conclude(
          await work(step, way, between.url, server.apiKey, running, options.changes),
        )
      } catch (error) {
        return await step.fail(error)
      }
    })
  } finally {
    http.close()
    await Promise.all([between.close(), server.close()])
  }
}

async function observe(
  files: RunnerFiles,
  server: Simulator,
  { url, requests }: TamperingServer,
  step: (log: WorkflowLog) => Promise<boolean>,
): Promise<StepView> {
  let stdout = ''
  const log = new WorkflowLog((text) => {
    stdout += text
  })
  const ended = await step(log).then(
    (succeeded) => ({ succeeded, crash: undefined }),
    (crash: unknown) => ({ succeeded: undefined, crash }),
  )
  return {
    ...ended,
    stdout,
    outputs: parseFileCommand(files.read('output')),
    state: parseFileCommand(files.read('state')),
    summary: files.read('summary'),
    requests,
    tokens: server.issuedTokens,
    url,
    runs: server.runs,
  }
}

/** A run of the pipeline `training` that is there before the step, and gets past its start. */
async function startRun(server: Simulator, clock: VirtualClock): Promise<string> {
  const log = new WorkflowLog(() => undefined)
  const http = new Http('test')
  const inputs = connectionInputs(server.url, server.apiKey)
  const reporter = { tell: () => undefined }
  const { client, close } = await openClient({ inputs, http, clock, log, reporter })
  try {
    const id = server.seeded.templates['training-template'] ?? ''
    const answer = await client.trigger({ kind: 'template', id }, LONG_RUN, nextKey(1))
    if (answer.kind !== 'started') throw new Error(`no run was started: ${answer.kind}`)
    clock.advance(5_000)
    return answer.run.id
  } finally {
    close()
  }
}

const LONG_RUN = {
  run_name: 'started elsewhere',
  steps: {
    load: { parameters: { rows: 10 } },
    train: { parameters: { seconds: 600, accuracy: 0.9, fail: '' } },
  },
}

interface Tools {
  readonly clock: VirtualClock
  readonly http: Http
  readonly log: WorkflowLog
}

function workflowStep(action: (typeof ACTIONS)[Way], { clock, http, log }: Tools): WorkflowStep {
  let keys = 1
  return new WorkflowStep({
    action,
    env: {},
    log,
    signal: new AbortController().signal,
    surroundings: {
      clock,
      timeLimit: (ms) => AbortSignal.timeout(ms),
      newKey: () => nextKey((keys += 1)),
      openHttp: () => http,
    },
  })
}

function connectionInputs(url: string, key: string): ConnectionInputs {
  return { server: { url, proApiUrl: url }, credential: { kind: 'api-key', key } }
}

/** The same keys every time, so that names read alike in a golden file. */
export function nextKey(count: number): string {
  return `5eed0000-0000-4000-8000-${count.toString().padStart(12, '0')}`
}

async function work(
  step: WorkflowStep,
  way: Way,
  url: string,
  key: string,
  running = '',
  changes: Partial<RunRequest> = {},
): Promise<Outcome> {
  const request = { ...REQUEST, ...changes }
  const deps = await step.connect(connectionInputs(url, key), request)
  switch (way) {
    case 'execute':
      return startAndFollowRun(request, deps)
    case 'attach':
      return followExistingRun({ ...request, run: running }, deps)
    case 'resolve': {
      const { signal: cancelled } = new AbortController()
      return resolveRun(
        { run: running, project: undefined, question: undefined, ...YES },
        { ...deps, cancelled },
      )
    }
    case 'stop': {
      const { workflowRunUrl } = request
      return stopExistingRun(
        { run: running, project: undefined, mode: 'stop', workflowRunUrl, timeoutMs: 60_000 },
        deps,
      )
    }
  }
}

const YES = { resolution: 'continue', result: true } as const

const REQUEST: RunRequest = {
  ...BASE_REQUEST,
  triggerTimeoutMs: 90_000,
  // A server that is lost for ten minutes is asked six times, and not sixty.
  pollIntervalMs: 120_000,
}
