import type { PipelineSpec, StepSpec } from '../../simulator/index.ts'

const load: StepSpec = {
  name: 'load_data',
  seconds: 42,
  parameters: { rows: { default: 250_000, jsonSchema: { type: 'integer' } } },
  outputs: { rows: 'pandas.core.frame.DataFrame' },
  log: ['Reading customers.parquet', '250,000 rows'],
}

const clean: StepSpec = {
  name: 'clean',
  seconds: 95,
  upstream: ['load_data'],
  metadata: { dropped_rows: 1_204 },
}

const train: StepSpec = {
  name: 'train_model',
  seconds: 372,
  upstream: ['clean'],
  parameters: {
    learning_rate: { default: 0.1, jsonSchema: { type: 'number' } },
    epochs: { default: 20, jsonSchema: { type: 'integer' } },
  },
  metadata: { accuracy: 0.9312, loss: 0.0721, classes: ['stays', 'leaves'] },
  outputs: { model: 'sklearn.ensemble.GradientBoostingClassifier' },
}

const evaluate: StepSpec = { name: 'evaluate', seconds: 31, upstream: ['train_model'] }

/** load_data → clean → train_model → evaluate, nine minutes in all. */
export const churn: PipelineSpec = {
  name: 'churn_training',
  startupSeconds: 25,
  commit: '3f1c9a7b5d2e8f60a4b1c7d9e2f5a8b0c3d6e9f1',
  steps: [load, clean, train, evaluate],
}

/** The same, and everything is known already. */
export const cachedChurn: PipelineSpec = {
  ...churn,
  steps: churn.steps.map((step) => ({ ...step, cached: true, seconds: 0 })),
}

const failure: StepSpec['fails'] = {
  type: 'ValueError',
  message: 'Input X contains NaN.\nGradientBoostingClassifier does not accept missing values encoded as NaN',
  traceback:
    '  File "/app/churn/train.py", line 42, in train_model\n    model.fit(features, labels)\n' +
    '  File "/usr/lib/python3.11/site-packages/sklearn/base.py", line 1151, in wrapper\n' +
    '    return fit_method(estimator, *args, **kwargs)\n',
  userCodeLine: 12,
}

const trainingLog = Array.from(
  { length: 70 },
  (_, index) => `epoch ${Math.floor(index / 10)} batch ${index % 10}`,
)

/** `train_model` fails after two minutes. */
export const failingChurn: PipelineSpec = {
  ...churn,
  steps: [load, clean, { ...train, seconds: 118, fails: failure, log: trainingLog }, evaluate],
}

/** `evaluate` fails in the first run only. */
export const repairedChurn: PipelineSpec = {
  ...churn,
  steps: [load, clean, train, { ...evaluate, fails: failure, failsUntil: 1 }],
}

/** Three models are trained side by side, and one of them fails early. */
export const branches: PipelineSpec = {
  name: 'model_selection',
  startupSeconds: 25,
  steps: [
    load,
    { ...train, name: 'train_forest', upstream: ['load_data'], seconds: 180 },
    {
      ...train,
      name: 'train_boosting',
      upstream: ['load_data'],
      seconds: 64,
      fails: failure,
      log: trainingLog,
    },
    { ...train, name: 'train_linear', upstream: ['load_data'], seconds: 130 },
    { ...evaluate, upstream: ['train_forest', 'train_boosting', 'train_linear'] },
  ],
}
