import { afterEach, describe, expect, test } from '@jest/globals'
import { ZENML_VERSIONS, type PipelineSpec, type ZenmlVersion } from '../../../simulator/index.ts'
import { FailureExplainer } from '../../../src/run/outcome/explain-failure.ts'
import type { RunEvent } from '../../../src/run/events.ts'
import type { RunFailure, StepFailure } from '../../../src/run/facts.ts'
import { startScripted } from '../../http/scripted-server.ts'
import { closeScenes, openScene, until, type Scene } from '../scene.ts'
import { openScriptedClient } from '../scripted-client.ts'

afterEach(closeScenes)

function overrides(fail: string, seconds = 1) {
  const value = { steps: { train: { parameters: { fail, seconds } } } }
  return { layers: [{ source: 'configuration', value }], tags: undefined, enableCache: undefined }
}

function failuresOf(events: readonly RunEvent[]): StepFailure[] {
  return events.flatMap((event) => (event.kind === 'step-failed' ? [event.failure] : []))
}

function runFailureOf(events: readonly RunEvent[]): RunFailure | undefined {
  return events.flatMap((event) => (event.kind === 'run-failed' ? [event.failure] : []))[0]
}

const FAULT = {
  type: 'RuntimeError',
  message: 'loss is NaN',
  frame: 'pipelines/e2e_pipelines.py, line 42, in train',
  code: 'raise RuntimeError(fail)',
}

describe.each(ZENML_VERSIONS)('%s', (version) => {
  test("a failed step shows its exception, the user's line, and the end of its log, once", async () => {
    const scene = await openScene({ version })
    const result = await scene.execute({ overrides: overrides('loss is NaN', 3), logTail: 4 })
    expect(failuresOf(scene.events)).toEqual([
      {
        step: 'train',
        fault: FAULT,
        log: { lines: expect.any(Array), left: expect.any(Number), missing: undefined },
      },
    ])
    const [failure] = failuresOf(scene.events)
    expect(failure?.log.lines).toHaveLength(4)
    expect(failure?.log.lines.at(-1)).toBe('RuntimeError: loss is NaN')
    expect(failure?.log.left).toBeGreaterThan(5)
    expect(result).toMatchObject({ conclusion: 'failed', failedStep: 'train' })
    expect(result.error).toMatch(
      /^The run "[^"]+" failed in the step "train": RuntimeError: loss is NaN \(pipelines\/e2e_pipelines\.py, line 42, in train\)\. See its steps and logs: http\S+$/,
    )
  })

  test('log-tail: 0 shows no log, and the exception all the same', async () => {
    const scene = await openScene({ version })
    await scene.execute({ overrides: overrides('loss is NaN'), logTail: 0 })
    const log = { lines: [], left: undefined, missing: undefined }
    expect(failuresOf(scene.events)).toEqual([{ step: 'train', fault: FAULT, log }])
  })

  test('a log that is refused is said to be missing', async () => {
    const answer = {
      kind: 'answer',
      status: 403,
      body: '{"detail":["IllegalOperationError","no logs for you"]}',
    }
    const scene = await openScene({
      version,
      faults: [{ on: 'logs', occurrence: 'always', do: { ...answer, kind: 'answer' } }],
    })
    const result = await scene.execute({ overrides: overrides('loss is NaN') })
    const [failure] = failuresOf(scene.events)
    expect(failure?.log).toEqual({
      lines: [],
      left: undefined,
      missing: expect.stringMatching(/^could not read the step's log: .*403.*no logs for you$/),
    })
    // Only 0.98 has the whole exception without the log.
    expect(failure?.fault?.frame).toBe(version === '0.74.0' ? undefined : FAULT.frame)
    expect(failure?.fault?.message).toBe(version === '0.98.0' ? FAULT.message : undefined)
    expect(result).toMatchObject({ conclusion: 'failed', failedStep: 'train' })
  })

  test('a server that does not say why is asked once and changes nothing', async () => {
    const scene = await openScene({
      version,
      faults: [
        { on: 'step', occurrence: 'always', do: { kind: 'html', status: 502 } },
        {
          on: 'logs',
          occurrence: 'always',
          do: { kind: 'answer', status: 500, body: 'Internal Server Error' },
        },
      ],
    })
    const result = await scene.execute({ overrides: overrides('loss is NaN') })
    expect(failuresOf(scene.events)).toMatchObject([
      { step: 'train', fault: undefined, log: { lines: [], missing: expect.stringContaining('500') } },
    ])
    expect(result.error).toMatch(/^The run "[^"]+" failed in the step "train"\. See its steps and logs: http/)
    expect(scene.sent(/\/logs/)).toHaveLength(1)
  })
})

/** Twelve branches that fail one after the other. */
const manyFail: PipelineSpec = {
  name: 'many',
  steps: Array.from({ length: 12 }, (_, index) => ({
    name: `branch_${index}`,
    seconds: 1 + index / 100,
    fails: { type: 'ValueError', message: `no ${index}`, traceback: '', userCodeLine: null },
  })),
}

test('of many failed steps ten are explained, and the error counts them all', async () => {
  const scene = await openScene({ pipelines: [manyFail] })
  const result = await scene.execute({ target: { kind: 'template', reference: 'many-template' } })
  expect(failuresOf(scene.events).map(({ step }) => step)).toHaveLength(10)
  expect(scene.sent(/\/logs/)).toHaveLength(10)
  expect(result.error).toMatch(/failed in the step "branch_0" and 11 others: ValueError: no 0\. See/)
})

test('of two failed steps the error counts the other one', async () => {
  const scene = await openScene({ pipelines: [{ ...manyFail, steps: manyFail.steps.slice(0, 2) }] })
  const result = await scene.execute({ target: { kind: 'template', reference: 'many-template' } })
  expect(result.error).toMatch(/failed in the step "branch_0" and 1 other: ValueError: no 0\. See/)
})

test('an exception without a message is named alone', async () => {
  const [first] = manyFail.steps
  const steps = [{ ...first!, fails: { ...first!.fails!, message: '' } }]
  const scene = await openScene({ pipelines: [{ ...manyFail, steps }] })
  const result = await scene.execute({ target: { kind: 'template', reference: 'many-template' } })
  expect(result.error).toMatch(/failed in the step "branch_0": ValueError\. See/)
})

function broken(
  spec: Partial<PipelineSpec>,
  isDynamic = false,
): Pick<NonNullable<Parameters<typeof openScene>[0]>, 'pipelines'> {
  const dynamic = { parameters: {}, expand: () => [] }
  return { pipelines: [{ name: 'broken', steps: [], ...(isDynamic ? { dynamic } : {}), ...spec }] }
}

const BROKEN = { kind: 'template', reference: 'broken-template' } as const

async function runBroken(
  scene: Scene,
): Promise<{ failure: RunFailure | undefined; error: string | undefined }> {
  const { error } = await scene.execute({ target: BROKEN })
  return { failure: runFailureOf(scene.events), error }
}

describe('a run that fails before any step', () => {
  test('shows the reason of its state', async () => {
    const reason = 'The image could not be pulled.'
    const scene = await openScene(broken({ failsBeforeSteps: { reason } }))
    const { failure, error } = await runBroken(scene)
    expect(failure).toEqual({
      failedAt: expect.any(Number),
      reason,
      fault: undefined,
      log: { lines: [], left: undefined, missing: undefined },
    })
    expect(error).toMatch(/failed before any step: The image could not be pulled\. See/)
  })

  test.each(ZENML_VERSIONS)('%s: says that nothing is known where that is so', async (version) => {
    const scene = await openScene({ version, ...broken({ failsBeforeSteps: { reason: null } }) })
    const { failure, error } = await runBroken(scene)
    expect(failure).toEqual({
      failedAt: expect.any(Number),
      reason: undefined,
      fault: undefined,
      log: { lines: [], left: undefined, missing: undefined },
    })
    expect(error).toMatch(
      /failed before any step, and ZenML does not say why\. Ask whoever runs the ZenML server or the orchestrator for their logs from around \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC: http/,
    )
  })

  test('shows the exception of a dynamic pipeline', async () => {
    const traceback = '  File "/app/pipe.py", line 3, in pipe\n    rounds / 0\n'
    const exception = { type: 'TypeError', message: 'no rounds', traceback, userCodeLine: 1 }
    const scene = await openScene(broken({ failsBeforeSteps: { reason: null, exception } }, true))
    const { failure, error } = await runBroken(scene)
    expect(failure?.fault).toEqual({
      type: 'TypeError',
      message: 'no rounds',
      frame: 'app/pipe.py, line 3, in pipe',
      code: 'rounds / 0',
    })
    expect(error).toContain('failed before any step: TypeError: no rounds (app/pipe.py, line 3, in pipe)')
  })

  test.each<ZenmlVersion>(['0.85.0', '0.98.0'])("%s: shows the log of the run's start", async (version) => {
    const runnerLog = [
      'pulling',
      'Traceback (most recent call last):\n  File "/app/r.py", line 1, in r\nImportError: no zenml',
    ]
    const scene = await openScene({ version, ...broken({ failsBeforeSteps: { reason: null }, runnerLog }) })
    const { failure } = await runBroken(scene)
    expect(failure?.log.lines.at(-1)).toBe('ImportError: no zenml')
    expect(failure?.fault).toMatchObject({ type: 'ImportError', frame: 'app/r.py, line 1, in r' })
  })
})

test('the cancel of a step that reads a failure reads nothing more', async () => {
  const scene = await openScene({ faults: [{ on: 'logs', occurrence: 'always', do: { kind: 'hang' } }] })
  const controller = new AbortController()
  const running = scene.execute({ overrides: overrides('loss is NaN') }, controller.signal)
  await until(() => scene.sent(/\/logs/).length > 0)
  const before = scene.server.requests.length
  controller.abort(new Error('cancelled'))
  expect(await running).toMatchObject({ conclusion: 'cancelled' })
  const after = scene.server.requests.slice(before).map(({ path }) => path)
  expect(after.filter((path) => /steps|logs|hydrate=true/.test(path))).toEqual([])
})

test('a log that never comes is waited for only so long, and what is known is told', async () => {
  const scene = await openScene({ faults: [{ on: 'logs', do: { kind: 'hang' } }] })
  const { runId = '' } = await scene.execute({ overrides: overrides('loss is NaN'), wait: false })
  await scene.clock.sleep(60_000)
  const explainer = new FailureExplainer({
    client: scene.client,
    reporter: { tell: (event) => void scene.events.push(event) },
    logTail: 50,
    timeLimit: () => AbortSignal.timeout(100),
  })
  await explainer.explain((await scene.client.dag(runId)).steps.filter(({ status }) => status === 'failed'))
  expect(failuresOf(scene.events)).toEqual([
    {
      step: 'train',
      fault: FAULT,
      log: { lines: [], left: undefined, missing: 'the server did not answer in time' },
    },
  ])
})

test.each([
  [
    'a record in pieces',
    [
      { message: 'one ', chunk_index: 0 },
      { message: 'line', chunk_index: 1 },
    ],
    ['one line'],
  ],
  [
    'a record with thousands of empty lines',
    [{ message: `x${'\n'.repeat(200_000)}y` }],
    [...Array(49).fill(''), 'y'],
  ],
  ['a progress bar', [{ message: '10%\r100%\u001B[0m\r' }], ['100%']],
  ['entries of other shapes', [{ message: null }, { other: 1 }], ['', '']],
  ['a long line', [{ message: 'word '.repeat(3_000) }], [expect.stringMatching(/^…(word )+word…$/)]],
])('%s of a log is shown line by line', async (_title, entries, lines) => {
  const scene = await openScene({
    faults: [
      {
        on: 'logs',
        occurrence: 'always',
        do: { kind: 'answer', status: 200, body: JSON.stringify(entries) },
      },
    ],
  })
  await scene.execute({ overrides: overrides('loss is NaN') })
  expect(failuresOf(scene.events)[0]?.log.lines).toEqual(lines)
})

/** What is told of a step of which the server noted and logged this. */
async function explained(exception: Readonly<Record<string, string>>, logged: unknown) {
  const id = '0f8e5c1a-3b2d-4c6f-9a7e-1d2c3b4a5f60'
  const { url } = await startScripted(({ path }) => ({
    body: path.includes('/logs')
      ? JSON.stringify(logged)
      : {
          id,
          name: 'train',
          body: { status: 'failed' },
          metadata: { run_metadata: {}, exception_info: exception },
        },
  }))
  const { client, reporter, events } = await openScriptedClient(url)
  const timeLimit = (ms: number): AbortSignal => AbortSignal.timeout(ms)
  const explainer = new FailureExplainer({ client, timeLimit, reporter, logTail: 4 })
  await explainer.explain([
    { id, name: 'train', status: 'failed', upstream: [], startTime: undefined, durationMs: undefined },
  ])
  return failuresOf(events)[0]?.fault
}

test('0.84.3: what was raised comes out of the line in which ZenML gives up', async () => {
  const traceback = '  File "/app/train.py", line 59, in train\n    raise RuntimeError(fail)\n'
  const logged =
    '[2026-11-29 10:46:56 UTC] Step train has started.\n' +
    '[2026-11-29 10:46:56 UTC] Failed to run step train: loss is NaN in epoch 3\n'
  expect(await explained({ traceback }, logged)).toEqual({
    type: undefined,
    message: 'loss is NaN in epoch 3',
    frame: expect.stringContaining('train.py, line 59, in train'),
    code: 'raise RuntimeError(fail)',
  })
})

test("where what is noted does not lead to the user's code, the log does", async () => {
  const logged =
    'An exception has occurred.\nRuntimeError: loss is NaN\nTraceback (most recent call last):\n' +
    '  File "/usr/lib/python3.11/site-packages/zenml/steps/base_step.py", line 9, in call\n    x\n' +
    '  File "/app/train.py", line 42, in train\n    raise RuntimeError(fail)\nRuntimeError: loss is NaN\n'
  const noted = { source: 'builtins.RuntimeError', message: 'loss is NaN', traceback: '' }
  expect(await explained(noted, [{ message: logged }])).toMatchObject({
    type: 'RuntimeError',
    message: 'loss is NaN',
    frame: expect.stringContaining('train.py, line 42, in train'),
  })
})
