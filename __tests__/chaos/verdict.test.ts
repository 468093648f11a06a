import { expect, test } from '@jest/globals'
import { drawCase, type Case } from '../../chaos/draw.ts'
import type { Ending, HeldRun, Observation } from '../../chaos/ending.ts'
import { judge } from '../../chaos/verdict.ts'

const ID = 'a0000000-0000-4000-8000-000000000001'
const OTHER = 'b0000000-0000-4000-8000-000000000002'

const going: HeldRun = {
  id: ID,
  name: 'nightly',
  nameSent: 'nightly',
  status: 'running',
  busy: true,
  gone: false,
}
const stopped: HeldRun = { ...going, status: 'stopped', busy: false }

/** A case in which nothing happens to a step that starts a run and does not wait. */
const quiet: Case = {
  ...drawCase(1, 'A', 0),
  pipeline: 'quick',
  wait: false,
  dryRun: false,
  runName: 'nightly',
  nameTaken: false,
  naming: 'as sent',
  timeoutMs: undefined,
  onCancel: 'stop',
  onTimeout: 'stop',
  faults: [],
  interruptions: [],
}

const started: Ending = {
  conclusion: 'started',
  status: 'running',
  runId: ID,
  green: true,
  line: 'The run started',
  unforeseen: '',
}

function seen(changes: Partial<Observation> = {}): Observation {
  const runs = [going]
  return {
    main: started,
    settled: true,
    post: undefined,
    atMainEnd: runs,
    atPostEnd: runs,
    later: runs,
    endedByMain: [],
    endedByPost: [],
    postRequests: 0,
    vanished: new Set(),
    tampered: false,
    cancelled: false,
    shown: '',
    secrets: [],
    hung: false,
    ...changes,
  }
}

function offences(drawn: Case, observation: Observation): string[] {
  return judge(drawn, observation).map(({ offence, text }) => `${offence}: ${text}`)
}

test('a run that goes on because nobody waits for it is no offence', () => {
  expect(offences(quiet, seen())).toEqual([])
})

test('a post step that stops a run that nobody waits for is seen', () => {
  const line = 'The run "nightly" was stopped'
  const post: Ending = { ...started, conclusion: undefined, runId: undefined, green: undefined, line }
  const after = {
    post,
    settled: false,
    endedByPost: [ID],
    postRequests: 3,
    later: [stopped],
    atPostEnd: [stopped],
  }
  expect(offences(quiet, seen(after))).toEqual([
    'wrong result: the post step ended a run that was left on purpose',
  ])
})

test('a post step that asks the server although nothing was left to see to is seen', () => {
  expect(offences(quiet, seen({ postRequests: 2 }))).toEqual([
    'wrong result: nothing was left to see to, and the post step sent 2 requests',
  ])
})

test.each(['cancelled', 'timed-out'] as const)(
  'a run that is to be left when %s, and is stopped, is seen',
  (conclusion) => {
    const drawn: Case = {
      ...quiet,
      wait: true,
      onCancel: 'keep-running',
      onTimeout: 'keep-running',
      timeoutMs: 60_000,
    }
    const line = 'The run "nightly" was left running, as requested (keep-running)'
    const main: Ending = { ...started, conclusion, green: false, line }
    const left = seen({ main, cancelled: conclusion === 'cancelled' })
    expect(offences(drawn, left)).toEqual([])
    expect(offences(drawn, { ...left, endedByMain: [ID] })).toEqual([
      'wrong result: main ended a run that was to be left',
    ])
    expect(offences(drawn, { ...left, endedByPost: [ID] })).toEqual([
      'wrong result: the post step ended a run that was left on purpose',
    ])
  },
)

const handingOver: Case = { ...quiet, wait: true, onTimeout: 'hand-over', timeoutMs: 60_000 }
const handedOver: Ending = { ...started, conclusion: 'running', line: 'The run running' }

test('a run that is handed over is no offence; one that is stopped then is seen', () => {
  const left = seen({ main: handedOver })
  expect(offences(handingOver, left)).toEqual([])
  expect(offences(handingOver, { ...left, endedByMain: [ID] })).toEqual([
    'wrong result: main ended a run that was to be left',
  ])
  expect(offences(handingOver, { ...left, endedByPost: [ID] })).toEqual([
    'wrong result: the post step ended a run that was left on purpose',
  ])
})

test('a run that is handed over though nobody wished it, or though it completed, is seen', () => {
  const left = seen({ main: handedOver })
  expect(offences({ ...handingOver, onTimeout: 'stop' }, left).join('\n')).toContain('conclusion running')
  const completed = { ...handedOver, status: 'completed' }
  expect(offences(handingOver, seen({ main: completed })).join('\n')).toContain('conclusion running')
  expect(offences(handingOver, seen({ main: { ...handedOver, green: false } }))).toEqual([
    'wrong result: green is false with the conclusion running',
  ])
})

test("a request that ends somebody else's run is seen", () => {
  expect(offences(quiet, seen({ endedByMain: [OTHER] }))).toEqual([
    `wrong result: ${OTHER} is not a run of this step, and was to be ended`,
  ])
})

test('a dry run that starts a run is seen', () => {
  const main: Ending = { ...started, conclusion: 'dry-run', runId: undefined }
  expect(offences({ ...quiet, dryRun: true }, seen({ main })).join('\n')).toContain('conclusion dry-run')
})

test('a run that nobody speaks of is lost; one that is named under the name that was sent is not', () => {
  const renamed = { ...going, name: 'NIGHTLY' }
  const main: Ending = { ...started, conclusion: 'lost', runId: undefined, green: false }
  const of = (line: string) =>
    offences(
      { ...quiet, naming: 'upper case', faults: drawCase(1, 'A', 0).faults },
      seen({
        main: { ...main, line },
        settled: false,
        atMainEnd: [renamed],
        atPostEnd: [renamed],
        later: [renamed],
      }),
    ).filter((text) => text.startsWith('lost run'))
  expect(of('Something went wrong')).toHaveLength(1)
  expect(of('It is not known whether it was started: look for a run named "nightly"')).toHaveLength(0)
})

test('a secret that is shown is a leak, in whichever form', () => {
  const secrets = ['ZENKEY_abcdefghijklmnop']
  expect(offences(quiet, seen({ secrets, shown: Buffer.from(secrets[0] ?? '').toString('hex') }))).toEqual([
    'leaked secret: a key or a token was shown',
  ])
})

test('a step that is killed after it had left its run on purpose is no offence; one that had only waited is', () => {
  const main: Ending = { ...started, conclusion: undefined, green: undefined, line: '' }
  expect(offences(quiet, seen({ main }))).toEqual([])
  expect(offences({ ...quiet, wait: true }, seen({ main }))).toEqual([
    'unaccounted run: nightly goes on (running), but the last line is: ',
    'unaccounted run: nightly goes on (running), and the post step was told to do nothing',
  ])
})

const OUT_OF_SIGHT = 'The outcome of the run "nightly" is unknown. It may still be running'
const NOT_STOPPED = `${OUT_OF_SIGHT}. It was not stopped (on-lost: keep-running)`

/** A run that was followed and is out of sight, whatever else was wished. */
function lost(line: string, changes: Partial<Observation> = {}): Observation {
  return seen({ main: { ...started, conclusion: 'lost', green: false, line }, ...changes })
}

function postOf(line: string): Pick<Observation, 'post' | 'settled' | 'postRequests'> {
  const post: Ending = { ...started, conclusion: undefined, runId: undefined, green: undefined, line }
  return { post, settled: false, postRequests: 3 }
}

test.each(['stop', 'keep-running'] as const)(
  'a run that is out of sight is left alone with on-lost: keep-running, and on-cancel: %s changes nothing',
  (onCancel) => {
    const drawn: Case = { ...quiet, wait: true, onLost: 'keep-running', onCancel }
    expect(offences(drawn, lost(NOT_STOPPED))).toEqual([])
    expect(offences(drawn, lost(NOT_STOPPED, { endedByMain: [ID] }))).toEqual([
      'wrong result: main ended a run that was to be left',
    ])
    const ended = { ...postOf('The run "nightly" was stopped'), later: [stopped], atPostEnd: [stopped] }
    expect(offences(drawn, lost(NOT_STOPPED, { ...ended, endedByPost: [ID] }))).toEqual([
      'wrong result: the post step ended a run that was left on purpose',
      'wrong result: on-lost is keep-running, and the post step was told to do it',
    ])
    expect(offences(drawn, lost(OUT_OF_SIGHT))).toContain(
      `wrong result: on-lost is keep-running, but the last line is: ${OUT_OF_SIGHT}`,
    )
  },
)

test.each(['stop', 'keep-running'] as const)(
  'with on-lost: stop the post step tries to stop it, and on-cancel: %s changes nothing',
  (onCancel) => {
    const drawn: Case = { ...quiet, wait: true, onLost: 'stop', onCancel }
    const ended = { later: [stopped], atPostEnd: [stopped], endedByPost: [ID] }
    const stop = postOf('The run "nightly" was stopped')
    expect(offences(drawn, lost(OUT_OF_SIGHT, { ...stop, ...ended }))).toEqual([])
    expect(offences(drawn, lost(NOT_STOPPED, { ...stop, ...ended }))).toEqual([
      `wrong result: on-lost is stop, but the last line is: ${NOT_STOPPED}`,
    ])
    expect(offences(drawn, lost(OUT_OF_SIGHT)).join('\n')).toContain(
      'on-lost is stop, and the post step was told to do nothing',
    )
    const leave = postOf('The run "nightly" was left running, as requested (keep-running)')
    expect(offences(drawn, lost(OUT_OF_SIGHT, leave))).toEqual([
      `wrong result: on-lost is stop, but the post step did not try: ${leave.post?.line ?? ''}`,
    ])
  },
)

test('a run of which nobody knows whether it began is what on-cancel says, not on-lost', () => {
  const main: Ending = { ...started, conclusion: 'lost', runId: undefined, green: false }
  const line = 'It is not known whether the run "nightly" was started, and it may still be running'
  const ended = {
    ...postOf('The run "nightly" was stopped'),
    later: [stopped],
    atPostEnd: [stopped],
    endedByPost: [ID],
    main: { ...main, line },
  }
  const faults = drawCase(1, 'A', 0).faults
  const drawn: Case = { ...quiet, wait: true, faults, timeoutMs: 60_000 }
  expect(offences({ ...drawn, onLost: 'keep-running', onCancel: 'stop' }, seen(ended))).toEqual([])
  expect(offences({ ...drawn, onLost: 'stop', onCancel: 'keep-running' }, seen(ended))).toEqual([
    'wrong result: the post step ended a run that was left on purpose',
  ])
})

test('a run that begins after the post step has looked for it is no offence where its last line says to check again', () => {
  const line =
    'No run named "nightly" is on the server. The request to start it was sent, so check again later if in doubt'
  const cancelled: Ending = { ...started, conclusion: 'cancelled', runId: undefined, green: false, line }
  const post: Ending = { ...cancelled, conclusion: undefined, green: undefined }
  const late = { main: cancelled, post, settled: false, cancelled: true, atMainEnd: [], atPostEnd: [] }
  expect(offences({ ...quiet, wait: true }, seen(late))).toEqual([])
})
