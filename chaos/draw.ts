import { ZENML_VERSIONS, type ZenmlVersion } from '../simulator/index.ts'
import { areRight, drawClocks, type Clocks } from './draw-clocks.ts'
import { drawFault, spanOf, type DrawnFault } from './draw-faults.ts'
import { chaosPipelines, type PipelineName } from './pipelines.ts'
import { drawNaming, drawRunName, type Naming } from './naming.ts'
import { Random } from './random.ts'
import type { FollowPolicy } from '../src/run/run-supervisor.ts'

/**
 * `A` in this process and in virtual time, `B` through dist as child processes; sweeps: `S` as A is played, `T` as B is.
 */
export const PARTS = ['A', 'B', 'S', 'T'] as const
export type Part = (typeof PARTS)[number]

/** Through dist a case waits in real time. */
const isThroughDist = (part: Part): boolean => part === 'B' || part === 'T'
const isSweep = (part: Part): boolean => part === 'S' || part === 'T'

/**
 * Where in a request something happens: before it is sent; when the server has it; while the answer's body is
 * under way; when the whole answer is there and nobody has looked at it.
 */
export const MOMENTS = ['before', 'arrived', 'body', 'answered'] as const
export type Moment = (typeof MOMENTS)[number]

export interface Boundary {
  readonly route: 'any' | 'trigger' | 'stop'
  /** 1-based among the requests of that route. */
  readonly nth: number
  readonly moment: Moment
}

/** Something that happens to the step, or to its server, at a request's boundary. */
export type Interruption =
  | { readonly kind: 'cancel' | 'kill'; readonly at: Boundary }
  | {
      readonly kind: 'restart'
      readonly at: Boundary
      readonly downSeconds: number
      readonly stuckKeys: boolean
    }
  | { readonly kind: 'expire-tokens'; readonly at: Boundary }
  | { readonly kind: 'vanish'; readonly at: Boundary }
  | { readonly kind: 'unknown-state'; readonly at: Boundary }

export interface Sweep {
  readonly cells: number
  readonly maxParallel: number
  readonly failFast: boolean
}

export type StopMode = 'stop' | 'stop-gracefully' | 'keep-running'

/** The longest is longer than `lost-after`. */
const OUTAGES_SECONDS = [0, 5, 20, 120, 400, 900]

/** Through dist, so often a sweep's cells make way for others. */
const MOST_ROUNDS = 4

/** All that is decided beforehand about one case; the same for the same seed and id. */
export interface Case {
  readonly id: string
  readonly part: Part
  readonly version: ZenmlVersion
  readonly pipeline: PipelineName
  readonly target: 'template' | 'template-id' | 'snapshot' | 'pipeline'
  /** Undefined: one run. */
  readonly sweep: Sweep | undefined
  readonly wait: boolean
  readonly dryRun: boolean
  /** The job is run again after a failed run, which the step is to replay. */
  readonly replays: boolean
  /** Undefined: one of ours. */
  readonly runName: string | undefined
  /** Somebody else has a run of that name already. */
  readonly nameTaken: boolean
  /** What the server makes of a run's name. */
  readonly naming: Naming
  readonly clocks: Clocks
  readonly timeoutMs: number | undefined
  readonly triggerTimeoutMs: number
  readonly pollIntervalMs: number | undefined
  readonly onCancel: StopMode
  readonly onTimeout: FollowPolicy['onTimeout']
  readonly onLost: FollowPolicy['onLost']
  readonly server: {
    readonly startupSeconds: number
    readonly triggerSeconds: number
    readonly requestTimeout: number
    readonly orchestrator: 'local' | 'kubernetes'
    readonly stopSeconds: number
    readonly tokenLifetime: number | null
  }
  readonly faults: readonly DrawnFault[]
  readonly interruptions: readonly Interruption[]
  /** The server is well again when the post step comes. */
  readonly recovers: boolean
}

/** Draws a case. */
export function drawCase(seed: number, part: Part, index: number): Case {
  const id = `${part}${index}`
  const random = new Random(`${seed}/${id}`)
  const version = random.pick(ZENML_VERSIONS)
  const pipeline = drawPipeline(random, part)
  const sweep = drawSweep(random, part)
  const runName = sweep === undefined ? drawRunName(random) : undefined
  const wait = random.chance(0.85) || sweep !== undefined
  const interruptions = drawInterruptions(random)
  const ends = chaosPipelines[pipeline].ends && interruptions.every(({ kind }) => kind !== 'unknown-state')
  const stopped = interruptions.some(({ kind }) => kind === 'cancel' || kind === 'kill')
  // Where a boundary is never reached, nothing else would end the wait.
  const longestMs = ends ? undefined : isThroughDist(part) ? 60_000 : 900_000
  const timeoutMs = (!ends && !stopped) || random.chance(0.15) ? drawTimeout(random, part) : longestMs
  const drawn: Case = {
    id,
    part,
    replays: false,
    version,
    pipeline,
    target: drawTarget(random, version),
    sweep,
    wait,
    dryRun: random.chance(0.04) && sweep === undefined,
    runName,
    nameTaken: runName === 'nightly' && random.chance(0.15),
    naming: drawNaming(random),
    clocks: drawClocks(random),
    timeoutMs: wait ? timeoutMs : undefined,
    triggerTimeoutMs: drawTriggerTimeout(random, part),
    pollIntervalMs: wait && random.chance(0.3) ? random.int(1, 10) * 1000 : undefined,
    onCancel: sweep?.failFast ? 'stop' : drawMode(random),
    onTimeout: drawTimeoutMode(random, timeoutMs !== undefined && sweep === undefined),
    onLost: random.pick(['keep-running', 'stop']),
    server: drawServer(random, part),
    faults: drawFaults(random, version),
    interruptions,
    recovers: random.chance(0.6),
  }
  return endingInTime(asReplay(drawn, new Random(`${seed}/${id}/replay`)))
}

/** Some cases are a second attempt. With a random number of its own: what else is drawn stays as it is. */
function asReplay(drawn: Case, random: Random): Case {
  const { part, pipeline } = drawn
  if (part !== 'A' || pipeline !== 'failing' || !random.chance(0.5)) return drawn
  return { ...drawn, replays: true, version: '0.98.0', runName: undefined, nameTaken: false }
}

function drawServer(random: Random, part: Part): Case['server'] {
  return {
    startupSeconds: random.weighted([
      [60, 2],
      [20, 0],
      [20, random.int(5, 30)],
    ]),
    triggerSeconds: random.weighted([
      [70, 0],
      [30, random.int(1, isThroughDist(part) ? 30 : 50)],
    ]),
    requestTimeout: random.weighted([
      [70, 20],
      [30, random.int(1, 5)],
    ]),
    orchestrator: random.pick(['local', 'kubernetes']),
    stopSeconds: random.weighted([
      [70, 1],
      [30, random.int(2, 40)],
    ]),
    tokenLifetime: random.weighted([
      [70, null],
      [30, random.int(20, 120)],
    ]),
  }
}

/**
 * Through dist a case waits in real time: where something never passes, or a run never begins, not for the half hour that a
 * start may take.
 */
function endingInTime(drawn: Case): Case {
  const isForEver = drawn.faults.some(({ occurrence }) => occurrence === 'always')
  if (!isThroughDist(drawn.part) || !(isForEver || drawn.pipeline === 'stuck')) return drawn
  return { ...drawn, triggerTimeoutMs: Math.min(drawn.triggerTimeoutMs, 60_000) }
}

/** True if nothing was drawn that may rightly keep the step from the run's own result. */
export function mustReachResult(drawn: Case): boolean {
  return (
    drawn.timeoutMs === undefined &&
    drawn.sweep?.failFast !== true &&
    drawn.triggerTimeoutMs >= 1_800_000 &&
    !drawn.nameTaken &&
    drawn.interruptions.every(({ kind }) => kind === 'expire-tokens') &&
    drawn.faults.every(({ passing }) => passing) &&
    // Three pages in a row that say that all is well are a wrong address.
    drawn.faults.every((fault) => fault.do.kind !== 'html' || fault.do.status !== 200 || spanOf(fault) < 3) &&
    // Before 0.96 one that never begins looks like one that a failed start left behind, and is ended.
    (drawn.faults.length === 0 || drawn.pipeline !== 'stuck') &&
    // A run whose answer got lost is looked up by its name, and known by its time where the name is anybody's.
    (drawn.faults.length === 0 || keepsNames(drawn)) &&
    (drawn.faults.length === 0 || drawn.runName === undefined || areRight(drawn.clocks)) &&
    drawn.faults.reduce((sum, fault) => sum + spanOf(fault), 0) <= 4
  )
}

/** Whether a run has the name that was sent, whatever the pipeline's name is. */
function keepsNames({ naming, pipeline }: Case): boolean {
  return naming === 'as sent' && pipeline !== 'placeholders'
}

function drawPipeline(random: Random, part: Part): PipelineName {
  return random.weighted<PipelineName>([
    [35, 'quick'],
    [10, isThroughDist(part) ? 'quick' : 'minutes'],
    // Whose step has nothing that could vary.
    [isSweep(part) ? 0 : 4, 'cached'],
    [12, 'failing'],
    [10, 'branches'],
    [8, 'slow-start'],
    [4, 'fails-early'],
    [3, 'refused'],
    [4, 'placeholders'],
    [4, 'accents'],
    [7, 'stuck'],
    [7, 'dies'],
  ])
}

function drawTarget(random: Random, version: ZenmlVersion): Case['target'] {
  const target = random.pick(['template', 'template-id', 'snapshot', 'pipeline'] as const)
  return target === 'snapshot' && version !== '0.98.0' ? 'template' : target
}

function drawMode(random: Random): StopMode {
  return random.weighted<StopMode>([
    [70, 'stop'],
    [15, 'stop-gracefully'],
    [15, 'keep-running'],
  ])
}

/** Without a timeout nothing is handed over. */
function drawTimeoutMode(random: Random, mayHandOver: boolean): Case['onTimeout'] {
  const isHandedOver = random.chance(0.25)
  const mode = drawMode(random)
  return isHandedOver && mayHandOver ? 'hand-over' : mode
}

function drawTimeout(random: Random, part: Part): number {
  return random.int(1, isThroughDist(part) ? 60 : 900) * 1000
}

function drawTriggerTimeout(random: Random, part: Part): number {
  if (isThroughDist(part)) return random.chance(0.6) ? 1_800_000 : random.int(1, 60) * 1000
  return random.chance(0.7) ? 1_800_000 : random.int(1, 300) * 1000
}

function drawSweep(random: Random, part: Part): Sweep | undefined {
  if (!isSweep(part)) return undefined
  const cells = random.int(1, 16)
  const drawn = random.pick([1, 2, 4, 16])
  const maxParallel = isThroughDist(part) ? Math.max(drawn, Math.ceil(cells / MOST_ROUNDS)) : drawn
  return { cells, maxParallel, failFast: random.chance(0.15) }
}

function drawFaults(random: Random, version: ZenmlVersion): DrawnFault[] {
  const count = random.weighted([
    [10, 0],
    [30, 1],
    [25, 2],
    [20, 3],
    [10, 4],
    [5, 6],
  ])
  return Array.from({ length: count }, () => drawFault(random, version))
}

function drawInterruptions(random: Random): Interruption[] {
  const kind = random.weighted<Interruption['kind'] | 'none'>([
    [24, 'none'],
    [48, 'cancel'],
    [12, 'kill'],
    [8, 'restart'],
    [4, 'expire-tokens'],
    [2, 'vanish'],
    [2, 'unknown-state'],
  ])
  const at = drawBoundary(random)
  switch (kind) {
    case 'none':
      return []
    case 'cancel':
      return random.chance(0.2)
        ? [
            { kind, at },
            { kind: 'kill', at: { ...drawBoundary(random), route: 'stop' } },
          ]
        : [{ kind, at }]
    case 'restart':
      return [{ kind, at, downSeconds: random.pick(OUTAGES_SECONDS), stuckKeys: random.chance(0.7) }]
    case 'kill':
    case 'expire-tokens':
    case 'vanish':
    case 'unknown-state':
      return [{ kind, at }]
  }
}

function drawBoundary(random: Random): Boundary {
  const moment = random.pick(MOMENTS)
  return random.weighted<Boundary>([
    [
      45,
      {
        route: 'trigger',
        nth: random.weighted([
          [70, 1],
          [20, 2],
          [10, 3],
        ]),
        moment,
      },
    ],
    [25, { route: 'any', nth: random.int(1, 10), moment }],
    [25, { route: 'any', nth: random.int(8, 30), moment }],
    [5, { route: 'stop', nth: random.int(1, 3), moment }],
  ])
}
