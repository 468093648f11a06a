import type { PipelineSpec, StepFailure, StepSpec } from '../simulator/index.ts'

const failure: StepFailure = { type: 'ValueError', message: 'no rows', traceback: '', userCodeLine: 3 }

function step(name: string, seconds: number, more: Partial<StepSpec> = {}): StepSpec {
  // Every cell of a sweep has a value of its own.
  return { name, seconds, parameters: { seed: { default: 0, jsonSchema: { type: 'integer' } } }, ...more }
}

/** A pipeline, and whether a run of it ever ends by itself. */
export interface ChaosPipeline {
  readonly spec: PipelineSpec
  readonly ends: boolean
}

/** Everything that a run can come to, each in a pipeline of its own. */
export const chaosPipelines = {
  quick: {
    ends: true,
    spec: { name: 'quick', sequential: true, steps: [step('load', 1), step('train', 4), step('report', 1)] },
  },
  minutes: {
    ends: true,
    spec: { name: 'minutes', sequential: true, steps: [step('load', 30), step('train', 240)] },
  },
  cached: {
    ends: true,
    spec: { name: 'cached', steps: [step('load', 5, { cached: true, parameters: {} })] },
  },
  failing: {
    ends: true,
    spec: {
      name: 'failing',
      sequential: true,
      steps: [step('load', 1), step('train', 3, { fails: failure, upstream: ['load'] })],
    },
  },
  branches: {
    ends: true,
    spec: {
      name: 'branches',
      steps: [step('short', 2, { fails: failure }), step('long', 90), step('longer', 150)],
    },
  },
  'slow-start': {
    ends: true,
    spec: { name: 'slow-start', startupSeconds: 90, steps: [step('train', 5)] },
  },
  'fails-early': {
    ends: true,
    spec: { name: 'fails-early', failsBeforeSteps: { reason: null }, steps: [step('train', 5)] },
  },
  refused: {
    ends: true,
    spec: {
      name: 'refused',
      steps: [step('train', 5)],
      refusesToStart: {
        status: 400,
        exception: 'ValueError',
        message: 'The stack default has been updated since it was used for the snapshot.',
      },
    },
  },
  /** ZenML fills in what looks like a placeholder, also where it came from a pipeline's name. */
  placeholders: {
    ends: true,
    spec: { name: 'train_{time}_{date}', steps: [step('train', 5)] },
  },
  accents: {
    ends: true,
    spec: { name: 'entra\u00eenement', steps: [step('train', 5)] },
  },
  stuck: {
    ends: false,
    spec: { name: 'stuck', neverMoves: true, steps: [step('train', 5)] },
  },
  dies: {
    ends: false,
    spec: { name: 'dies', diesAfter: 4, steps: [step('train', 60)] },
  },
} as const satisfies Readonly<Record<string, ChaosPipeline>>

export type PipelineName = keyof typeof chaosPipelines

/** All of them, as a server is seeded with. */
export const chaosSpecs: readonly PipelineSpec[] = Object.values(chaosPipelines).map(({ spec }) => spec)
