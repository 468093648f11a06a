import { expect, test } from '@jest/globals'
import { readTriggerAnswer, type TriggerAnswer } from '../../../src/zenml/answers/trigger-answer.ts'

const RUN = { id: 'r-1', name: 'r', body: { status: 'initializing' }, metadata: null, resources: null }
const TOO_BUSY = { error: 'Server too busy. Please try again later.' }
const NO_SLOT = {
  detail: ['MaxConcurrentTasksError', 'Maximum number of concurrent snapshot tasks reached.'],
}
const HTML = '<!doctype html><title>504 Gateway Time-out</title>'

function read(status: number, body: unknown, headers: Record<string, string> = {}): TriggerAnswer {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return readTriggerAnswer({ status, headers, body: text }, 0)
}

test('a run in the answer was started', () => {
  expect(read(200, RUN)).toMatchObject({
    kind: 'started',
    run: { id: 'r-1', name: 'r', status: 'initializing' },
  })
})

test('a run that the account may trigger but not see was started', () => {
  expect(read(200, { ...RUN, permission_denied: true, body: null })).toMatchObject({
    kind: 'started',
    run: { id: 'r-1', status: 'unknown' },
  })
})

test.each<[TriggerAnswer['kind'], string, number, unknown]>([
  ['working', 'too busy', 429, TOO_BUSY],
  ['no-slot', 'no free slot', 429, NO_SLOT],
  ['no-slot', 'no free slot, as text', 429, 'Maximum number of concurrent run template tasks reached'],
  ['limited', 'the limit of a proxy', 429, 'Too Many Requests'],
  ['limited', 'the limit of a proxy, as a web page', 429, '<html>'],
  ['name-taken', 'a name in use', 409, { detail: ['EntityExistsError', 'Unable to create'] }],
  ['refused', 'a changed stack', 400, { detail: ['ValueError', 'The stack x has been updated'] }],
  ['refused', 'no subscription', 402, { detail: ['SubscriptionUpgradeRequiredError', 'limit'] }],
  ['refused', 'no rights', 403, { detail: ['IllegalOperationError', 'Insufficient permissions'] }],
  ['refused', 'an unknown id', 404, { detail: ['KeyError', "'no'"] }],
  ['refused', 'an unknown route', 405, { detail: 'Method Not Allowed' }],
  ['refused', 'a body too large for a proxy', 413, '<html>'],
  ['refused', 'a wrong shape', 422, ['ValueError', '1 validation error']],
  [
    'refused',
    'no workload manager',
    501,
    { detail: ['NotImplementedError', 'Workload management is not enabled'] },
  ],
  ['unclear', 'a 501 of something else', 501, HTML],
  ['unclear', 'a time-out of the request', 408, { detail: 'x' }],
  ['unclear', 'a broken server', 500, 'Internal Server Error'],
  ['unclear', 'the Pro service away', 500, { detail: ['RuntimeError', 'Failed while trying to contact'] }],
  ['unclear', 'a proxy without its server', 502, HTML],
  ['unclear', 'a server that is away', 503, ''],
  ['unclear', 'a proxy that waited too long', 504, HTML],
  ['unclear', 'a 200 that is cut', 200, '{"id": "r-1", "na'],
  ['unclear', 'a 200 of a foreign shape', 200, { hello: 1 }],
  ['unclear', 'a 200 with a web page', 200, HTML],
  ['unclear', 'an empty 200', 200, ''],
  ['unclear', 'a 200 with null', 200, null],
  ['unclear', 'a 200 with a list of runs', 200, [RUN]],
  ['unclear', 'a 200 with a run of numbers', 200, { ...RUN, id: 5 }],
  ['unclear', 'a 202', 202, RUN],
  ['unclear', 'a 204', 204, ''],
  ['refused', 'a redirect', 307, ''],
])('%s: %s (%i)', (kind, _name, status, body) => {
  expect(read(status, body)).toMatchObject({ kind, error: { status } })
})

test('a 429 keeps its Retry-After', () => {
  expect(read(429, 'slow down', { 'retry-after': '7' })).toMatchObject({
    kind: 'limited',
    error: { retryAfterMs: 7000 },
  })
})

test('the error says what was tried and what came', () => {
  const answer = read(429, TOO_BUSY)
  expect(answer.kind === 'started' ? '' : answer.error.message).toBe(
    'Could not start the run: the server answered 429: Server too busy. Please try again later.',
  )
})
