import { training } from '../../simulator/pipelines.ts'
import { branches, cachedChurn, churn, failingChurn, repairedChurn } from './pipelines.ts'
import type { Layer } from '../../src/run/configure/layers.ts'
import type { JsonObject } from '../../src/base/json.ts'
import type { Cell } from '../../src/run/sweep/cell.ts'
import { namedRequester, stepNamePrefix } from '../../src/run/start/run-name.ts'
import { BASE_REQUEST } from '../run/scene.ts'
import type { Story } from './play.ts'

function layer(parameters: JsonObject): Layer {
  return { source: 'configuration', value: { steps: { train_model: { parameters } } } }
}

/** Keys as the matrix has them: `step.parameter`. */
function cell(number: number, values: JsonObject): Cell {
  return { number, values, parameters: { source: 'matrix', value: values } }
}

/** Every way in which a step ends that a person has to read differently. */
export const stories: readonly Story[] = [
  {
    name: 'completed',
    pipeline: churn,
    earlierRuns: 3,
    changes: {
      overrides: {
        layers: [layer({ learning_rate: 0.05, epochs: 40 })],
        tags: ['nightly'],
        enableCache: undefined,
      },
      expectations: [{ name: 'train_model.accuracy', operator: '>=', wanted: 0.9 }],
    },
  },
  {
    name: 'expectation-missed',
    pipeline: churn,
    changes: {
      expectations: [
        { name: 'train_model.accuracy', operator: '>=', wanted: 0.95 },
        { name: 'train_model.f1', operator: '>', wanted: 0.9 },
        { name: 'dropped_rows', operator: '<', wanted: 2_000 },
      ],
    },
  },
  { name: 'all-cached', pipeline: cachedChurn },
  { name: 'failed', pipeline: failingChurn, earlierRuns: 0 },
  {
    name: 'replayed',
    pipeline: repairedChurn,
    earlierRuns: 1,
    earlierName: stepNamePrefix(namedRequester(BASE_REQUEST.requester, {}), repairedChurn.name),
    changes: {
      runName: undefined,
      requester: { ...BASE_REQUEST.requester, attempt: 2 },
      resume: 'replay',
      expectations: [{ name: 'train_model.accuracy', operator: '>=', wanted: 0.9 }],
    },
  },
  { name: 'one-branch-failed', pipeline: branches },
  {
    name: 'stopped',
    pipeline: churn,
    meanwhile: {
      atSeconds: 240,
      act: async ({ client, runId }) => {
        await client.stop(runId, { graceful: false })
      },
    },
  },
  { name: 'timed-out', pipeline: churn, earlierRuns: 2, changes: { timeoutMs: 300_000 } },
  {
    name: 'handed-over',
    pipeline: churn,
    earlierRuns: 2,
    changes: {
      timeoutMs: 300_000,
      onTimeout: 'hand-over',
      expectations: [
        { name: 'train_model.accuracy', operator: '>=', wanted: 0.9 },
        { name: 'train_model.loss', operator: '<', wanted: 0.2 },
      ],
    },
  },
  {
    name: 'waited-for-and-handed-over',
    action: 'wait',
    pipeline: churn,
    earlierRuns: 3,
    startedBefore: 240,
    changes: {
      timeoutMs: 180_000,
      onTimeout: 'hand-over',
      expectations: [{ name: 'train_model.accuracy', operator: '>=', wanted: 0.9 }],
    },
  },
  {
    name: 'sweep-with-failures',
    action: 'sweep',
    pipeline: training,
    cells: [
      cell(1, { 'train.accuracy': 0.93 }),
      cell(2, { 'train.accuracy': 0.81 }),
      cell(3, { 'train.accuracy': 0.95, 'train.fail': 'loss is NaN' }),
    ],
    changes: {
      runName: undefined,
      expectations: [{ name: 'train.accuracy', operator: '>=', wanted: 0.9 }],
    },
  },
  {
    name: 'promoted',
    action: 'promote',
    pipeline: { ...churn, model: 'churn' },
    before: (server) => server.addModelVersion('churn', { stage: 'production' }),
    earlierRuns: 1,
  },
  { name: 'cancelled', pipeline: churn, meanwhile: { atSeconds: 200, act: ({ cancel }) => cancel() } },
  {
    name: 'lost-server',
    pipeline: churn,
    meanwhile: { atSeconds: 200, act: ({ server }) => server.close() },
  },
  {
    name: 'paused',
    pipeline: churn,
    changes: { onPaused: 'fail' },
    meanwhile: {
      atSeconds: 170,
      act: ({ server, runId }) => server.pause(runId, 'Deploy this model to production?'),
    },
  },
  {
    name: 'dry-run',
    pipeline: churn,
    changes: {
      dryRun: true,
      overrides: {
        layers: [layer({ learning_rate: 0.05 })],
        tags: ['nightly'],
        enableCache: undefined,
      },
    },
  },
]
