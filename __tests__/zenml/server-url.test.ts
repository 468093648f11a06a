import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { anyText, anyUrl } from '../any-text.ts'

import { parseServerUrl } from '../../src/zenml/server-url.ts'

test.each([
  ['https://zenml.example.com', 'https://zenml.example.com'],
  ['  https://zenml.example.com/  ', 'https://zenml.example.com'],
  ['HTTPS://ZenML.Example.COM', 'https://zenml.example.com'],
  ['https://zenml.example.com:443', 'https://zenml.example.com'],
  ['https://zenml.example.com:8443///', 'https://zenml.example.com:8443'],
  ['https://zenml.example.com/team/zenml/', 'https://zenml.example.com/team/zenml'],
  ['https://tools.example.com/docs/zenml', 'https://tools.example.com/docs/zenml'],
  ['https://bücher.example', 'https://xn--bcher-kva.example'],
  ['https://1bfe5d94-zenml.cloudinfra.zenml.io', 'https://1bfe5d94-zenml.cloudinfra.zenml.io'],
  ['http://localhost:8237', 'http://localhost:8237'],
  ['http://127.0.0.1:8237/', 'http://127.0.0.1:8237'],
  ['http://[::1]:8237/zenml', 'http://[::1]:8237/zenml'],
])('%j is taken without a word as %s', (text, url) => {
  expect(parseServerUrl(text)).toEqual({ ok: true, url, plainHttp: false, notices: [] })
})

test.each([
  ['https://zenml.example.com/api/v1', '/api/v1'],
  ['https://zenml.example.com/api/v1/', '/api/v1'],
  ['https://zenml.example.com/api/v1/run_templates', '/api/v1/…'],
  ['https://zenml.example.com/docs', '/docs'],
  ['https://zenml.example.com/redoc', '/redoc'],
  ['https://zenml.example.com/openapi.json', '/openapi.json'],
  ['https://zenml.example.com/login', '/login'],
  ['https://zenml.example.com/projects/default/runs/5f0e', '/projects/default/…'],
  ['https://zenml.example.com/workspaces/default/all-pipelines', '/workspaces/default/…'],
  ['https://zenml.example.com/runs/5f0e', '/runs/5f0e'],
  ['https://zenml.example.com/settings/general', '/settings/general'],
])('the ending of %s is removed with a notice', (text, ending) => {
  expect(parseServerUrl(text)).toEqual({
    ok: true,
    url: 'https://zenml.example.com',
    plainHttp: false,
    notices: [
      `the path ${ending} is a page of the server and was removed; the server is https://zenml.example.com`,
    ],
  })
})

test('a path prefix stays when an ending is removed', () => {
  expect(parseServerUrl('https://example.com/zenml/projects/default')).toMatchObject({
    url: 'https://example.com/zenml',
  })
})

test('a query and a hash are removed with a notice', () => {
  expect(parseServerUrl('https://zenml.example.com/?page=1#top')).toMatchObject({
    url: 'https://zenml.example.com',
    notices: ['everything after ? or # was removed; the server is https://zenml.example.com'],
  })
})

test.each([
  'http://zenml.example.com',
  'http://10.0.0.5',
  'http://localhost.example.com',
  'http://[fe80::1]',
  'http://0.0.0.0',
  'http://zenml.localhost',
  'http://localhost.',
  'http://127.0.0.1.example.com',
  'http://[::ffff:127.0.0.1]',
])('%s would send a credential in the clear', (text) => {
  expect(parseServerUrl(text)).toMatchObject({ ok: true, plainHttp: true })
})

test.each(['http://127.1', 'http://2130706433', 'http://127.9.9.9', 'http://LocalHost'])(
  '%s is this machine',
  (text) => {
    expect(parseServerUrl(text)).toMatchObject({ ok: true, plainHttp: false })
  },
)

test.each([
  '',
  ' ',
  'https://',
  'http://:80',
  'https://@zenml.example.com',
  'https://a b',
  'https://[::1',
  'data:,x',
  '/',
  'x@y',
])('%j is a problem', (text) => {
  expect(parseServerUrl(text)).toMatchObject({ ok: false })
})

test('any text is a bare address that reads as itself, or a problem on one line', () => {
  const part = fc.oneof(
    fc.constantFrom(
      'https://',
      'http://',
      '/',
      '@',
      ':',
      '?',
      '#',
      'api/v1',
      'projects',
      'localhost',
      '[::1]',
      'cloud.zenml.io',
    ),
    anyText(5),
    anyUrl(),
  )
  fc.assert(
    fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
      const parsed = parseServerUrl(parts.join(''))
      if (!parsed.ok) {
        expect(parsed.problem).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u)
        return
      }
      const url = new URL(parsed.url)
      expect([url.username, url.password, url.search, url.hash]).toEqual(['', '', '', ''])
      expect(parsed.url).not.toMatch(/\/$/)
      expect(parseServerUrl(parsed.url)).toMatchObject({ ok: true, url: parsed.url, notices: [] })
    }),
    { numRuns: 2000 },
  )
})

test('no problem shows what stands before an @', () => {
  fc.assert(
    fc.property(
      fc.stringMatching(/^[a-z]{12}$/),
      fc.constantFrom('', 'https://', 'ftp://', '//', 'http:'),
      (password, start) => {
        const parsed = parseServerUrl(`${start}user:${password}@zenml.example.com/api/v1`)
        expect(parsed.ok).toBe(false)
        expect(JSON.stringify(parsed)).not.toContain(password)
      },
    ),
  )
})
