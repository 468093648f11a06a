import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { TransportError } from '../../src/http/transport-error.ts'
import { AnswerError, CredentialError, UnreachableError } from '../../src/zenml/errors.ts'
import { Deadline } from '../../src/base/deadline.ts'
import { backoffMs, decideRetry, isPassing } from '../../src/zenml/retry.ts'

const MOST_ATTEMPTS = 7

function answered(status: number, body = '{"detail": "x"}', retryAfter?: string): AnswerError {
  const headers = retryAfter === undefined ? {} : { 'retry-after': retryAfter }
  return new AnswerError('read the run', { status, headers, body }, 0)
}

const refused = new TransportError('ECONNREFUSED', 'the connection was refused', false)
const untrusted = new TransportError('CERT_UNTRUSTED', 'the certificate is not trusted', false, true)

test.each([
  ['a refused connection', refused],
  ['a reset after sending', new TransportError('ECONNRESET', 'reset', true)],
  ['a time-out', new TransportError('TIMEOUT', 'late', true)],
  ['an unreachable server', new UnreachableError('read the run', refused)],
  ...[408, 425, 429, 500, 502, 503, 504].map((status): [string, AnswerError] => [
    `a ${status}`,
    answered(status),
  ]),
  ...[505, 507, 520, 521, 522, 526, 530, 599].map((status): [string, AnswerError] => [
    `a gateway's own ${status}`,
    answered(status, `error code: ${status}`),
  ]),
  ['a web page with status 502', answered(502, '<html>')],
  ['a web page with status 200', answered(200, '<html>')],
  ['a 200 of a foreign shape', answered(200, '{}')],
])('%s is tried again', (_name, error) => {
  expect(isPassing(error)).toBe(true)
  expect(decideRetry(error, 1, 0.5)).toEqual({ kind: 'retry', waitMs: 500 })
})

test.each([
  ['a certificate that is not trusted', untrusted],
  ['an unreachable server whose certificate is not trusted', new UnreachableError('log in', untrusted)],
  ['a refused credential', new CredentialError('no')],
  ...[400, 401, 402, 403, 404, 405, 409, 422, 501].map((status): [string, AnswerError] => [
    `a ${status}`,
    answered(status),
  ]),
])('%s is not tried again', (_name, error) => {
  expect(isPassing(error)).toBe(false)
  expect(decideRetry(error, 1, 0.5)).toEqual({ kind: 'give-up' })
})

test.each([
  ['a redirect', 307, ''],
  ['a web page with status 404', 404, '<html>'],
  ['the 404 of a load balancer', 404, '404 page not found'],
  ['a 404 without a text', 404, ''],
  ['a 403 without a text', 403, ''],
  ['a 403 of a service mesh', 403, 'RBAC: access denied'],
  ['the 404 of a gateway in JSON', 404, '{"message":"no Route matched"}'],
  ['the 404 of a Spring gateway', 404, '{"status":404,"error":"Not Found","path":"/x"}'],
])('%s may pass, but nobody waits for a wrong address', (_name, status, body) => {
  expect(isPassing(answered(status, body))).toBe(true)
  expect(decideRetry(answered(status, body), 1, 0.5)).toEqual({ kind: 'give-up' })
})

test('the seventh failure is the last', () => {
  const kinds = Array.from({ length: 9 }, (_, index) => decideRetry(refused, index + 1, 0.5).kind)
  expect(kinds.indexOf('give-up')).toBe(MOST_ATTEMPTS - 1)
  expect(kinds.slice(MOST_ATTEMPTS - 1)).toEqual(['give-up', 'give-up', 'give-up'])
})

test.each([
  ['1', 0, 1000],
  ['1', 0.5, 1500],
  ['120', 0.999, 120_999],
])('a Retry-After of %s s is a minimum, with jitter on top', (asked, random, waitMs) => {
  expect(decideRetry(answered(429, '{}', asked), 1, random)).toEqual({ kind: 'retry', waitMs })
})

test('a Retry-After beyond two minutes is left to the person', () => {
  expect(decideRetry(answered(429, '{}', '121'), 1, 0)).toEqual({ kind: 'give-up' })
})

test('where something depends on the answer, a longer Retry-After is waited for two minutes at a time', () => {
  const deadline = new Deadline({ elapsed: () => 0 }, 600_000)
  const insistence = { deadline, isFinal: () => false }
  const decision = decideRetry(answered(429, '{}', '900'), 40, 0, insistence)
  expect(decision).toEqual({ kind: 'retry', waitMs: 120_000 })
})

test.each([
  [1, 1_000],
  [2, 2_000],
  [3, 4_000],
  [4, 8_000],
  [5, 15_000],
  [1_000_000, 15_000],
])('before try %i the wait is drawn from 0 to its bound', (attempt, bound) => {
  expect(backoffMs(attempt, 0)).toBe(0)
  expect(backoffMs(attempt, 0.25)).toBe(bound / 4)
  expect(backoffMs(attempt, 0.999_999)).toBe(bound)
})

test('base and cap can be chosen', () => {
  expect(backoffMs(1, 0.5, { baseMs: 100 })).toBe(50)
  expect(backoffMs(9, 0.5, { baseMs: 100, capMs: 300 })).toBe(150)
})

test('every wait is finite, not below Retry-After, and at most 15 s above it', () => {
  const attempts = fc.integer({ min: 1, max: MOST_ATTEMPTS - 1 })
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
  const seconds = fc.option(fc.integer({ min: 0, max: 120 }), { nil: undefined })
  fc.assert(
    fc.property(attempts, random, seconds, fc.constantFrom(429, 503), (attempt, chance, asked, status) => {
      const decision = decideRetry(answered(status, '{}', asked?.toString()), attempt, chance)
      if (decision.kind !== 'retry') throw new Error('gave up')
      const minimum = (asked ?? 0) * 1000
      expect(decision.waitMs).toBeGreaterThanOrEqual(minimum)
      expect(decision.waitMs).toBeLessThanOrEqual(minimum + 15_000)
    }),
  )
})

test('no Retry-After, however odd, gives a wait that is endless or negative', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.double().map(String)), (asked) => {
      const decision = decideRetry(answered(503, '{}', asked), 1, 0.5)
      if (decision.kind === 'retry') {
        expect(decision.waitMs).toBeGreaterThanOrEqual(0)
        expect(decision.waitMs).toBeLessThanOrEqual(121_000)
      }
    }),
  )
})
