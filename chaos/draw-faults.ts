import type { Fault, FaultAction, Occurrence, RouteName, ZenmlVersion } from '../simulator/index.ts'
import type { Random } from './random.ts'

/** A fault, and whether a step should come to its result in spite of it. */
export interface DrawnFault extends Fault {
  readonly occurrence: Occurrence
  /** False for what may rightly end a step: a definite no, an answer that makes no sense. */
  readonly passing: boolean
}

interface Kind {
  readonly weight: number
  readonly passing: boolean
  readonly make: (random: Random) => FaultAction
}

function kind(weight: number, passing: boolean, make: Kind['make']): Kind {
  return { weight, passing, make }
}

const JSON_REFUSAL = (exception: string, message: string): string =>
  JSON.stringify({ detail: [exception, message] })

/** Faults that any request can meet. `work: true` is never put on an answer that says that nothing was done. */
const ANYWHERE: readonly Kind[] = [
  kind(6, true, (random) => ({
    kind: 'answer',
    status: random.pick([500, 502, 503, 504]),
    body: 'Internal Server Error',
    contentType: 'text/plain',
    work: random.chance(0.5),
  })),
  kind(2, true, (random) => ({
    kind: 'answer',
    status: 503,
    body: '',
    headers: { 'retry-after': String(random.int(1, 60)) },
    work: random.chance(0.3),
  })),
  kind(1, true, (random) => ({ kind: 'answer', status: 408, body: '', work: random.chance(0.5) })),
  kind(3, true, (random) => ({
    kind: 'answer',
    status: 429,
    body: '{"error":"Too many requests."}',
    headers: random.chance(0.5) ? { 'retry-after': String(random.int(1, 90)) } : {},
  })),
  kind(4, true, (random) => ({
    kind: 'html',
    status: random.pick([200, 502, 503, 504]),
    work: random.chance(0.5),
  })),
  kind(4, true, (random) => ({ kind: 'cut', work: random.chance(0.7) })),
  kind(4, true, () => ({ kind: 'reset', when: 'before-work' })),
  kind(6, true, () => ({ kind: 'reset', when: 'after-work' })),
  kind(3, true, () => ({ kind: 'refuse' })),
  kind(4, true, (random) => ({ kind: 'delay', seconds: random.int(1, 100) })),
  kind(3, true, (random) => ({ kind: 'hang', work: random.chance(0.5) })),
  kind(2, true, () => ({ kind: 'slow-body', bytes: 200, pauseMs: 2 })),
  kind(2, false, () => ({
    kind: 'answer',
    status: 401,
    body: JSON_REFUSAL('CredentialsNotValid', 'Authentication error: token expired'),
  })),
  kind(1, false, () => ({
    kind: 'answer',
    status: 403,
    body: JSON_REFUSAL('IllegalOperationError', "Insufficient permissions to READ resource 'pipeline_run'."),
  })),
  kind(1, false, () => ({ kind: 'html', status: 404 })),
  kind(1, false, () => ({ kind: 'redirect', location: 'https://login.example.com/' })),
  kind(2, false, (random) => ({
    kind: 'answer',
    status: 200,
    body: random.pick(['{}', 'null', '[]', '"ok"', '{"id": 7}', '']),
    work: random.chance(0.5),
  })),
]

const ON_TRIGGER: readonly Kind[] = [
  // Not the last seconds of those in which a run of unknown outcome is looked for: ZenML starts it a little later.
  kind(12, true, (random) => ({ kind: 'too-busy', seconds: random.int(1, 85) })),
  kind(6, true, () => ({ kind: 'too-busy-forever' })),
  kind(10, true, () => ({ kind: 'no-slot' })),
  kind(2, false, () => ({
    kind: 'answer',
    status: 409,
    body: JSON_REFUSAL('EntityExistsError', 'A pipeline run with this name already exists.'),
  })),
  kind(1, false, () => ({
    kind: 'answer',
    status: 402,
    body: JSON_REFUSAL('SubscriptionUpgradeRequiredError', 'The limit of the subscription is reached.'),
  })),
]

/** The server has made the run, and something that is not ZenML answers in its place, or about another run. */
const AFTER_START: readonly Kind[] = [
  kind(4, false, () => ({ kind: 'html', status: 403, work: true })),
  kind(2, false, () => ({ kind: 'html', status: 404, work: true })),
  kind(2, false, () => ({
    kind: 'answer',
    status: 413,
    body: '<html><head><title>413 Request Entity Too Large</title></head></html>',
    contentType: 'text/html',
    work: true,
  })),
  kind(3, false, () => ({ kind: 'answer', status: 400, body: '{"detail": "bad request"}', work: true })),
  kind(5, false, (random) => ({ kind: 'about-another', what: random.pick(['run', 'name'] as const) })),
]

/** A confused cache. It passes; what is asked for again is asked in another way or at another time. */
const ON_RUN: readonly Kind[] = [kind(14, true, () => ({ kind: 'about-another', what: 'run' }))]

const ON_STOP: readonly Kind[] = [
  kind(4, false, () => ({
    kind: 'answer',
    status: 403,
    body: JSON_REFUSAL(
      'IllegalOperationError',
      'Cannot stop a pipeline run that has no orchestrator run id yet.',
    ),
  })),
  kind(3, false, () => ({
    kind: 'answer',
    status: 400,
    body: JSON_REFUSAL('ValueError', 'The stack is not accessible or has been deleted.'),
  })),
  kind(3, false, (random) => ({
    kind: 'answer',
    status: random.pick([500, 501]),
    body: JSON_REFUSAL('NotImplementedError', 'Stopping is not implemented for this orchestrator.'),
    work: random.chance(0.5),
  })),
]

const ROUTES: readonly (readonly [number, RouteName | 'any'])[] = [
  [40, 'trigger'],
  [12, 'runs'],
  [12, 'run'],
  [6, 'stop'],
  [5, 'login'],
  [3, 'info'],
  [3, 'user'],
  [4, 'templates'],
  [3, 'template'],
  [3, 'snapshots'],
  [2, 'snapshot'],
  [2, 'project'],
  [5, 'dag'],
  [4, 'steps'],
  [4, 'update'],
  [2, 'refresh'],
  [8, 'any'],
]

/** Draws one fault that a server of this version can show. */
export function drawFault(random: Random, version: ZenmlVersion): DrawnFault {
  const on = random.weighted(ROUTES)
  const kinds = kindsOn(on, version)
  const { make, passing } = random.weighted(kinds.map((each) => [each.weight, each]))
  const occurrence = drawOccurrence(random)
  return { on, occurrence, passing, do: make(random) }
}

function kindsOn(on: RouteName | 'any', version: ZenmlVersion): readonly Kind[] {
  if (on === 'stop') return [...ANYWHERE, ...ON_STOP]
  // 0.74 takes no notice of the key, and has no slots: none of these answers is its own.
  if (on === 'run') return [...ANYWHERE, ...ON_RUN]
  if (on === 'trigger' && version === '0.74.0') return [...ANYWHERE, ...AFTER_START]
  if (on === 'trigger') return [...ANYWHERE, ...ON_TRIGGER, ...AFTER_START]
  return ANYWHERE
}

function drawOccurrence(random: Random): Occurrence {
  if (random.chance(0.03)) return 'always'
  const from = random.weighted([
    [50, 1],
    [25, 2],
    [15, 3],
    [10, random.int(4, 12)],
  ])
  return random.chance(0.7) ? from : { from, to: from + random.int(1, 5) }
}

/** How many requests a fault can spoil. */
export function spanOf({ occurrence }: DrawnFault): number {
  if (occurrence === 'always') return Number.POSITIVE_INFINITY
  return typeof occurrence === 'number' ? 1 : occurrence.to - occurrence.from + 1
}
