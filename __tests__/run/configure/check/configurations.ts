import type { JsonObject, JsonValue } from '../../../../src/base/json.ts'

/** One run configuration that a person may write, for one of the pipelines that the real servers have. */
export interface WrittenConfiguration {
  /** Unique; the record of the real servers' answers is kept under it. */
  readonly title: string
  readonly pipeline: 'training' | 'typed' | 'dynamic'
  readonly body: JsonObject
}

/** Values of the parameters of a step that has one of every usual type, each in a run of its own. */
const VALUES: Readonly<Record<string, readonly JsonValue[]>> = {
  epochs: [5, '5', ' 5 ', '5.0', '1_000', '0x10', 5.5, '5.5', 'five', '', true, null, [5], 1e300],
  rate: [1, '0.25', '1e-3', 'inf', '1_000.5', '0x10', '', 'fast', true, null, [0.1]],
  shuffle: [false, 'no', 'OFF', 't', ' yes ', 1, 0, 2, 'maybe', '', null],
  name: ['large', '', 5, true, null, ['a']],
  layers: [[1], [], [1, '2'], [1.5], [null], '1,2', { '0': 1 }, 5, null],
  options: [{ b: 2 }, {}, { a: null }, 'x', [1], [['a', 1]], null],
  mode: ['slow', 'Slow', 'other', null, 1],
  optimizer: ['adam', 'ADAM', 'other', null, 1],
  schedule: [
    { warmup: 5 },
    { warmup: '5' },
    { warmup: 'x' },
    { warmup: 5.5 },
    { warmup: null },
    { warmups: 5 },
    {},
    'x',
    [],
    null,
  ],
  seed: [1, '1', 'x', 1.5, true, null],
  threshold: ['five', '5', 5.5, true, null, [1]],
}

const DYNAMIC_VALUES: Readonly<Record<string, readonly JsonValue[]>> = {
  rounds: [1, '1', 'x', 1.5, null],
  seconds: ['0.1', 'x'],
  round: [1],
}

const SHAPES: Readonly<Record<string, JsonObject>> = {
  nothing: {},
  'an unknown parameter': typedStep({ parameters: { epochss: 5 } }),
  'two unknown parameters': typedStep({ parameters: { epochss: 5, rates: 1 } }),
  'an unknown step': { steps: { typed_stp: { parameters: { epochs: 5 } } } },
  'an unknown step without parameters': { steps: { typed_stp: {} } },
  'an unknown key of a step': typedStep({ parameter: { epochs: 5 } }),
  'an unknown top-level key': { step: { typed_step: { parameters: { epochs: 5 } } } },
  'pipeline parameters on a static pipeline': { parameters: { epochs: 5 } },
  'empty pipeline parameters on a static pipeline': { parameters: {} },
  'null pipeline parameters on a static pipeline': { parameters: null },
  'a schedule': { schedule: { cron_expression: '0 3 * * *' } },
  'a schedule that is null': { schedule: null },
  'a build by id': { build: '00000000-0000-4000-8000-000000000000' },
  'a build that is no id': { build: 'newest' },
  'steps that are null': { steps: null },
  'steps that are a list': { steps: ['typed_step'] },
  'steps that are empty': { steps: {} },
  'a step that is null': { steps: { typed_step: null } },
  'a step that is a text': { steps: { typed_step: 'x' } },
  'a step that is empty': { steps: { typed_step: {} } },
  'parameters that are null': typedStep({ parameters: null }),
  'parameters that are a list': typedStep({ parameters: [{ epochs: 5 }] }),
  'enable_cache true': { enable_cache: true },
  'enable_cache as a word': { enable_cache: 'yes' },
  'enable_cache that is none': { enable_cache: 'maybe' },
  "a step's enable_cache that is none": typedStep({ enable_cache: 'maybe' }),
  'tags as a list': { tags: ['a', 'b'] },
  'tags as a text': { tags: 'a' },
  'tags with a number': { tags: [1] },
  'a tag as a mapping': { tags: [{ name: 'a', color: 'red' }] },
  'extra as a mapping': { extra: { a: 1 } },
  'extra as a text': { extra: 'x' },
  'settings of resources': { settings: { resources: { cpu_count: 1 } } },
  'settings of resources that are no number': { settings: { resources: { cpu_count: 'many' } } },
  'settings of resources that do not exist': { settings: { resources: { cpus: 1 } } },
  'settings of docker': { settings: { docker: { requirements: ['torch'] } } },
  'settings that nobody knows': { settings: { unheard: { a: 1 } } },
  'settings of the orchestrator': { settings: { orchestrator: {} } },
  "a step's settings of resources": typedStep({ settings: { resources: { memory: '1GB' } } }),
  "a step's settings of resources without a unit": typedStep({ settings: { resources: { memory: '1' } } }),
  'a model': { model: { name: 'm' } },
  'a model without a name': { model: { version: 'v1' } },
  retry: { retry: { max_retries: 1 } },
  'retry that is no number': { retry: { max_retries: 'x' } },
  'a retry key that does not exist': { retry: { retries: 1 } },
  environment: { environment: { A: 'b' } },
  'environment with a number': { environment: { A: 1 } },
  'secrets that do not exist': { secrets: ['nope'] },
  'execution_mode stop_on_failure': { execution_mode: 'stop_on_failure' },
  'execution_mode that does not exist': { execution_mode: 'stop' },
  substitutions: { substitutions: { a: 'b' } },
  'substitutions with a number': { substitutions: { a: 1 } },
  'step logs off': { enable_step_logs: false },
  'a hook that does not exist': { failure_hook_source: 'nowhere.to_be_found' },
  "a step's operator that does not exist": typedStep({ step_operator: 'nope' }),
  'a cache policy by name': { cache_policy: 'default' },
  'a cache policy as a mapping': { cache_policy: { include_step_code: false } },
}

const TRAINING: Readonly<Record<string, JsonObject>> = {
  'a value for another step than the first': {
    steps: { train: { parameters: { accuracy: 0.5, seconds: 0 } } },
  },
  'an input of a step as its parameter': { steps: { train: { parameters: { rows: 5 } } } },
  'a parameter of a step that has none': { steps: { report: { parameters: { rows: 5 } } } },
}

const DYNAMIC: Readonly<Record<string, JsonObject>> = {
  'no parameters': {},
  'parameters that are null': { parameters: null },
  'a step that is not listed': { steps: { train: { parameters: { accuracy: 0.5 } } } },
  'a step that never is': { steps: { trian: { parameters: { accuracy: 0.5 } } } },
}

function typedStep(step: JsonObject): JsonObject {
  return { steps: { typed_step: step } }
}

/** The table: what people write, from the right to the absurd. */
export const configurations: readonly WrittenConfiguration[] = [
  ...Object.entries(VALUES).flatMap(([name, values]) =>
    values.map((value) => row('typed', named(name, value), typedStep({ parameters: { [name]: value } }))),
  ),
  ...Object.entries(DYNAMIC_VALUES).flatMap(([name, values]) =>
    values.map((value) => row('dynamic', named(name, value), { parameters: { [name]: value } })),
  ),
  ...Object.entries(SHAPES).map(([title, body]) => row('typed', title, body)),
  ...Object.entries(TRAINING).map(([title, body]) => row('training', title, body)),
  ...Object.entries(DYNAMIC).map(([title, body]) => row('dynamic', title, body)),
]

function named(name: string, value: JsonValue): string {
  return `${name}: ${JSON.stringify(value)}`
}

function row(
  pipeline: WrittenConfiguration['pipeline'],
  what: string,
  body: JsonObject,
): WrittenConfiguration {
  return { title: `${pipeline}, ${what}`, pipeline, body }
}
