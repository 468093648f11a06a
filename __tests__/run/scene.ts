import { randomUUID } from 'node:crypto'
import { startSimulator, VirtualClock, type Simulator, type SimulatorOptions } from '../../simulator/index.ts'
import { openClient } from '../../src/actions/open-client.ts'
import { WorkflowLog } from '../../src/github/log/workflow-log.ts'
import { followExistingRun, type FollowExistingRequest } from '../../src/run/follow-existing-run.ts'
import { startAndFollowRun, type RunRequest } from '../../src/run/start-and-follow-run.ts'
import type { RunDependencies, RunResult } from '../../src/run/run-supervisor.ts'
import type { StopMode, PlannedRun, StartedRun } from '../../src/run/recovery-journal.ts'
import type { RunEvent } from '../../src/run/events.ts'
import type { ZenmlClient } from '../../src/zenml/client.ts'
import type { Clock } from '../../src/base/clock.ts'
import { Http, type HttpLimits } from '../../src/http/http.ts'

/** A simulated server and a client of it, over a real socket, in one virtual time. */
export interface Scene {
  readonly server: Simulator
  readonly clock: VirtualClock
  /** Sets the client's clock on or back, and leaves the server's alone. */
  setClock(byMs: number): void
  readonly client: ZenmlClient
  readonly events: RunEvent[]
  readonly planned: PlannedRun[]
  readonly started: StartedRun[]
  /** Not empty once nothing was left to see to. */
  readonly settled: true[]
  /** How the run was to end, each time that this was said. */
  readonly endings: StopMode[]
  /** Runs the pipeline `training` by its template unless told otherwise. */
  execute(changes?: Partial<RunRequest>, signal?: AbortSignal): Promise<RunResult>
  /** The same with other dependencies. */
  executeWith(changes: Partial<RunRequest>, deps: RunDependencies): Promise<RunResult>
  /** Waits for a run that is there already. */
  attach(run: string, changes?: Partial<FollowExistingRequest>, signal?: AbortSignal): Promise<RunResult>
  /** What a run needs besides its request. */
  dependencies(signal?: AbortSignal): RunDependencies
  /** Answers a run's question with yes, as a person does in the dashboard. */
  answer(conditionId: string): Promise<void>
  /** The requests of one kind, as "METHOD /path". */
  sent(pattern: RegExp): string[]
}

const scenes: { close(): Promise<void> }[] = []

/** Ends everything that {@link openScene} opened; for afterEach. */
export async function closeScenes(): Promise<void> {
  await Promise.all(scenes.splice(0).map((scene) => scene.close()))
}

/** Opens a server as `options` say, and a client that knows its key. */
export async function openScene(
  options: SimulatorOptions = {},
  limits: Partial<HttpLimits> = {},
): Promise<Scene> {
  const clock = new VirtualClock({ seed: options.seed ?? 1 })
  let setByMs = 0
  const own: Clock = {
    now: () => clock.now() + setByMs,
    elapsed: () => clock.elapsed(),
    sleep: (ms, signal) => clock.sleep(ms, signal),
    random: () => clock.random(),
  }
  const server = await startSimulator({ seed: 7, clock, ...options })
  const http = new Http('test', limits)
  scenes.push({
    close: async () => {
      http.close()
      await server.close()
    },
  })
  const events: RunEvent[] = []
  const planned: PlannedRun[] = []
  const started: StartedRun[] = []
  const reporter = { tell: (event: RunEvent): void => void events.push(event) }
  const { client, session } = await openClient({
    inputs: {
      server: { url: server.url, proApiUrl: server.url },
      credential: { kind: 'api-key', key: server.apiKey },
    },
    http,
    clock: own,
    log: new WorkflowLog(() => undefined),
    reporter,
  })
  const settled: true[] = []
  const endings: StopMode[] = []
  const journal = {
    planned: (run: PlannedRun): void => void planned.push(run),
    started: (run: StartedRun): void => void started.push(run),
    stopping: (mode: StopMode): void => void endings.push(mode),
    settled: (): void => void settled.push(true),
  }
  const dependencies = (signal?: AbortSignal): RunDependencies => ({
    client: client.with({ signal }),
    clock: own,
    reporter,
    journal,
    newKey: randomUUID,
    timeLimit: (ms) => AbortSignal.timeout(ms),
    signal,
  })
  return {
    server,
    clock,
    setClock: (byMs) => {
      setByMs += byMs
    },
    client,
    events,
    planned,
    started,
    settled,
    endings,
    dependencies,
    answer: async (conditionId) => {
      const response = await fetch(`${server.url}/api/v1/run_wait_conditions/${conditionId}/resolve`, {
        method: 'PUT',
        headers: { authorization: `Bearer ${await session.token()}`, 'content-type': 'application/json' },
        body: JSON.stringify({ resolution: 'continue', result: true }),
      })
      if (response.status !== 200) throw new Error(`The question could not be answered: ${response.status}`)
    },
    execute: (changes = {}, signal) =>
      startAndFollowRun({ ...BASE_REQUEST, ...changes }, dependencies(signal)),
    executeWith: (changes, deps) => startAndFollowRun({ ...BASE_REQUEST, ...changes }, deps),
    attach: (run, changes = {}, signal) =>
      followExistingRun({ ...BASE_REQUEST, run, ...changes }, dependencies(signal)),
    sent: (pattern) =>
      server.requests.map(({ method, path }) => `${method} ${path}`).filter((line) => pattern.test(line)),
  }
}

/** What a workflow asks for that leaves all inputs but `template` as they are, save that the run keeps running at the timeout. */
export const BASE_REQUEST: RunRequest = {
  nothingToCancel: 'Cancelled before a run was started',
  target: { kind: 'template', reference: 'training-template' },
  project: undefined,
  overrides: { layers: [], tags: undefined, enableCache: undefined },
  runName: undefined,
  requester: { workflowRunId: '4711', attempt: 1, stepIdentity: '0a1b2c3d' },
  provenance: {
    repository: 'o/r',
    sha: '0123456789abcdef0123456789abcdef01234567',
    ref: 'refs/heads/main',
    headRef: '',
    baseRef: '',
    eventName: 'push',
    actor: 'octocat',
    workflow: 'train',
    workflowRunUrl: 'https://github.com/o/r/actions/runs/4711',
  },
  workflowRunUrl: 'https://github.com/o/r/actions/runs/4711',
  logTail: 50,
  wait: true,
  timeoutMs: undefined,
  triggerTimeoutMs: 1_800_000,
  pollIntervalMs: undefined,
  onCancel: 'stop',
  onTimeout: 'keep-running',
  onPaused: 'wait',
  onLost: 'keep-running',
  lostAfterMs: 600_000,
  resume: false,
}

/** A trigger in the list of requests. */
export const TRIGGER = /^POST \/api\/v1\/(run_templates|pipeline_snapshots)\/[^/]+\/runs$/

/** What kept the step from starting its run, each time that this was told. */
export const hindrances = ({ events }: Scene): string[] =>
  events.flatMap((event) => (event.kind === 'trigger-hindered' ? event.hindrance : []))

/** Lets the sockets move until something is so; the virtual time moves only as others sleep. */
export async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + 25_000
  while (!condition()) {
    if (Date.now() > end) throw new Error('It never came to that')
    await new Promise((resolve) => setImmediate(resolve))
  }
}
