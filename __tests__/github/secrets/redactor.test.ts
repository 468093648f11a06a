import { expect, test } from '@jest/globals'
import fc from 'fast-check'

import { KnownSecrets } from '../../../src/github/secrets/redactor.ts'
import { shownStretches } from '../../action/secrecy.ts'
import { anyText } from '../../any-text.ts'
import { KEY, SECRET_FORMS } from './secret-forms.ts'

const TOKEN =
  'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiI3YjFmNDg5Mi0yZDYxLTRlMGMtYmM3YSJ9.q4Vd-Zp_0xKJ8sWnT1yRmHcLbA5uEoGf'

function knowing(...secrets: readonly string[]): KnownSecrets {
  const known = new KnownSecrets()
  for (const secret of secrets) known.add(secret)
  return known
}

const known = knowing(KEY, TOKEN)

test.each(SECRET_FORMS)('a secret %s is covered wherever it stands', (_, form) => {
  for (const secret of [KEY, TOKEN]) {
    const shown = form(secret)
    expect(shownStretches(shown, [secret])).not.toEqual([])
    for (const text of [
      shown,
      `a ${shown} b`,
      `"${shown}"`,
      `${shown}${shown}`,
      `::error title=${shown}::${shown}`,
    ]) {
      expect(known.redact(text)).toMatch(/\*\*|\b0\b/)
      expect(shownStretches(known.redact(text), [secret])).toEqual([])
    }
  }
})

test('the whole word goes, so that neither its beginning nor its end is left', () => {
  expect(known.redact(`a key-${KEY}-b c`)).toBe('a *** c')
  expect(known.redact(`Bearer ${KEY.slice(5, 60)}?!`)).toBe('Bearer ***?!')
  expect(known.redact(Buffer.from(`Bearer ${KEY}&x`).toString('base64'))).toBe('***')
  expect(known.redact(`${KEY}==\n${TOKEN}`)).toBe('***\n***')
})

test('a secret is covered among thousands of escapes, and all else stays', () => {
  const many = '&#60;p title=&#34;&#34;&#62;'.repeat(3_000)
  const escaped = KEY.replace(/[^]/g, (sign) => `&#${sign.charCodeAt(0)};`)
  for (const form of [KEY, escaped]) {
    expect(known.redact(`${many}${form}${many}`)).toBe(`${many}***${many}`)
  }
})

test.each<[string, (code: number) => string]>([
  ['\\x4b', (code) => `\\x${code.toString(16)}`],
  ['\\u004b', (code) => `\\u00${code.toString(16)}`],
  ['\\u{4b}', (code) => `\\u{${code.toString(16)}}`],
  ['\\u{00004b}', (code) => `\\u{${code.toString(16).padStart(6, '0')}}`],
  ['%4b', (code) => `%${code.toString(16)}`],
  ['&#x4b;', (code) => `&#x${code.toString(16)};`],
])('a secret is covered where each letter is written as %s is', (_, written) => {
  const escaped = KEY.replace(/[^]/g, (sign) => written(sign.charCodeAt(0)))
  expect(known.redact(`a ${escaped} b`)).toBe('a *** b')
})

test('what a key of ZenML is made of is covered as well, but not its id', () => {
  const inner = { id: '01b2c3d4-5e6f-4a1b-8c2d-3e4f5a6b7c8d', key: '7f3a9dc1e4b2608fa5c1d3b70b9f48e6' }
  const key = `ZENPROKEY_${Buffer.from(JSON.stringify(inner)).toString('base64')}`
  expect(knowing(key).redact(JSON.stringify(inner))).toBe(`{"id":"${inner.id}","key":"***"}`)
})

test('a key of ZenML that holds the JSON null is covered like any other', () => {
  const key = `ZENKEY_${Buffer.from('null'.padStart(40)).toString('base64')}`
  expect(knowing(key).redact(`the key is ${key}`)).toBe('the key is ***')
})

test.each([
  ['a run id', '01b2c3d4-5e6f-4a1b-8c2d-3e4f5a6b7c8d'],
  ['an address', 'https://zenml.example.com/projects/default/runs/01b2c3d4-5e6f-4a1b-8c2d-3e4f5a6b7c8d'],
  ['a commit', '0123456789abcdef0123456789abcdef01234567'],
  ['what all keys begin with', 'the key begins with ZENKEY_eyJ'],
  ['fewer characters than tell anything', KEY.slice(20, 31)],
  ['a long word', 'x'.repeat(500)],
  ['escapes', 'a\\u0041%20%zz&amp;&#65;&nothing;\\'],
  ['nothing', ''],
])('%s stays as it is', (_, text) => {
  expect(known.redact(text)).toBe(text)
  expect(knowing().redact(text)).toBe(text)
})

test('sixteen characters are enough', () => {
  for (let start = 0; start + 16 <= KEY.length; start += 1) {
    const cut = KEY.slice(start, start + 16)
    expect([start, known.redact(`(${cut})`)]).toEqual([start, expect.stringMatching(/^\(\/?\*\*\*\/?\)$/)])
  }
})

test('a value of fewer than 16 characters is an ordinary word', () => {
  expect(knowing('hunter2-hunter2').redact('hunter2-hunter2')).toBe('hunter2-hunter2')
})

test.each([
  ['as it is', 'no way for ci:hunter2!', 'no way for ci:***!'],
  ['in an address', 'http://ci:hunter2@proxy:3128', 'http://ci:***@proxy:3128'],
  ['escaped', 'ci%3ahunter2 \\u0068unter2', 'ci%3a*** ***'],
  ['within an ordinary word', 'the hunter2s, a Hunter2', 'the hunter2s, a Hunter2'],
])('a short password %s is covered as a whole word only', (_, text, covered) => {
  const passwords = new KnownSecrets()
  passwords.addPassword('hunter2')
  expect(passwords.redact(text)).toBe(covered)
})

test('a short password is covered beside the keys and with its special characters', () => {
  const both = knowing(KEY)
  both.addPassword('p"4%/s')
  expect(both.redact(`${KEY} p"4%/s ${encodeURIComponent('p"4%/s')}`)).not.toMatch(/4.{0,3}s|%2F/)
  expect(JSON.parse(both.redact(JSON.stringify({ a: 'x p"4%/s' })))).toEqual({
    a: expect.not.stringContaining('4'),
  })
})

test.each([
  'Pa$$-w0rd_!!-##-%%-x',
  'пароль-очень-секретный-2026',
  'a1-b2-c3-d4-e5-f',
  '%41-!!-##-%42-!!-##',
  '--------////////',
  'a\\b\\d.(*)+[!]?^$|{}',
])('the long password %s, which has few letters and digits, is covered', (password) => {
  const passwords = new KnownSecrets()
  passwords.addPassword(password)
  for (const text of [password, `x${password}9`, encodeURIComponent(password), JSON.stringify(password)]) {
    const covered = passwords.redact(`http://ci:${text}@proxy`)
    expect(covered).toMatch(/^http:\/\/ci:.*\*.*@proxy$/)
    expect(covered).not.toContain(password)
    expect(covered).not.toMatch(/w0rd|2026|a1|f9|-\//)
  }
})

test('keys alone are covered where a password may be an ordinary word', () => {
  const both = knowing(KEY)
  both.addPassword('proxy')
  both.addPassword('пароль-очень-секретный-2026')
  expect(both.redact(`http://proxy:1 ${KEY}`, { passwords: false })).toBe('http://proxy:1 ***')
})

/** Pieces of secrets in all forms between what gives texts their form. */
const piece = fc.oneof(
  anyText(8),
  fc
    .tuple(fc.constantFrom(...SECRET_FORMS), fc.nat(60), fc.nat(80))
    .map(([[, form], from, length]) => form(KEY).slice(from, from + length)),
  fc.constantFrom(
    '\\',
    '\\\\',
    '"',
    '\\"',
    '\\n',
    '\\u00',
    '%',
    '%2',
    '&',
    '&#',
    '&amp;',
    '\n',
    '│ ',
    '::',
    '|',
    '`',
  ),
)
const mixed = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''))

test('JSON stays JSON, whatever is covered in it', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(mixed, mixed), { maxLength: 5 }), fc.boolean(), (entries, isDeep) => {
      const json = JSON.stringify(
        entries.map(([key, value]) => ({ [key]: isDeep ? JSON.stringify(value) : value })),
      )
      const covered = known.redact(json)
      const read: unknown = JSON.parse(covered)
      expect(read).toHaveLength(entries.length)
    }),
    { numRuns: 2000 },
  )
})

test("JSON stays JSON also where it has the numbers of a secret's bytes", () => {
  const { data } = Buffer.from(KEY).toJSON()
  const zeros = data.map(() => 0)
  expect(JSON.parse(known.redact(JSON.stringify({ data, step: 1 })))).toEqual({ data: zeros, step: 1 })
})

test('no stretch of a secret is left of any text, no line is lost, and nothing grows', () => {
  fc.assert(
    fc.property(mixed, (text) => {
      const covered = known.redact(text)
      expect(shownStretches(covered, [KEY])).toEqual([])
      expect(covered.length).toBeLessThanOrEqual(text.length)
      expect(covered.split('\n')).toHaveLength(text.split('\n').length)
    }),
    { numRuns: 400 },
  )
})

/** A pattern that goes back and forth would take hours, and the test would never end. */
const HARD_TEXTS: readonly (readonly [name: string, unit: string])[] = [
  ['log lines', '2026-01-31 12:00:00 INFO epoch 12 of 300, loss 0.123, accuracy 0.987\n'],
  ['backslashes', '\\'],
  ['percent signs', '%'],
  ['ampersands', '&'],
  ['unfinished entities', '&aaaaaaaaaaaa'],
  ['escapes', '\\u0041'],
  ['escapes in escapes', '%2525252525'],
  ['secrets', `${KEY}\n`],
  ['secrets in one word', KEY],
  ['a secret letter by letter', KEY.replaceAll(/./g, '$&\n')],
  ['beginnings of secrets', KEY.slice(0, 14)],
]

test.each(HARD_TEXTS)('%s without end are gone through once', (_, unit) => {
  const text = unit.repeat(Math.ceil(300_000 / unit.length))
  const covered = known.redact(text)
  expect(covered.length).toBeLessThanOrEqual(text.length)
})
