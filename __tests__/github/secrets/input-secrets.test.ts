import { expect, test } from '@jest/globals'
import { InputSecrets } from '../../../src/github/secrets/input-secrets.ts'

test.each(['"', "'", '`'])(
  'a secret that was pasted with %s around it is hidden without them, too',
  (mark) => {
    const secrets = new InputSecrets([`${mark}ZENKEY_0123456789${mark}`])

    expect(secrets.values).toEqual([`${mark}ZENKEY_0123456789${mark}`, 'ZENKEY_0123456789'])
    expect(secrets.redact('key=ZENKEY_0123456789;')).toBe('key=***;')
  },
)

test.each(['token-"pipeline"', '"pipeline"-token', `"pipeline'`, 'pipeline'])(
  'of the secret %s no part is hidden on its own',
  (secret) => {
    expect(new InputSecrets([secret]).values).toEqual([secret])
  },
)

test('a line end behind a quoted secret is no part of it', () => {
  expect(new InputSecrets([' "ZENKEY_0123456789"\n']).values).toEqual([
    '"ZENKEY_0123456789"',
    'ZENKEY_0123456789',
  ])
})

test('of two secrets of which one holds the other nothing is left', () => {
  expect(new InputSecrets(['secret', 'secret-and-more']).redact('secret-and-more, secret')).toBe('***, ***')
})

test('each line of a secret is hidden, but for those that are too short to hide', () => {
  const secrets = new InputSecrets(['first line\r\nabc\nlast line\n'])

  expect(secrets.values).toEqual(['first line\r\nabc\nlast line', 'first line', 'last line'])
  expect(new InputSecrets(['abcd']).values).toEqual(['abcd'])
})

test('only a value of at least 16 characters is taken for a secret that was pasted in the wrong place', () => {
  expect(new InputSecrets(['fifteen-letters']).areIn('with fifteen-letters in it')).toBe(false)
  expect(new InputSecrets(['sixteen-letters-']).areIn('with sixteen-letters- in it')).toBe(true)
  expect(new InputSecrets(['sixteen-letters-']).areIn('without')).toBe(false)
})
