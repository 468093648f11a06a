import { expect, test } from '@jest/globals'
import type { Run } from '../../../src/zenml/model.ts'
import { conclude, type Cause } from '../../../src/run/outcome/conclude.ts'
import type { Watched } from '../../../src/run/watch/watch.ts'
import { run } from '../../github/run-events.ts'

const URL = 'https://zenml.example.com/runs/1'

function over(status: string, more: Partial<Run> = {}): Watched {
  return { kind: 'over', run: { ...run, status, ...more } }
}

function said(watched: Watched, cause: Cause = UNKNOWN): string | undefined {
  return conclude(watched, { name: 'nightly', url: URL, timeoutMs: 5_400_000, cause }).error
}

const UNKNOWN: Cause = { kind: 'unknown' }
const NO_FAULT = { type: undefined, message: undefined, frame: undefined, code: undefined }
const NAN = { ...NO_FAULT, type: 'ValueError', message: 'loss is NaN.\nsee above', frame: 'train.py, line 4' }
const ofStep = (others = 0, fault: (Cause & { kind: 'step' })['fault'] = NAN): Cause => ({
  kind: 'step',
  step: 'train',
  fault,
  others,
})
const ofRun = (more: Partial<Cause & { kind: 'run' }> = {}): Cause => ({
  kind: 'run',
  fault: undefined,
  reason: undefined,
  beforeSteps: true,
  ...more,
})
const LOGS = 'Ask whoever runs the ZenML server or the orchestrator for their logs'

const lines: readonly (readonly [line: string | undefined, watched: Watched, cause?: Cause])[] = [
  [undefined, over('completed')],
  [undefined, over('cached')],
  [`was stopped: ${URL}`, over('stopped')],
  [`was stopped (by Ada): ${URL}`, over('cancelled', { statusReason: 'by Ada' })],
  [
    `ended in the unknown state "melted", so it does not count as a success (hot): ${URL}`,
    over('melted', { statusReason: 'hot' }),
  ],
  [`failed. See its steps and logs: ${URL}`, over('failed')],
  [`failed (no pod). See its steps and logs: ${URL}`, over('failed', { statusReason: 'no pod' })],
  [
    `failed in the step "train": ValueError: loss is NaN (train.py, line 4). See its steps and logs: ${URL}`,
    over('failed', { statusReason: 'a step failed' }),
    ofStep(),
  ],
  [
    `failed in the step "train" and 1 other (a step failed). See its steps and logs: ${URL}`,
    over('failed', { statusReason: 'a step failed' }),
    ofStep(1, NO_FAULT),
  ],
  [
    `failed in the step "train" and 2 others: and so on.... See its steps and logs: ${URL}`,
    over('failed'),
    ofStep(2, { ...NO_FAULT, message: 'and so on...' }),
  ],
  [
    `failed before any step, and ZenML does not say why. ${LOGS} from around 2026-01-01 00:00:00 UTC: ${URL}`,
    over('failed', { endTime: Date.UTC(2026, 0), updated: 0 }),
    ofRun(),
  ],
  [
    `failed before any step, and ZenML does not say why. ${LOGS} from around 2027-01-01 00:00:00 UTC: ${URL}`,
    over('failed', { updated: Date.UTC(2027, 0) }),
    ofRun({ fault: NO_FAULT }),
  ],
  [
    `failed before any step: ran out of memory. See its steps and logs: ${URL}`,
    over('failed', { statusReason: 'not this one' }),
    ofRun({ reason: 'ran out of memory.' }),
  ],
  [
    `failed before any step: v1.2 of x. See its steps and logs: ${URL}`,
    over('failed'),
    ofRun({ reason: 'v1.2 of x' }),
  ],
  [
    `failed, but none of its steps: OSError. See its steps and logs: ${URL}`,
    over('failed'),
    ofRun({ beforeSteps: false, reason: 'x', fault: { ...NO_FAULT, type: 'OSError' } }),
  ],
  [
    `failed, but none of its steps, and ZenML does not say why. See its steps and logs: ${URL}`,
    over('failed'),
    ofRun({ beforeSteps: false }),
  ],
  [
    'did not finish within the timeout of 1h 30m',
    { kind: 'timed-out', status: 'running', failed: undefined, unseenMs: undefined },
  ],
  [
    `is waiting for a person (Deploy?). It was left as it is; answer here: ${URL}`,
    { kind: 'paused', status: 'paused', question: 'Deploy?' },
  ],
  [
    `is waiting for a person. It was left as it is; answer here: ${URL}`,
    { kind: 'paused', status: 'paused', question: undefined },
  ],
  [
    'is no longer on the server: it was deleted while it was running',
    { kind: 'gone', status: 'running', detail: 'x' },
  ],
]

test.each(lines.map(([line, watched, cause]) => ({ line, watched, cause })))(
  'at its end the step says: the run … $line',
  ({ line, watched, cause }) => {
    expect(said(watched, cause)).toBe(line === undefined ? undefined : `The run "nightly" ${line}`)
  },
)

test('of a run that could not be followed to its end the line says that the outcome is unknown', () => {
  expect(said({ kind: 'lost', refuses: false, status: 'running', detail: '403.' })).toBe(
    `The outcome of the run "nightly" is unknown. 403. When last seen it was running, and it may still be running: ${URL}`,
  )
})

test('a message of many words is cut to one line that can be read', () => {
  const message = 'word '.repeat(100)
  const told = said(over('failed'), ofStep(0, { ...NO_FAULT, message })) ?? ''
  expect(told).toMatch(/: (word ){59}word…\. See its steps/)
})

test('without a page of the run the line ends with no link', () => {
  const { error } = conclude(over('stopped'), {
    name: 'n',
    url: undefined,
    timeoutMs: undefined,
    cause: UNKNOWN,
  })
  expect(error).toBe('The run "n" was stopped')
})

const ends: readonly (readonly [conclusion: string, watched: Watched])[] = [
  ['completed', over('completed')],
  ['stopped', over('stopped')],
  ['failed', over('failed')],
  ['failed', over('melted')],
  ['timed-out', { kind: 'timed-out', status: 'running', failed: undefined, unseenMs: undefined }],
  ['failed', { kind: 'paused', status: 'paused', question: undefined }],
  ['lost', { kind: 'gone', status: 'running', detail: '' }],
  ['lost', { kind: 'lost', refuses: false, status: 'running', detail: '' }],
]

test.each(ends)(
  'the outputs say %s, the last state, and the step that failed unless the run completed',
  (conclusion, watched) => {
    const context = { name: 'nightly', url: URL, timeoutMs: 1, cause: ofStep() }
    const { remark, ...outcome } = conclude(watched, context)
    expect(outcome).toMatchObject({
      conclusion,
      status: watched.kind === 'over' ? watched.run.status : watched.status,
      failedStep: conclusion === 'completed' ? undefined : 'train',
    })
    expect(remark).toBe(watched.kind === 'paused' ? 'waits-for-person' : undefined)
  },
)
