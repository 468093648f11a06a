import type { JsonObject } from './json.ts'
import type {
  ParameterSpec,
  Parameters,
  PipelineSpec,
  StepEffect,
  StepFailure,
  StepSpec,
  ZenmlVersion,
} from './types.ts'

const rows: ParameterSpec = { default: 10, jsonSchema: { type: 'integer' } }
const seconds: ParameterSpec = { default: 1, jsonSchema: { type: 'number' } }
const accuracy: ParameterSpec = { default: 0.9, jsonSchema: { type: 'number' } }
const fail: ParameterSpec = { default: '', jsonSchema: { type: 'string' } }

/** Seconds of the steps that do next to nothing. */
const SHORT = 0.2

const load: StepSpec = {
  name: 'load',
  seconds: SHORT,
  parameters: { rows },
  outputs: { rows: 'builtins.int' },
  effect: (parameters) => ({ log: [`loading ${show(parameters['rows'])} rows`] }),
}

function train(name: string, upstream: string): StepSpec {
  return {
    name,
    function: 'train',
    seconds: 1,
    upstream: [upstream],
    parameters: { seconds, accuracy, fail },
    outputs: { accuracy: 'builtins.float' },
    effect: trainEffect,
  }
}

/** Takes `seconds`, logs `accuracy` and `loss` as metadata, raises RuntimeError(`fail`) if given. */
function trainEffect(parameters: JsonObject): StepEffect {
  const taken = Number(parameters['seconds'])
  const reached = Number(parameters['accuracy'])
  const message = typeof parameters['fail'] === 'string' ? parameters['fail'] : ''
  const log: string[] = []
  for (let left = taken; left > 0; left -= 0.5) log.push(`training, ${left.toFixed(1)} s left`)
  if (message === '') {
    return { seconds: taken, log, metadata: { accuracy: reached, loss: Number((1 - reached).toFixed(6)) } }
  }
  const traceback =
    '  File "/srv/pipelines/e2e_pipelines.py", line 42, in train\n    raise RuntimeError(fail)\n'
  return { seconds: taken, log, fails: { type: 'RuntimeError', message, traceback, userCodeLine: 13 } }
}

function report(name: string, upstream: string): StepSpec {
  return {
    name,
    function: 'report',
    seconds: SHORT,
    upstream: [upstream],
    effect: () => ({ log: ['accuracy'] }),
  }
}

function show(value: JsonObject[string] | undefined): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null)
}

/** load → train → report. */
export const training: PipelineSpec = {
  name: 'training',
  sequential: true,
  steps: [load, train('train', 'load'), report('report', 'train')],
}

/** A picture of one green point. */
const POINT =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfz0AEYBxVSF+FAAhKDveksOjmAAAAAElFTkSuQmCC'

/** What a person wants to look at: a report, a table, a page, a picture. */
const evaluate: StepSpec = {
  name: 'evaluate',
  seconds: SHORT,
  upstream: ['train'],
  metadata: { f1: 0.88, confusion: { right: 90, wrong: 10 } },
  outputs: {
    report: 'zenml.MarkdownString',
    confusion: 'zenml.CSVString',
    page: 'zenml.HTMLString',
    plot: 'e2e_pipelines.Plot',
  },
  visualizations: {
    report: [
      {
        type: 'markdown',
        value: '## Evaluation\n\n| metric | value |\n| --- | ---: |\n| accuracy | 0.9 |\n',
      },
    ],
    confusion: [{ type: 'csv', value: 'actual,cat,dog\ncat,90,10\ndog,10,90\n' }],
    page: [
      {
        type: 'html',
        value: '<style>p { color: teal }</style><h1>Evaluation</h1><p>accuracy 0.9</p>',
      },
    ],
    plot: [{ type: 'image', value: POINT }],
  },
}

/** load → train → evaluate, whose outputs can be looked at. */
export const evaluation: PipelineSpec = {
  name: 'evaluation',
  sequential: true,
  steps: [load, train('train', 'load'), evaluate],
}

const branches = Array.from({ length: 10 }, (_, i) => String(i))

/** Ten branches, one step at a time: a failed one does not end the others. */
export const wide: PipelineSpec = {
  name: 'wide',
  sequential: true,
  steps: [
    load,
    ...branches.flatMap((i) => [train(`train_${i}`, 'load'), report(`report_${i}`, `train_${i}`)]),
  ],
}

const typedParameters: Parameters = {
  epochs: { default: 3, jsonSchema: { type: 'integer' } },
  rate: { default: 0.1, jsonSchema: { type: 'number' } },
  shuffle: { default: true, jsonSchema: { type: 'boolean' } },
  name: { default: 'base', jsonSchema: { type: 'string' } },
  layers: { default: [64, 32], jsonSchema: { items: { type: 'integer' }, type: 'array' } },
  options: { default: { a: 1 }, jsonSchema: { additionalProperties: true, type: 'object' } },
  mode: { default: 'fast', jsonSchema: { enum: ['fast', 'slow'], type: 'string' } },
  optimizer: { default: 'sgd', jsonSchema: { $ref: '#/$defs/Optimizer' } },
  schedule: { default: { warmup: 10, decay: 0.1 }, jsonSchema: { $ref: '#/$defs/Schedule' } },
  seed: { default: null, jsonSchema: { anyOf: [{ type: 'integer' }, { type: 'null' }] } },
  threshold: { default: 5, jsonSchema: { anyOf: [{ type: 'integer' }, { type: 'string' }] } },
}

/** One step with one parameter of every usual type. */
export const typed: PipelineSpec = {
  name: 'typed',
  sequential: true,
  steps: [{ name: 'typed_step', seconds: SHORT, parameters: typedParameters, log: ['typed'] }],
  commit: '3f1c9a7b5d2e8f60a4b1c7d9e2f5a8b0c3d6e9f1',
  definitions: {
    Optimizer: { enum: ['sgd', 'adam'], title: 'Optimizer', type: 'string' },
    Schedule: {
      properties: {
        warmup: { default: 10, title: 'Warmup', type: 'integer' },
        decay: { default: 0.1, title: 'Decay', type: 'number' },
      },
      title: 'Schedule',
      type: 'object',
    },
  },
}

/** A step of a dynamic pipeline that takes as long as the pipeline's own parameter says. */
function during(name: string, seconds: JsonObject[string]): StepSpec {
  const step = train(name, 'load')
  const spec = { default: seconds, jsonSchema: { type: 'number' } }
  return { ...step, parameters: { ...step.parameters, seconds: spec } }
}

/** Decides its steps while it runs: load, then `rounds` times train. */
export const dynamic: PipelineSpec = {
  name: 'dynamic',
  sequential: true,
  steps: [],
  dynamic: {
    parameters: {
      rounds: { default: 2, jsonSchema: { type: 'integer' } },
      seconds: { default: 0.5, jsonSchema: { type: 'number' } },
    },
    expand: (parameters) => {
      const rounds = Array.from({ length: Number(parameters['rounds'] ?? 0) }, (_, i) => i)
      const seconds = parameters['seconds'] ?? 0.5
      return [load, ...rounds.map((i) => during(i === 0 ? 'train' : `train_${String(i + 1)}`, seconds))]
    },
  },
}

/** Asks a person after its first step: `true` goes on, `false` ends it. */
export const approval: PipelineSpec = {
  name: 'approval',
  sequential: true,
  steps: [],
  dynamic: {
    parameters: { patience: { default: 600, jsonSchema: { type: 'integer' } } },
    expand: () => [load, { ...report('report', 'load'), upstream: [] }],
  },
  wait: {
    name: 'deploy',
    question: 'Deploy this model?',
    patience: (parameters) => Number(parameters['patience']),
  },
}

/** Called by the two below. */
const child: PipelineSpec = {
  name: 'child',
  sequential: true,
  steps: [],
  startupSeconds: 1,
  dynamic: {
    parameters: { seconds: { default: 6, jsonSchema: { type: 'number' } } },
    expand: ({ seconds = 6 }) => [load, during('train', seconds), report('report', 'train')],
  },
}

/** Calls `child` after a step that takes `before` seconds. */
export const parent: PipelineSpec = {
  name: 'parent',
  sequential: true,
  steps: [],
  dynamic: {
    parameters: {
      seconds: { default: 6, jsonSchema: { type: 'number' } },
      before: { default: 0, jsonSchema: { type: 'number' } },
    },
    expand: ({ before = 0 }) => (before === 0 ? [load] : [load, during('train', before)]),
  },
  child,
}

/** Asks a person while `child` runs. */
export const askingParent: PipelineSpec = {
  name: 'asking_parent',
  sequential: true,
  steps: [],
  dynamic: {
    parameters: { seconds: { default: 6, jsonSchema: { type: 'number' } } },
    expand: () => [load],
  },
  wait: { name: 'deploy', question: 'Deploy this model?', patience: 600 },
  child,
}

/** Fails `good` times, at most three, before it succeeds; each attempt logs what it is. */
const unsteady: StepSpec = {
  name: 'unsteady',
  seconds: SHORT,
  retries: 2,
  parameters: { good: { default: 1, jsonSchema: { type: 'integer' } } },
  outputs: { value: 'builtins.int' },
  effect: (parameters) => {
    const good = Number(parameters['good'])
    const attempts = Array.from({ length: Math.min(good, 2) + 1 }, (_, n) => unsteadyAttempt(n, n < good))
    const { fails, ...last } = attempts.at(-1) ?? {}
    const retried = attempts
      .slice(0, -1)
      .flatMap((each) => (each.fails ? [{ ...each, fails: each.fails }] : []))
    return { ...last, ...(fails ? { fails } : {}), retried }
  },
}

function unsteadyAttempt(n: number, fails: boolean): StepEffect {
  const metadata = { attempt: n, [`only_${String(n)}`]: n, score: Number((0.5 + n / 10).toFixed(6)) }
  const traceback = `  File "/srv/pipelines/e2e_pipelines.py", line 60, in unsteady\n    raise RuntimeError(f"attempt {n}")\n`
  const failure = { type: 'RuntimeError', message: `attempt ${String(n)}`, traceback, userCodeLine: 5 }
  return { metadata, ...(fails ? { fails: failure } : {}) }
}

/** A step that is tried again, and one after it. */
export const flaky: PipelineSpec = {
  name: 'flaky',
  sequential: true,
  steps: [unsteady, { name: 'after', seconds: SHORT, upstream: ['unsteady'], metadata: { seen: 1 } }],
}

/** load → train → deliver, which fails while a file is missing that nobody makes here. */
export const delivery: PipelineSpec = {
  name: 'delivery',
  sequential: true,
  steps: [
    load,
    train('train', 'load'),
    {
      name: 'deliver',
      seconds: SHORT,
      upstream: ['train'],
      parameters: { fail },
      effect: ({ fail: file }) => (file === '' ? {} : { fails: missingFile(show(file)) }),
    },
  ],
}

function missingFile(file: string): StepFailure {
  const traceback =
    '  File "/srv/pipelines/e2e_pipelines.py", line 77, in deliver\n    raise RuntimeError(f"no file {fail}")\n'
  return { type: 'RuntimeError', message: `no file ${file}`, traceback, userCodeLine: 4 }
}

/** The pipelines of the servers whose answers were recorded. */
export function seededPipelines(version: ZenmlVersion): readonly PipelineSpec[] {
  return version === '0.98.0'
    ? [training, wide, typed, evaluation, dynamic, approval, parent, askingParent]
    : [training, wide, typed, evaluation]
}
