/** The routes a fault can be put on; 'any' is every request. */
export const FAULT_ROUTES = [
  'login',
  'info',
  'user',
  'projects',
  'project',
  'pipelines',
  'templates',
  'template',
  'snapshots',
  'snapshot',
  'trigger',
  'runs',
  'run',
  'status',
  'dag',
  'steps',
  'step',
  'logs',
  'stop',
  'update',
  'refresh',
  'metadata',
  'artifacts',
  'artifact',
  'visualization',
  'wait-conditions',
  'wait-condition',
  'answer',
  'models',
  'model',
  'model-versions',
  'model-version',
  'model-links',
  'stage',
] as const
export type RouteName = (typeof FAULT_ROUTES)[number]

/** 1-based, counted per fault among the requests it is about. */
export type Occurrence = number | 'always' | { readonly from: number; readonly to: number }

export interface Fault {
  readonly on: RouteName | 'any'
  /** Default 1: the first. */
  readonly occurrence?: Occurrence
  readonly do: FaultAction
}

/** Where a server may fail once it has made the run, and before it hands it over. */
export type FailurePoint = 'control-plane' | 'tags'

export type FaultAction =
  /** Any answer at all; with `work` the server does what was asked first, or fails at it. */
  | {
      readonly kind: 'answer'
      readonly status: number
      readonly body?: string
      readonly headers?: Readonly<Record<string, string>>
      readonly contentType?: string
      readonly work?: boolean
      readonly failsAt?: FailurePoint
    }
  /** 429 "Server too busy" at once; the work is done, or fails, `seconds` (default 5) later, the same key joins it. */
  | { readonly kind: 'too-busy'; readonly seconds?: number; readonly failsAt?: FailurePoint }
  /** 429 "Server too busy" for this key for ever, as after a server died in mid-work; nothing was started. */
  | { readonly kind: 'too-busy-forever' }
  /** 429 "Maximum number of concurrent…"; from 0.85 on the run is created and deleted again a moment later. */
  | { readonly kind: 'no-slot' }
  /** The control plane fails after the run was made and before it is handed over: 500, and it initializes for ever. */
  | { readonly kind: 'not-dispatched' }
  /** A tag is gone when it is to be attached, after the run was made: 404, and the run initializes for ever. */
  | { readonly kind: 'not-tagged' }
  | { readonly kind: 'html'; readonly status?: number; readonly work?: boolean }
  /** The body ends in its middle and the connection closes; `work` (default true): what was asked is done. */
  | { readonly kind: 'cut'; readonly work?: boolean }
  | { readonly kind: 'reset'; readonly when: 'before-work' | 'after-work' }
  /** The socket is destroyed as soon as the request's head is seen. */
  | { readonly kind: 'refuse' }
  /** The answer comes so many seconds of the simulator's clock later; the work is done first. */
  | { readonly kind: 'delay'; readonly seconds: number }
  /** Never answered; `work` (default false): but done. */
  | { readonly kind: 'hang'; readonly work?: boolean }
  /** 200 and a JSON string that never ends (up to `megabytes`, default 4096). */
  | { readonly kind: 'endless-body'; readonly megabytes?: number }
  /** The real answer, `bytes` (default 1) at a time with `pauseMs` (default 100, real time) between. */
  | { readonly kind: 'slow-body'; readonly bytes?: number; readonly pauseMs?: number }
  /**
   * What was asked is done, and the answer is about something else, as of a confused cache: all of it about the oldest
   * run there is, or only its name is another one. On routes that answer with one run.
   */
  | { readonly kind: 'about-another'; readonly what: 'run' | 'name' }
  | { readonly kind: 'redirect'; readonly location: string; readonly status?: number }

/** The faults of one simulator, with how often each has been met. */
export class FaultPlan {
  readonly #faults: { readonly fault: Fault; seen: number }[] = []

  add(fault: Fault): void {
    this.#faults.push({ fault, seen: 0 })
  }

  /** Counts one request on `route` and gives what is to be done to it: the first fault whose turn it is. */
  next(route: RouteName | undefined): FaultAction | undefined {
    let action: FaultAction | undefined
    for (const entry of this.#faults) {
      if (entry.fault.on !== 'any' && entry.fault.on !== route) continue
      entry.seen += 1
      if (action === undefined && isDue(entry.fault.occurrence ?? 1, entry.seen)) action = entry.fault.do
    }
    return action
  }
}

function isDue(occurrence: Occurrence, seen: number): boolean {
  if (occurrence === 'always') return true
  if (typeof occurrence === 'number') return seen === occurrence
  return seen >= occurrence.from && seen <= occurrence.to
}
