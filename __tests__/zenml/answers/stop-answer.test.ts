import { expect, test } from '@jest/globals'
import { readStopAnswer, type StopAnswer } from '../../../src/zenml/answers/stop-answer.ts'

const illegal = (message: string): unknown => ({ detail: ['IllegalOperationError', message] })

test.each<[StopAnswer['kind'], string, number, unknown]>([
  ['accepted', 'a run that stops now', 200, null],
  ['accepted', 'a run that stops now, shown', 200, { id: 'f00' }],
  ['unclear', 'a word of something else', 200, 'OK'],
  ['unclear', 'JSON of something else', 200, { status: 'maintenance' }],
  ['too-early', 'no orchestrator yet', 403, illegal('No orchestrator run ID found for pipeline run.')],
  ['accepted', 'a run that was stopped', 403, illegal('Pipeline run is already stopped.')],
  ['accepted', 'a run that is being stopped', 403, illegal('Pipeline run is already being stopped.')],
  ['accepted', 'a run that has completed', 403, illegal('Pipeline run is already completed.')],
  ['accepted', 'a run that was cancelled', 403, illegal('Pipeline run is already cancelled.')],
  ['finished', 'a final state', 403, illegal('Cannot change the status of a finished run')],
  ['refused', 'no permission', 403, illegal('Insufficient permissions to UPDATE resource')],
  ['unsupported', 'a server without this request', 404, { detail: 'Not Found' }],
  ['gone', 'a run that is not there', 404, { detail: ['KeyError', 'No run with this ID found'] }],
  ['unsupported', 'another method', 405, { detail: 'Method Not Allowed' }],
  ['doubtful', 'a failure of the orchestrator', 500, { detail: ['RuntimeError', 'The cluster is away'] }],
  ['doubtful', 'an orchestrator that cannot', 501, { detail: ['NotImplementedError', 'no'] }],
  ['unclear', 'a limit', 429, { detail: ['Limited', 'slow down'] }],
  ['unclear', 'a server that starts', 503, { detail: ['Away', 'come back later'] }],
  ['unclear', 'a gateway that does not reach the server', 522, 'error code: 522'],
  ['refused', 'a request that is wrong', 422, { detail: ['ValueError', 'no'] }],
  ['unclear', 'a page of a proxy', 403, '<html>no</html>'],
  ['unclear', 'a page of a proxy that has no run', 404, '<html>no</html>'],
])('%s: %s', (kind, _, status, body) => {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  expect(readStopAnswer({ status, headers: {}, body: text }, 0)).toMatchObject({ kind })
})
