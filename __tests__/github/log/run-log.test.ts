import { expect, test } from '@jest/globals'
import { VirtualClock } from '../../../simulator/index.ts'
import { WorkflowLog } from '../../../src/github/log/workflow-log.ts'
import { RunLog } from '../../../src/github/log/run-log.ts'
import type { RunEvent } from '../../../src/run/events.ts'
import { readAsRunner } from '../runner-reader.ts'
import {
  change,
  counts,
  definition,
  details,
  failure,
  run,
  RUN_URL,
  started,
  steps,
  triggering,
} from '../run-events.ts'

function listener() {
  const writes: string[] = []
  const clock = new VirtualClock()
  const log = new RunLog(new WorkflowLog((text) => writes.push(text)), clock)
  const text = (): string => writes.join('')
  return {
    log,
    clock,
    text,
    lines: () => text().split('\n').slice(0, -1),
    commands: () => readAsRunner(text()).commands,
    /** Tells an event so many seconds after the one before. */
    after: (seconds: number, event: RunEvent) => {
      clock.advance(seconds * 1000)
      log.tell(event)
    },
  }
}

test('a re-run that finds nothing to resume says so', () => {
  const { log, lines } = listener()
  log.tell({ kind: 'resume-none' })
  expect(lines()).toEqual([
    'No earlier attempt has a run with the same inputs that is running or has completed, so a new one is started',
  ])
})

test.each([
  ['resume-unclear', 'several runs of earlier attempts match (a, b), so a new one is started'],
  [
    'resume-foreign',
    'runs of earlier attempts (a, b) used another template or snapshot, so a new run is started',
  ],
  [
    'resume-beside',
    "steps or child runs of earlier attempts' runs may still be running (a, b), and a new run is started beside them",
  ],
] as const)('a cell of a sweep that cannot resume says why, and from which runs: %s', (kind, why) => {
  const { log, commands } = listener()
  const cell = { number: 3, values: {}, parameters: { source: 'parameters', value: {} } }
  log.tell({ kind: 'cell', cell, event: { kind, names: ['a', 'b'] } })
  expect(commands()).toEqual([{ name: 'warning', properties: {}, data: `Cell 3: ${why}` }])
})

test('a step that cannot resume says why, and from which runs', () => {
  const { log, commands } = listener()
  log.tell({ kind: 'resume-foreign', names: ['a', 'b'] })
  const data = 'Runs of earlier attempts (a, b) used another template or snapshot, so a new run is started'
  expect(commands()).toEqual([{ name: 'warning', properties: {}, data }])
})

test('the start is told in groups, and the link stands outside of them', () => {
  const { log, lines } = listener()
  log.tell({
    kind: 'connected',
    serverUrl: 'https://zenml.example.com',
    version: '0.98.0',
    account: { id: 'u', name: 'ci-bot' },
  })
  log.tell({ kind: 'project', project: { id: 'p', name: 'default' }, source: 'only-one' })
  log.tell({ kind: 'resolved', definition })
  log.tell({
    kind: 'configured',
    configuration: { steps: {} },
    changes: [
      { path: 'train.epochs', before: '3', after: '5' },
      { path: 'enable_cache', before: undefined, after: 'false' },
    ],
    warnings: ['train.epochs is unknown'],
    unchecked: undefined,
  })
  log.tell(triggering)
  log.tell(started)
  expect(lines()).toEqual([
    '::group::Connected to https://zenml.example.com',
    'version: 0.98.0',
    'account: ci-bot',
    '::endgroup::',
    'Project: default (the only one that this account can see)',
    '::group::Found the snapshot nightly of the pipeline training',
    'id: aaaaaaaa-0000-4000-8000-000000000001',
    'train.epochs: 3 → 5',
    'enable_cache: false',
    '::endgroup::',
    'Snapshot nightly, made 5 Jan 2026 by ann from commit 0123456, stack production',
    '::warning title=Configuration::train.epochs is unknown',
    'Starting the run training-gh1-1-abc',
    `Started: ${RUN_URL}`,
  ])
})

test('what was to be run is told also if its configuration turns out to be wrong', () => {
  const { log, lines } = listener()
  log.tell({ kind: 'resolved', definition })
  expect(lines()).toEqual([])
  log.end()
  expect(lines()[0]).toBe('::group::Found the snapshot nightly of the pipeline training')
})

test('each change of a step is one line, with the time since the start in front', () => {
  const { log, lines, after } = listener()
  log.tell(started)
  after(0, { kind: 'state', status: 'initializing', reason: undefined })
  after(0, { kind: 'usual', usual: { medianMs: 720_000, spread: 0.1, runs: 8 } })
  after(12, steps([change('load', 'running')]))
  after(
    2,
    steps([
      change('load', 'completed', { durationMs: 2000 }),
      change('prepare', 'cached', { durationMs: 40 }),
    ]),
  )
  after(1, steps([change('train', 'running', { attempt: 2 })]))
  after(3600, steps([change('train', 'failed', { attempt: 2, durationMs: 3_600_000 })]))
  after(36_000, { kind: 'state', status: 'failed', reason: 'out of memory' })
  expect(lines().slice(1)).toEqual([
    '   0:00  initializing',
    'Usually 12 min (from the last 8 runs)',
    '   0:12  load: running',
    '   0:14  load: completed in 2 s',
    '   0:14  prepare: cached',
    '   0:15  train: running (attempt 2)',
    '1:00:15  train: failed after 1 h (attempt 2)',
    '11:00:15  failed (out of memory)',
  ])
})

test('while nothing changes, a line says what runs, how much is done and how long it may take', () => {
  const { log, lines, after } = listener()
  log.tell(started)
  const still = { kind: 'still', status: 'running', sinceMs: 0 } as const
  after(314, {
    ...still,
    running: ['train'],
    counts: counts({ total: 8, succeeded: 3 }),
    forecast: { kind: 'left', ms: 240_000 },
  })
  after(60, {
    ...still,
    running: ['a', 'b', 'c', 'd', 'e'],
    counts: counts({ total: 1, failed: 1 }),
    forecast: { kind: 'slower-than-usual', byMs: 180_000 },
  })
  after(60, {
    ...still,
    status: 'initializing',
    running: [],
    counts: counts({ total: 0 }),
    forecast: undefined,
  })
  after(60, { ...still, status: 'provisioning', running: [], counts: undefined, forecast: undefined })
  expect(lines().slice(1)).toEqual([
    '   5:14  still running: train; 3 of 8 steps done; about 4 min left',
    '   6:14  still running: a, b, c and 2 more; 1 of 1 step done; slower than usual by 3 min',
    '   7:14  still initializing',
    '   8:14  still provisioning',
  ])
})

test.each([
  [{ kind: 'settling', forMs: 30_000 }, '   0:04  Waiting up to 30 s to see if more steps start'],
  [
    { kind: 'stopping', timeoutMs: 5_000, mode: 'stop-gracefully', runId: 'r', forMs: 120_000 },
    '   0:04  The timeout of 5s ran out. Asking ZenML to stop the run once its running steps have ended, and watching it for up to 2 min',
  ],
  [
    { kind: 'stopping', timeoutMs: undefined, mode: 'stop', runId: undefined, forMs: 5_500 },
    '   0:04  Cancelled. Checking whether a run was started, and stopping it if so',
  ],
] satisfies [RunEvent, string][])(
  'where nothing seems to happen, a line says what does: %j',
  (event, line) => {
    const { log, lines, after } = listener()
    log.tell(started)
    after(4, event)
    expect(lines().at(-1)).toBe(line)
  },
)

test('a failed step is one annotation with the exception, and its log is folded below', () => {
  const { log, text, commands } = listener()
  log.tell(started)
  log.tell({ kind: 'step-failed', failure: failure('train') })
  expect(commands()[0]).toEqual({
    name: 'error',
    properties: { title: 'Step train failed: RuntimeError' },
    data: `train: RuntimeError: no data\nat train.py, line 42, in train\n    raise RuntimeError("no data")\n${RUN_URL}`,
  })
  expect(text().slice(text().indexOf('::group::'))).toMatch(
    /^::group::Log of the step train: the last 2 lines \(12 earlier ones not shown\)\n::stop-commands::(\S+)\n│ loading\n│ Traceback\n::\1::\n::endgroup::\n$/,
  )
  expect(log.hasAnnotatedFailure).toBe(true)
})

test('what goes missing without stopping the run is a warning, and all that could not be read one', () => {
  const { log, lines } = listener()
  log.tell(started)
  log.tell({ kind: 'origin-not-noted', what: 'its origin', detail: 'could not record metadata on the run' })
  log.tell({ kind: 'details', details: details({ missing: ['names of 2 artifacts', 'the steps'] }) })
  expect(lines().slice(1)).toEqual([
    '::warning::Where the run came from could not be recorded on it: could not record metadata on the run',
    '::warning::Could not be read: names of 2 artifacts; the steps',
  ])
})

test.each([
  ['left-going-on', ['a', 'b'], 'parts of it are still running: a, b. Not waiting for them to end'],
  ['left-startable', ['a', 'b'], 'some of its steps may still start: a, b. No longer waiting for that'],
  ['left-startable', [], 'more of its steps may start. No longer waiting for that'],
] as const)('at the end of the watch it is said what may come (%s, %j)', (kind, steps, what) => {
  const { log, lines } = listener()
  log.tell({ kind, status: 'failed', steps })
  const cell = { number: 3, values: {}, parameters: { source: 'parameters', value: {} } }
  log.tell({ kind: 'cell', cell, event: { kind, status: 'failed', steps } })
  expect(lines()).toEqual([
    `   0:00  The run is failed, but ${what}`,
    expect.stringContaining(`Cell 3: the run is failed, but ${what}`),
  ])
})

test('a step that failed without a known reason or log says exactly that', () => {
  const { log, lines } = listener()
  log.tell(started)
  const unknown = { lines: [], left: undefined, missing: 'the server refuses it (403)' }
  log.tell({ kind: 'step-failed', failure: { step: 'train', fault: undefined, log: unknown } })
  expect(lines().slice(1)).toEqual([
    `::error title=Step train failed::train: the server does not say why%0A${RUN_URL}`,
    'The log of the step train is not shown: the server refuses it (403)',
  ])
})

test.each([
  [
    'with its reason and the exception',
    { reason: 'image not found', fault: failure('x').fault },
    ': RuntimeError',
    [
      'image not found',
      'RuntimeError: no data',
      'at train.py, line 42, in train',
      '    raise RuntimeError("no data")',
    ],
  ],
  [
    'with nothing',
    { reason: undefined, fault: undefined },
    '',
    [
      'The server recorded neither a reason nor a log. Ask whoever runs the ZenML server or the orchestrator for their logs from around 2026-01-31 12:05:10 UTC',
    ],
  ],
])('a run that failed before any step is one annotation, %s', (_, known, title, told) => {
  const { log, commands } = listener()
  log.tell(started)
  log.tell({
    kind: 'run-failed',
    failure: {
      ...known,
      failedAt: Date.UTC(2026, 0, 31, 12, 5, 10),
      log: { lines: [], left: undefined, missing: undefined },
    },
  })
  expect(commands()).toEqual([
    {
      name: 'error',
      properties: { title: `ZenML run failed${title}` },
      data: ['The run failed before any step was started', ...told, RUN_URL].join('\n'),
    },
  ])
})

test('of ten failed steps nine are annotated, and the last is a line', () => {
  const { log, lines, commands } = listener()
  log.tell(started)
  for (let index = 1; index <= 10; index += 1)
    log.tell({ kind: 'step-failed', failure: failure(`s${index}`) })
  expect(commands().filter(({ name }) => name === 'error')).toHaveLength(9)
  expect(commands().filter(({ name }) => name === 'group')).toHaveLength(9)
  expect(lines().at(-1)).toBe('Step s10 failed: RuntimeError: no data (train.py, line 42, in train)')
})

test('the link stands at the end of an annotation, however long the message', () => {
  const { log, commands } = listener()
  log.tell(started)
  const fault = {
    type: 'E'.repeat(9000),
    message: 'long\n'.repeat(9000),
    frame: 'f'.repeat(9000),
    code: 'c'.repeat(9000),
  }
  log.tell({ kind: 'step-failed', failure: failure('n'.repeat(9000), { fault }) })
  expect(commands()[0]?.data).toMatch(new RegExp(`lines left out\\)\n.*\n.*\n${RUN_URL}$`))
})

/** A run of so many steps, ten at a time, all looked at every five seconds. */
function runMany(total: number, { after }: ReturnType<typeof listener>, everyS = 5): void {
  const failed = (index: number): boolean => index % 10 === 7
  for (let first = 0; first < total; first += 10) {
    const names = Array.from({ length: 10 }, (_, index) => first + index)
    const before = { total, succeeded: first * 0.9, failed: first * 0.1 }
    after(
      everyS,
      steps(
        names.map((index) => change(`step_${index}`, 'running')),
        { ...before, running: 10 },
      ),
    )
    after(
      everyS,
      steps(
        names.map((index) =>
          change(`step_${index}`, failed(index) ? 'failed' : 'completed', { durationMs: 5000 }),
        ),
        { total, succeeded: before.succeeded + 9, failed: before.failed + 1 },
      ),
    )
  }
}

test.each([1, 5, 60, 3_000])('a run of 5,000 steps, looked at every %d s, prints a bounded log', (everyS) => {
  const scene = listener()
  scene.log.tell(started)
  runMany(5_000, scene, everyS)
  scene.log.end()
  const lines = scene.lines()
  expect(lines.length).toBeLessThan(500)
  expect(lines.filter((line) => line.includes('steps done')).length).toBeLessThan(230)
  expect(lines.filter((line) => /step_\d+: failed after 5 s$/.test(line))).toHaveLength(50)
  expect(lines.filter((line) => line.includes('running'))).not.toContain(expect.stringContaining('step_'))
  expect(lines.at(-1)).toMatch(/ {2}5,000 of 5,000 steps done, 500 failed$/)
})

test('a hundred steps are told one by one', () => {
  const scene = listener()
  scene.log.tell(started)
  runMany(100, scene)
  expect(scene.lines().filter((line) => /step_\d+: running$/.test(line))).toHaveLength(100)
  expect(scene.lines().filter((line) => /step_\d+: completed in 5 s$/.test(line))).toHaveLength(90)
})

test('a step that is tried again and again does not fill the log', () => {
  const { log, lines, after } = listener()
  log.tell(started)
  for (let attempt = 1; attempt <= 3_000; attempt += 1)
    after(5, steps([change('train', 'running', { attempt })], { running: 1 }))
  expect(lines().length).toBeLessThan(700)
})

test('a sum names what is cached, running, failed and stopped, and is not repeated', () => {
  const { log, lines, after } = listener()
  log.tell(started)
  const sum = steps([change('a', 'completed')], {
    total: 5_000,
    succeeded: 1_239,
    cached: 900,
    running: 12,
    failed: 1,
    stopped: 2,
  })
  after(1, sum)
  after(60, sum)
  log.end()
  expect(lines().slice(1)).toEqual([
    '   0:01  1,242 of 5,000 steps done (900 cached), 12 running, 1 failed, 2 stopped',
  ])
})

const HOSTILE = '\n::error::forged\r##[error]x\u001b[31m\u202e'

test('no name, status, exception or log of a server is a command of the runner', () => {
  const { log, text, commands, after } = listener()
  log.tell({
    kind: 'connected',
    serverUrl: HOSTILE,
    version: HOSTILE,
    account: { id: HOSTILE, name: undefined },
  })
  log.tell({ kind: 'resolved', definition: { ...definition, id: HOSTILE, name: HOSTILE } })
  log.tell({
    kind: 'configured',
    configuration: { [HOSTILE]: HOSTILE },
    changes: [{ path: HOSTILE, before: HOSTILE, after: HOSTILE }],
    warnings: [],
    unchecked: undefined,
  })
  log.tell({ kind: 'started', run: { ...run, name: HOSTILE }, url: HOSTILE, ageMs: 0, adopted: true })
  after(1, { kind: 'state', status: HOSTILE, reason: HOSTILE })
  after(1, steps([change(HOSTILE, HOSTILE), change(HOSTILE, 'failed')]))
  after(1, steps([change(HOSTILE, HOSTILE), change(HOSTILE, 'failed')], { total: 1_000 }))
  after(1, {
    kind: 'still',
    status: HOSTILE,
    sinceMs: 1,
    running: [HOSTILE],
    counts: undefined,
    forecast: undefined,
  })
  const log_ = { lines: [HOSTILE], left: undefined, missing: HOSTILE }
  const fault = { type: HOSTILE, message: HOSTILE, frame: HOSTILE, code: HOSTILE }
  for (let index = 0; index < 12; index += 1)
    log.tell({ kind: 'step-failed', failure: { step: HOSTILE, fault, log: log_ } })
  log.tell({ kind: 'run-failed', failure: { failedAt: NaN, reason: HOSTILE, fault, log: log_ } })
  log.tell({ kind: 'origin-not-noted', what: 'its origin', detail: HOSTILE })
  log.tell({ kind: 'details', details: details({ missing: [HOSTILE] }) })
  const names = commands().map(({ name }) => name)
  expect(names.filter((name) => !['group', 'endgroup', 'error', 'warning'].includes(name))).toEqual([])
  expect(names.filter((name) => name === 'error')).toHaveLength(10)
  expect(names.filter((name) => name === 'group')).toHaveLength(12)
  for (const unseen of ['\u001b', '\u202e', '\r']) expect(text()).not.toContain(unseen)
})
