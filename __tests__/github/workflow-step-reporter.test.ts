import { afterAll, beforeEach, expect, test } from '@jest/globals'
import { parseFileCommand } from '../../e2e/action.ts'
import { VirtualClock } from '../../simulator/index.ts'
import { renderComment } from '../../src/github/comment/body.ts'
import { WorkflowLog } from '../../src/github/log/workflow-log.ts'
import type { WorkflowStepEnd } from '../../src/github/run-recorder.ts'
import type { RunRecord } from '../../src/github/run-record.ts'
import { WorkflowStepReporter } from '../../src/github/workflow-step-reporter.ts'
import { RunnerFiles, takeStep } from '../hostile/workflow-step.ts'
import { readAsRunner } from './runner-reader.ts'
import {
  change,
  definition,
  details,
  failure,
  RUN_URL,
  started,
  stepState,
  steps,
  triggering,
} from './run-events.ts'

const files = new RunnerFiles()
beforeEach(() => {
  files.empty()
})
afterAll(() => {
  files.remove()
})

const completed: WorkflowStepEnd = {
  conclusion: 'completed',
  status: 'completed',
  error: undefined,
  failedStep: undefined,
}

const failed: WorkflowStepEnd = {
  ...completed,
  conclusion: 'failed',
  status: 'failed',
  error: 'The run "x" failed in the step "train": RuntimeError: no data',
  failedStep: 'train',
}

function reporter(action: 'main' | 'wait' | 'stop' | 'resolve' = 'main') {
  const writes: string[] = []
  const log = new WorkflowLog((text) => writes.push(text))
  const report = new WorkflowStepReporter({ action, log, clock: new VirtualClock() })
  report.begin()
  return {
    report,
    lines: () => writes.join('').split('\n').slice(0, -1),
    errors: () => readAsRunner(writes.join('')).commands.filter(({ name }) => name === 'error'),
    outputs: () => parseFileCommand(files.read('output')),
    state: () => parseFileCommand(files.read('state')),
  }
}

const NO_COMPARISON = '{"baseline":null,"metrics":[]}'

const PLACE = {
  action: 'main',
  identity: '0a1b2c3d',
  stepKey: 'train/0',
  context: { runId: '4711', runAttempt: 1, workflow: 'CI', workflowRunUrl: 'https://github.com/o/r' },
} as const

test('a step that is killed at once has left valid JSON for those after it', () => {
  expect(reporter().outputs()).toEqual({
    steps: '[]',
    metadata: '{}',
    artifacts: '[]',
    comparison: NO_COMPARISON,
    'failed-step': '',
  })
  files.empty()
  expect(reporter('stop').outputs()).toEqual({})
})

test('faulty inputs leave valid JSON, and no summary', () => {
  const { report, outputs } = reporter()
  report.badInputs([{ input: 'timeout', line: 'timeout: 5 has no unit' }])
  expect(outputs()).toMatchObject({
    steps: '[]',
    metadata: '{}',
    artifacts: '[]',
    conclusion: 'failed',
    error: 'timeout: 5 has no unit',
  })
  expect(files.read('summary')).toBe('')
})

test('a completed run hands on its steps, metadata and artifacts', async () => {
  const { report, outputs, lines } = reporter()
  report.tell({ kind: 'resolved', definition })
  report.tell(started)
  report.tell({ kind: 'usual', usual: { medianMs: 660_000, spread: 0.1, runs: 3 } })
  report.tell({
    kind: 'details',
    details: details({ durationMs: 720_000, steps: [stepState('train')], metadata: { accuracy: 0.9 } }),
  })
  await report.ended(completed)
  expect(outputs()).toMatchObject({
    conclusion: 'completed',
    'snapshot-id': definition.id,
    'run-url': RUN_URL,
    'failed-step': '',
    error: '',
    steps: expect.stringContaining('"train"'),
    metadata: '{"run":{"accuracy":0.9},"steps":{}}',
  })
  expect(lines().at(-1)).toBe('The run completed after 12 min (usually 11 min)')
})

test.each([
  [['load', 'train'], 'all 2 steps were'],
  [['load'], 'its one step was'],
])('where %j were cached, the log says that nothing was computed', async (names, words) => {
  const { report, lines } = reporter()
  report.tell(started)
  report.tell(steps(names.map((name) => change(name, 'cached'))))
  report.tell({ kind: 'details', details: details({ durationMs: 3_000 }) })
  await report.ended(completed)
  expect(lines().at(-1)).toBe(
    `The run completed after 3 s: ${words} taken from the cache, nothing was computed`,
  )
})

test.each([
  ['succeeded', '✅', 'completed', 'The run has already completed in ZenML; its result was not checked'],
  ['failed', '❌', 'failed', 'The run has already failed in ZenML; the step is green all the same'],
  ['stopped', '🛑', 'stopped', 'The run was already stopped in ZenML; the step is green all the same'],
] as const)(
  'with wait: false, a run that is over when it is found (%s) is not said to continue',
  async (phase, sign, status, words) => {
    const { report, lines, outputs } = reporter()
    const headings: string[] = []
    const comment = {
      update: async (record: RunRecord) => {
        headings.push(renderComment(record, PLACE).split('\n')[1] ?? '')
      },
    }
    report.address({ summary: true, comment })
    report.tell({ kind: 'resolved', definition })
    report.tell(started)
    report.tell({ kind: 'over-before', phase })
    await report.ended({ ...completed, conclusion: 'started', status })
    expect(lines().at(-1)).toBe(`${phase === 'succeeded' ? '' : '::warning::'}${words} (wait: false)`)
    const heading = `### ${sign} ZenML run of training: already ${status}`
    expect(files.read('summary').trim().split('\n')[0]).toBe(heading)
    expect(headings.at(-1)).toBe(heading)
    expect(outputs()).toMatchObject({ conclusion: 'started', status, error: '' })
  },
)

test('a step that failed, was tried again and completed is no failed step of the run', async () => {
  const { report, outputs } = reporter()
  report.tell(started)
  report.tell({ kind: 'step-failed', failure: failure('train') })
  await report.ended(completed)
  expect(outputs()).toMatchObject({ conclusion: 'completed', 'failed-step': '' })
})

test('what failed in the run is annotated once, and the last line of the log says it in plain text', async () => {
  const { report, errors, lines, outputs } = reporter()
  report.tell(started)
  for (const name of ['train', 'report']) report.tell({ kind: 'step-failed', failure: failure(name) })
  await report.ended(failed)
  expect(errors().map(({ properties }) => properties['title'])).toEqual([
    'Step train failed: RuntimeError',
    'Step report failed: RuntimeError',
  ])
  expect(lines().at(-1)).toBe(failed.error)
  expect(outputs()).toMatchObject({
    'failed-step': 'train',
    error: `${failed.error}\nStep report failed: RuntimeError: no data (train.py, line 42, in train)`,
  })
})

test('a fault that is not of a step has an annotation of its own, also behind failed steps', async () => {
  const { report, errors, outputs } = reporter()
  report.tell(started)
  report.tell({ kind: 'step-failed', failure: failure('train') })
  await report.ended({
    ...failed,
    conclusion: 'timed-out',
    status: 'running',
    error: 'no end',
    failedStep: undefined,
  })
  expect(errors().map(({ properties }) => properties['title'])).toEqual([
    'Step train failed: RuntimeError',
    'ZenML run timed out',
  ])
  expect(outputs()['failed-step']).toBe('train')
})

test('a run that is handed over: green, with what is not judged yet, and how to go on', async () => {
  const { report, errors, lines, outputs } = reporter()
  report.tell(started)
  report.tell({ kind: 'handed-over', expectations: ['train.f1 > 0.5'], unseenMs: undefined })
  await report.ended({ conclusion: 'running', status: 'running', error: undefined, failedStep: undefined })
  expect(errors()).toEqual([])
  const { 'run-id': runId = '', ...others } = outputs()
  expect(others).toMatchObject({ conclusion: 'running', status: 'running', error: '', metadata: '{}' })
  expect(lines().slice(-2)).toEqual([
    'Not judged yet: train.f1 > 0.5',
    `Handed over (on-timeout: hand-over): the run keeps running in ZenML. To keep following it, use wait/ with run: ${runId}`,
  ])
  expect(files.read('summary')).toContain('Not judged yet: `train.f1 > 0.5`')
})

test('a run that nobody sees any more when it is handed over is not said to run', async () => {
  const { report, lines } = reporter()
  report.tell(started)
  report.tell({ kind: 'handed-over', expectations: [], unseenMs: 90_000 })
  await report.ended({ conclusion: 'running', status: 'running', error: undefined, failedStep: undefined })
  expect(lines().at(-1)).toMatch(
    /^Handed over \(on-timeout: hand-over\): for 1 min 30 s the server has not shown the run, which was running when last seen and may still be running\. To keep following it, use wait\//,
  )
  const summary = files.read('summary')
  expect(summary).toMatch(/^### ⏳ .*: may still be running$/m)
  expect(summary).toContain('last seen `running`')
})

test('a missed expectation comes with the link of the run, wherever the error is sent', async () => {
  const { report, errors, outputs } = reporter()
  report.tell(started)
  const error = 'The run "x" completed, but the expectation was not met: expected f1 > 0.5, got 0.4'
  await report.ended({ ...completed, conclusion: 'expectation-missed', error })
  expect(outputs()['error']).toBe(`${error}. See the run: ${RUN_URL}`)
  expect(errors()).toEqual([
    { name: 'error', properties: { title: 'ZenML run not as expected' }, data: outputs()['error'] },
  ])
})

test.each([
  [3_990, '3', '3 s'],
  [6_500, '6', '6 s'],
  [119_999, '119', '1 min 59 s'],
])('a run of %d ms takes the same time in output, log and summary', async (durationMs, output, text) => {
  const { report, lines, outputs } = reporter()
  report.tell(started)
  report.tell({ kind: 'details', details: details({ durationMs }) })
  await report.ended(completed)
  expect(outputs()['duration']).toBe(output)
  expect(lines().at(-1)).toBe(`The run completed after ${text}`)
  expect(files.read('summary')).toContain(`**${text}**`)
})

test.each([
  ['main', true, 'ZenML run failed'],
  ['main', false, 'No ZenML run was started'],
  ['wait', false, 'No ZenML run was followed'],
  ['stop', false, 'No ZenML run was stopped'],
  ['stop', true, 'ZenML run not stopped'],
  ['resolve', true, 'ZenML run not resolved'],
] as const)(
  'a failure that nothing explained is annotated at the end (%s, run: %p)',
  async (action, isStarted, title) => {
    const { report, errors } = reporter(action)
    if (isStarted) report.tell(started)
    await report.ended(failed)
    expect(errors()).toEqual([{ name: 'error', properties: { title }, data: failed.error }])
  },
)

test.each([
  ['stop', 'ZenML run not stopped'],
  ['resolve', 'ZenML run not resolved'],
] as const)(
  '%s/ failed, and not the run: the summary says so, and what the run is',
  async (action, title) => {
    const { report } = reporter(action)
    report.tell(started)
    await report.ended({ ...failed, status: 'running', error: 'The server refused' })
    expect(files.read('summary')).toMatch(
      new RegExp(`### ❌ ${title}\\n\\n\\[.*\\]\\(.*\\) · .*\`running\` in ZenML\\n`),
    )
  },
)

test('where no run was started, summary and comment say so, and once what was to be run', async () => {
  const { report } = reporter()
  const comments: string[] = []
  const update = async (record: RunRecord): Promise<void> => void comments.push(renderComment(record, PLACE))
  const requested = { kind: 'snapshot', reference: 'nightly', pipeline: undefined } as const
  report.address({ summary: true, comment: { update }, requested })
  report.tell({ kind: 'resolved', definition })
  await report.ended({ ...failed, status: '', error: 'parameters: no step has a parameter "x"' })
  const told =
    '### ❌ No ZenML run was started\n\n' +
    'Pipeline `training`\n\n' +
    'Snapshot `nightly`, made 5 Jan 2026 by `ann` from commit `0123456`, stack `production`\n\n`parameters: no step has a parameter "x"`\n'
  expect(files.read('summary')).toContain(told)
  expect(comments).toEqual([expect.stringContaining(told)])
})

test.each(['attach', 'stop'] as const)(
  '%s: a run that is not there is called that, in annotation and summary',
  async (way) => {
    const tamper = (route?: string) =>
      route === 'run' ? ({ kind: 'instead', status: 404, body: '["KeyError","no run"]' } as const) : undefined
    const left = await takeStep(files, { way, tamper })
    expect(left.stdout).toMatch(
      /^::error title=ZenML run not found::run(-id)?: there is no run with the ID /m,
    )
    if (way === 'attach') expect(left.summary).toContain('### ❌ ZenML run not found\n')
  },
)

test.each(['timed-out', 'cancelled', 'lost', 'failed', 'stopped'] as const)(
  'a step that ends with %s writes its summary, with what is known',
  async (conclusion) => {
    const { report, state } = reporter()
    report.address({ summary: true, comment: undefined })
    expect(state()).toEqual({ summaryDue: 'true' })
    report.tell(started)
    report.tell(steps([change('train', 'running')]))
    await report.ended({ ...failed, conclusion, status: 'running' })
    expect(files.read('summary')).toContain('train')
    expect(state()).toEqual({ summaryDue: 'false' })
  },
)

test('with summary: false none is written, and none is left to the post step', async () => {
  const { report, state } = reporter()
  report.address({ summary: false, comment: undefined })
  await report.ended(completed)
  expect(files.read('summary')).toBe('')
  expect(state()).toEqual({})
})

test('a comment is begun beside the wait, once it is known how long the run takes, and ended with the step', async () => {
  const { report } = reporter()
  const seen: Partial<RunRecord>[] = []
  const comment = {
    update: async ({ conclusion, usual, runUrl }: RunRecord) => {
      seen.push({ conclusion, usual, runUrl })
    },
  }
  report.address({ summary: false, comment })
  report.tell(triggering)
  report.tell(started)
  expect(seen).toEqual([])
  const usual = { medianMs: 1, spread: 1, runs: 1 }
  report.tell({ kind: 'usual', usual })
  report.tell(steps([]))
  await report.ended(completed)
  expect(seen).toEqual([
    { conclusion: undefined, usual, runUrl: RUN_URL },
    { conclusion: 'completed', usual, runUrl: RUN_URL },
  ])
})

test('a comment that takes too long is ended with a cancelled step, its outputs and last line long written', async () => {
  const { report, errors, outputs } = reporter()
  const aborted: boolean[] = []
  const comment = {
    update: (_: RunRecord, signal: AbortSignal) =>
      new Promise<void>((resolve) => {
        const keepAlive = setInterval(() => undefined, 100)
        signal.addEventListener('abort', () => {
          aborted.push(outputs()['conclusion'] === 'cancelled' && errors().length === 1)
          clearInterval(keepAlive)
          resolve()
        })
      }),
  }
  report.address({ summary: true, comment })
  report.tell(started)
  report.tell(steps([]))
  await report.ended({ ...failed, conclusion: 'cancelled', error: 'Cancelled.', failedStep: undefined })
  // The update at the start, and that at the end.
  expect(aborted).toEqual([true, true])
})

test('an error of hundreds of failed steps stays within what a job can hand on', async () => {
  const { report, outputs } = reporter()
  report.tell(started)
  const fault = {
    type: 'E'.repeat(9_000),
    message: 'm'.repeat(9_000),
    frame: 'f'.repeat(9_000),
    code: undefined,
  }
  for (let index = 0; index < 90; index += 1)
    report.tell({ kind: 'step-failed', failure: failure(`s${index}`, { fault }) })
  await report.ended(failed)
  expect(outputs()['error']?.length).toBeLessThanOrEqual(4_000)
  expect(outputs()['error']).toMatch(/\nand 85 more$/)
})

test('a comment has the faults of a configuration without the values, and says where these are', async () => {
  const { report, outputs } = reporter()
  const told: RunRecord[] = []
  const update = async (record: RunRecord): Promise<void> => void told.push(record)
  report.address({ summary: true, comment: { update } })
  const [faults, faultsWithoutValues] = [
    ['rate takes a number, not "hf_1"'],
    ['rate takes a number, not this text'],
  ]
  await report.ended({ ...failed, error: faults.join(), faults, faultsWithoutValues })
  expect(told.map(({ error }) => error)).toEqual([
    'rate takes a number, not this text\nThe log of the step shows the values',
  ])
  expect(outputs()['error']).toContain('"hf_1"')
  await report.ended({ ...failed, error: 'no parameter "a"', faults: ['a'], faultsWithoutValues: ['a'] })
  expect(told.at(-1)?.error).toBe('a')
})
