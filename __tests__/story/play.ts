import { startSimulator, VirtualClock, type PipelineSpec, type Simulator } from '../../simulator/index.ts'
import { openClient, type OpenOptions } from '../../src/actions/open-client.ts'
import { WorkflowStep } from '../../src/actions/workflow-step.ts'
import { renderComment } from '../../src/github/comment/body.ts'
import { WorkflowLog } from '../../src/github/log/workflow-log.ts'
import type { RunComment } from '../../src/github/comment/run-comment.ts'
import { PromotionReport } from '../../src/github/promotion-report.ts'
import type { WorkflowStepEnd } from '../../src/github/run-recorder.ts'
import type { ConnectionInputs } from '../../src/github/inputs/connection.ts'
import { followExistingRun } from '../../src/run/follow-existing-run.ts'
import { startAndFollowRun, type RunRequest } from '../../src/run/start-and-follow-run.ts'
import { promoteVersion } from '../../src/run/promote/promote.ts'
import type { Cell } from '../../src/run/sweep/cell.ts'
import { runSweep } from '../../src/run/sweep/sweep.ts'
import type { ZenmlClient } from '../../src/zenml/client.ts'
import type { Clock } from '../../src/base/clock.ts'
import { Http } from '../../src/http/http.ts'
import { nextKey, type RunnerFiles } from '../hostile/workflow-step.ts'
import { BASE_REQUEST } from '../run/scene.ts'

/** One step, and what happens to its run meanwhile. */
export interface Story {
  readonly name: string
  /** Default: the main one. The runs of wait/ and promote/ are the newest of those that are there before. */
  readonly action?: 'main' | 'wait' | 'sweep' | 'promote'
  readonly pipeline: PipelineSpec
  /** What is done to the server before anything else. */
  readonly before?: (server: Simulator) => void
  /** Runs of the same pipeline that completed before. */
  readonly earlierRuns?: number
  /** Their names begin so; default: `earlier `. */
  readonly earlierName?: string
  /** How many seconds before the step the last of them was started; default: long ago. */
  readonly startedBefore?: number
  /** What varies in a sweep. */
  readonly cells?: readonly Cell[]
  readonly changes?: Partial<RunRequest>
  /** What somebody does so many seconds after the step began. */
  readonly meanwhile?: {
    readonly atSeconds: number
    readonly act: (stage: Stage) => void | Promise<void>
  }
}

/** What can be done to a run from outside. */
export interface Stage {
  readonly server: Simulator
  /** The newest run's. */
  readonly runId: string
  readonly client: ZenmlClient
  /** As GitHub's cancel button. */
  readonly cancel: () => void
}

/** What a person gets to see, alike every time. */
export interface Told {
  readonly log: string
  readonly summary: string
  /** The comment at the start, if the run was started, and at the end. */
  readonly comments: readonly string[]
}

/**
 * Plays a story in this process, wired as the actions wire it: over real sockets to a simulated server, in virtual
 * time.
 */
export async function play(story: Story, files: RunnerFiles): Promise<Told> {
  const clock = new VirtualClock()
  const server = await startSimulator({
    seed: 7,
    clock,
    orchestrator: 'kubernetes',
    pipelines: [story.pipeline],
  })
  const http = new Http('test')
  files.empty()
  try {
    await runBefore(story, server, clock, http)
    let log = ''
    const workflowLog = new WorkflowLog((text) => {
      log += text
    })
    const comments: string[] = []
    const scenery = { server, clock, http, log: workflowLog, comments }
    await (story.action === 'promote' ? promote(scenery) : take(story, story.action ?? 'main', scenery))
    const shown = (text: string): string => alike(text, server.url)
    return { log: shown(log), summary: shown(files.read('summary')), comments: comments.map(shown) }
  } finally {
    http.close()
    await server.close()
  }
}

interface Scenery {
  readonly server: Simulator
  readonly clock: VirtualClock
  readonly http: Http
  readonly log: WorkflowLog
  readonly comments: string[]
}

async function take(
  story: Story,
  action: 'main' | 'wait' | 'sweep',
  { server, clock, http, log, comments }: Scenery,
): Promise<void> {
  const cancelling = new AbortController()
  let keys = 0
  const step = new WorkflowStep({
    action,
    env: {},
    log,
    signal: cancelling.signal,
    surroundings: {
      clock: meanwhileClock(story, {
        server,
        clock,
        http,
        cancel: () => cancelling.abort(new Error('cancelled')),
      }),
      timeLimit: (ms) => AbortSignal.timeout(ms),
      newKey: () => nextKey((keys += 1)),
      openHttp: () => http,
    },
  })
  try {
    const request = requestOf(story)
    const run = server.runs.at(-1)?.id ?? ''
    step.reportTo({
      summary: true,
      comment: commentInto(comments, action),
      commits: COMMITS,
      requested: action === 'wait' ? { kind: 'run', reference: run } : request.target,
    })
    const deps = await step.connect(connectionInputs(server), request)
    await step.conclude(await followed(story, action, run, deps))
  } catch (error) {
    await step.fail(error)
  }
}

function followed(
  story: Story,
  action: 'main' | 'wait' | 'sweep',
  run: string,
  deps: Awaited<ReturnType<WorkflowStep['connect']>>,
): Promise<WorkflowStepEnd> {
  const request = requestOf(story)
  if (action === 'main') return startAndFollowRun(request, deps)
  if (action === 'wait') return followExistingRun({ ...request, run }, deps)
  const { journal, ...others } = deps
  const { cells = [] } = story
  // One after the other: the order in which several go on is the machine's.
  const sweep = { ...SWEEP, cells, maxParallel: 1 }
  return runSweep({ ...request, ...sweep }, { ...others, journalOf: ({ number }) => journal.ofCell(number) })
}

const SWEEP = {
  baseline: undefined,
  failFast: false,
  expectAll: false,
  rank: { direction: 'max', name: 'train.accuracy' },
  resume: false,
  runTimeoutMs: undefined,
} as const

async function promote({ server, clock, http, log }: Scenery): Promise<void> {
  const report = new PromotionReport(log, clock)
  const run = server.runs.at(-1)?.id ?? ''
  const client = await clientOf(server, clock, http, { log, reporter: report })
  const { signal: cancelled } = new AbortController()
  const promotion = await promoteVersion(
    { choice: { kind: 'run', run }, project: undefined, stage: 'production', replace: 'older' },
    { client, clock, reporter: report, cancelled },
  )
  await report.ended(promotion)
}

/** Of a workflow that a clock starts. */
const COMMITS = {
  head: undefined,
  merge: undefined,
  workflow: '9f8e7d6c5b4a39281706f5e4d3c2b1a098765432',
}

/** The wire to GitHub is not what a story is about. */
function commentInto(comments: string[], action: 'main' | 'wait' | 'sweep'): RunComment {
  return {
    update: async (record) => {
      comments.push(renderComment(record, { ...PLACE, action }))
    },
  }
}

const WORKFLOW_RUN_URL = 'https://github.com/o/r/actions/runs/4711'

const PLACE = {
  identity: '0a1b2c3d',
  stepKey: 'train/0',
  context: { runId: '4711', runAttempt: 1, workflow: 'Nightly training', workflowRunUrl: WORKFLOW_RUN_URL },
} as const

async function runBefore(
  { earlierRuns = 0, earlierName = 'earlier ', startedBefore, pipeline, before }: Story,
  server: Simulator,
  clock: VirtualClock,
  http: Http,
): Promise<void> {
  before?.(server)
  if (earlierRuns === 0) return
  const client = await clientOf(server, clock, http, NOBODY)
  const totalMs = pipeline.steps.reduce((sum, { seconds }) => sum + seconds, 60) * 1_000
  const id = Object.values(server.seeded.templates)[0] ?? ''
  for (let count = 1; count <= earlierRuns; count += 1) {
    await client.trigger(
      { kind: 'template', id },
      { run_name: `${earlierName}${count}` },
      nextKey(100 + count),
    )
    const isLast = count === earlierRuns
    clock.advance(isLast && startedBefore !== undefined ? startedBefore * 1_000 : totalMs)
  }
}

function requestOf({ pipeline, changes }: Story): RunRequest {
  return {
    ...BASE_REQUEST,
    target: { kind: 'template', reference: `${pipeline.name}-template` },
    runName: 'nightly-4711',
    triggerTimeoutMs: 90_000,
    onTimeout: 'stop',
    ...changes,
  }
}

/** The time in which what happens meanwhile happens. */
function meanwhileClock(
  { meanwhile }: Story,
  { server, clock, http, cancel }: Pick<Scenery, 'server' | 'clock' | 'http'> & Pick<Stage, 'cancel'>,
): Clock {
  if (meanwhile === undefined) return clock
  return new ActingClock(clock, clock.now() + meanwhile.atSeconds * 1_000, async () => {
    const runId = server.runs.at(-1)?.id ?? ''
    await meanwhile.act({ server, runId, client: await clientOf(server, clock, http, NOBODY), cancel })
  })
}

/**
 * The time, at one point of which something happens. It happens within somebody's sleep: a sleeper of its own would
 * let the virtual time jump while an answer is under way.
 */
class ActingClock implements Clock {
  readonly #clock: VirtualClock
  readonly #at: number
  #act: (() => Promise<void>) | undefined

  constructor(clock: VirtualClock, at: number, act: () => Promise<void>) {
    this.#clock = clock
    this.#at = at
    this.#act = act
  }

  now(): number {
    return this.#clock.now()
  }

  elapsed(): number {
    return this.#clock.elapsed()
  }

  random(): number {
    return this.#clock.random()
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    const until = this.now() + ms
    const act = this.#act
    if (act !== undefined && until >= this.#at) {
      this.#act = undefined
      await this.#clock.sleep(this.#at - this.now(), signal)
      await act()
    }
    await this.#clock.sleep(until - this.now(), signal)
  }
}

async function clientOf(
  server: Simulator,
  clock: VirtualClock,
  http: Http,
  hearers: Pick<OpenOptions, 'log' | 'reporter'>,
): Promise<ZenmlClient> {
  const { client } = await openClient({ inputs: connectionInputs(server), http, clock, ...hearers })
  return client
}

function connectionInputs({ url, apiKey }: Simulator): ConnectionInputs {
  return {
    server: { url, proApiUrl: url },
    credential: { kind: 'api-key', key: apiKey },
  }
}

/** For requests that are not the step's. */
const NOBODY = { log: new WorkflowLog(() => undefined), reporter: { tell: () => undefined } }

/** Takes out what differs from one time to the other, the server's port and the log's fences, and what nobody sees. */
function alike(text: string, url: string): string {
  const escaped = new URL(url).host.replaceAll('.', '&#46;').replace(':', '&#58;')
  return text
    .replaceAll(/^::add-mask::.*\n/gm, '')
    .replaceAll(url, 'https://zenml.example.com')
    .replaceAll(escaped, 'zenml&#46;example&#46;com')
    .replaceAll(new URL(url).host, 'zenml.example.com')
    .replaceAll(/^::(stop-commands::)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/gm, '::$1FENCE')
}
