import { afterEach, expect, test } from '@jest/globals'
import type { Fault } from '../../../simulator/index.ts'
import { closeScenes, openScene } from '../scene.ts'

afterEach(closeScenes)

const EXPECTED = { expectations: [{ name: 'accuracy', operator: '>=', wanted: 0.5 } as const] }
const MINUTE = 60_000

const said = (status: number, detail: unknown): Fault['do'] => ({
  kind: 'answer',
  status,
  body: JSON.stringify({ detail }),
})

const REFUSED = said(401, ['CredentialsNotValid', 'Error decoding access token'])

const away: Fault['do'] = { kind: 'html', status: 503 }

const UNREACHED: Fault['do'] = {
  kind: 'answer',
  status: 522,
  body: 'error code: 522',
  contentType: 'text/plain',
}

test.each<[string, Fault['do'], Fault['occurrence']]>([
  ['the server is away for minutes', away, { from: 1, to: 25 }],
  [
    'the server asks once for five minutes',
    { kind: 'answer', status: 503, headers: { 'retry-after': '300' } },
    1,
  ],
  ['a gateway that does not reach the server says 522 for minutes', UNREACHED, { from: 1, to: 25 }],
  ["a gateway's 404 comes once", { kind: 'html', status: 404 }, 1],
  ['a replica refuses the token and the new one', REFUSED, { from: 1, to: 6 }],
  ["a gateway's 404 in JSON comes three times", said(404, 'Not Found'), { from: 1, to: 3 }],
  ["a gateway's 403 in JSON comes three times", said(403, 'Forbidden'), { from: 1, to: 3 }],
  ["a gateway's 403 comes three times", { kind: 'html', status: 403 }, { from: 1, to: 3 }],
])('a completed run is judged by what it logged, though %s', async (_, fault, occurrence = 1) => {
  const scene = await openScene({ faults: [{ on: 'steps', occurrence, do: fault }] })
  expect((await scene.execute(EXPECTED)).conclusion).toBe('completed')
})

/** Minutes for which a list of steps that cannot be had is asked for. */
async function askedFor(fault: Fault['do'], lostAfterMs: number): Promise<number> {
  const scene = await openScene({ faults: [{ on: 'steps', occurrence: 'always', do: fault }] })
  const result = await scene.execute({ ...EXPECTED, lostAfterMs })
  expect(result.conclusion).toBe('expectation-missed')
  expect(result.error).toContain('could not be read')
  const times = scene.server.requests.filter(({ path }) => path.includes('/steps?')).map(({ at }) => at)
  return ((times.at(-1) ?? NaN) - (times[0] ?? NaN)) / MINUTE
}

test('a server that is away is waited for as long as lost-after says', async () => {
  const minutes = await askedFor(away, 10 * MINUTE)
  expect(minutes).toBeGreaterThan(9)
  expect(minutes).toBeLessThan(10.5)
})

test('a short lost-after leaves three minutes for what a verdict depends on', async () => {
  const minutes = await askedFor(away, MINUTE)
  expect(minutes).toBeGreaterThan(2.5)
  expect(minutes).toBeLessThan(3.5)
})

test('a server that is there and answers only with errors does not hold the step for half an hour', async () => {
  expect(
    await askedFor({ kind: 'answer', status: 500, body: 'Internal Server Error' }, 30 * MINUTE),
  ).toBeLessThan(8)
  expect(await askedFor({ kind: 'html', status: 404 }, 30 * MINUTE)).toBeLessThan(8)
})

test.each<[string, Fault['do']]>([
  ['refuses the token', REFUSED],
  ['has a no of a gateway before it', said(403, 'Forbidden')],
])('a server that %s is asked for two minutes, and not for as long as lost-after says', async (_, fault) => {
  const minutes = await askedFor(fault, 30 * MINUTE)
  expect(minutes).toBeGreaterThanOrEqual(2)
  expect(minutes).toBeLessThan(4)
})

test('a permission that the account lacks is believed at once', async () => {
  const denied = said(403, ['IllegalOperationError', 'Insufficient permissions to READ resource'])
  expect(await askedFor(denied, 30 * MINUTE)).toBe(0)
})

test('a login that finds the server away at the end of the run is tried again until lost-after', async () => {
  const scene = await openScene({
    faults: [
      { on: 'steps', do: REFUSED },
      { on: 'login', occurrence: { from: 2, to: 12 }, do: away },
    ],
  })
  expect((await scene.execute(EXPECTED)).conclusion).toBe('completed')
})

test('ZenML 0.74 has no graph of a run, and says so without a delay of the step', async () => {
  const scene = await openScene({ version: '0.74.0' })
  await scene.execute(EXPECTED)
  const ended = scene.server.requests.find(({ path }) => path.includes('/steps?pipeline_run_id'))?.at ?? NaN
  expect(scene.clock.now() - ended).toBeLessThan(MINUTE)
})
