import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { anyText, anyUrl } from '../../any-text.ts'
import { readErrorBody, retryAfterMs } from '../../../src/zenml/answers/error-body.ts'
import { AnswerError } from '../../../src/zenml/errors.ts'

function answer(status: number, body: unknown, headers: Record<string, string> = {}) {
  return { status, headers, body: typeof body === 'string' ? body : JSON.stringify(body) }
}

/** What a person reads of an answer to "read the run". */
function line(status: number, body: unknown, headers?: Record<string, string>): string {
  return new AnswerError('read the run', answer(status, body, headers), 0).message
}

const ZENML = 'Could not read the run: the server answered'
const ADVICE = '; check server-url (a proxy may answer there), or update this action if ZenML is newer'
const FOREIGN = 'Could not read the run: something that is not a ZenML API answered'
const HTML = { 'content-type': 'text/html; charset=utf-8' }
const PAGE = 'instead of JSON; check server-url (a dashboard or a proxy answers there)'
const REDIRECT = 'redirects are not followed with a credential, so use the final address as server-url'

const VALIDATION =
  "1 validation error: {'type': 'uuid_parsing', 'loc': ('path', 'run_id'), 'msg': 'Input should be a valid UUID', 'input': 'x'}"

test.each<[string, number, unknown, string]>([
  [
    'a class and a message under detail',
    401,
    { detail: ['CredentialsNotValid', 'Authentication error: error decoding API key'] },
    `${ZENML} 401 CredentialsNotValid: Authentication error: error decoding API key`,
  ],
  [
    'a message under detail',
    429,
    { detail: 'Minute request limit exceeded.' },
    `${ZENML} 429: Minute request limit exceeded.`,
  ],
  [
    'a bare class and message',
    422,
    ['ValueError', '1 validation error: bad'],
    `${ZENML} 422 ValueError: 1 validation error: bad`,
  ],
  [
    'a message under error',
    429,
    { error: 'Server too busy. Please try again later.' },
    `${ZENML} 429: Server too busy. Please try again later.`,
  ],
  ['plain text', 500, 'Internal Server Error', `${ZENML} 500: Internal Server Error`],
  [
    'a missing permission, with what to do about it',
    403,
    { detail: ['IllegalOperationError', "Insufficient permissions to CREATE resource 'pipeline_run'."] },
    `${ZENML} 403 IllegalOperationError: Insufficient permissions to CREATE resource 'pipeline_run'. Give the account permission to create pipeline runs`,
  ],
  [
    'a subscription at its limit',
    402,
    { detail: ['SubscriptionUpgradeRequiredError', 'Upgrade'] },
    `${ZENML} 402 SubscriptionUpgradeRequiredError: Upgrade`,
  ],
  [
    'a message wrapped in double quotes',
    404,
    { detail: ['KeyError', '"Unable to get run with id \'x\'"'] },
    `${ZENML} 404 KeyError: Unable to get run with id 'x'`,
  ],
  [
    'a message wrapped in single quotes with escaped ones inside',
    404,
    { detail: ['KeyError', "'no such \\'run\\''"] },
    `${ZENML} 404 KeyError: no such 'run'`,
  ],
  ['one quote alone', 404, { detail: ['KeyError', '"'] }, `${ZENML} 404 KeyError: "`],
  [
    'a message of several lines',
    400,
    { detail: ['ValueError', 'first\n\n  second\r\nthird\u2028fourth\tfifth'] },
    `${ZENML} 400 ValueError: first second third fourth fifth`,
  ],
  [
    'a FastAPI validation error as Python text',
    422,
    ['ValueError', VALIDATION],
    `${ZENML} 422 ValueError: path.run_id: Input should be a valid UUID`,
  ],
  [
    'several validation errors',
    422,
    [
      'ValueError',
      `[{'loc': ('body', 'a'), 'msg': "Isn't", 'x': 1}, {'loc': ('body', 'b', 0), 'msg': 'Bad'}]`,
    ],
    `${ZENML} 422 ValueError: body.a: Isn't; body.b.0: Bad`,
  ],
  [
    'a FastAPI validation error as JSON',
    422,
    { detail: [{ loc: ['body'], msg: 'bad' }] },
    `${ZENML} 422: body: bad`,
  ],
  ['a nested object', 500, { detail: { a: { b: ['c'] } } }, `${ZENML} 500: {"a":{"b":["c"]}}`],
  ['a number', 500, { detail: 5 }, `${ZENML} 500: 5`],
  [
    'more parts than two',
    400,
    { detail: ['ValueError', 'a', { b: 1 }] },
    `${ZENML} 400 ValueError: a {"b":1}`,
  ],
  ['nothing at all', 503, '', `${ZENML} 503: (no text)`],
  ['a detail of null beside an error', 500, { detail: null, error: 'x' }, `${ZENML} 500: x`],
  [
    'the 404 of a Spring gateway',
    404,
    { timestamp: 'now', path: '/x', status: 404, error: 'Not Found' },
    `${FOREIGN} 404: Not Found`,
  ],
  [
    'problem details',
    404,
    { type: 'about:blank', title: 'No', status: 404, detail: 'no route' },
    `${FOREIGN} 404: no route`,
  ],
  [
    "a gateway's 403",
    403,
    { error: 'Access has been disallowed' },
    `${FOREIGN} 403: Access has been disallowed`,
  ],
  [
    "ZenML's 429",
    429,
    { error: 'Server too busy. Please try again later.' },
    `${ZENML} 429: Server too busy. Please try again later.`,
  ],
  ['a list of sentences', 500, ['not a class name', 'x'], `${ZENML} 500: ["not a class name","x"]`],
  ['JSON null', 500, null, `${ZENML} 500: null`],
  ['a 200 of a foreign shape', 200, { hello: 1 }, `${FOREIGN} 200: an unexpected answer: {hello}${ADVICE}`],
  ['an empty 200', 200, '', `${FOREIGN} 200: an unexpected answer: (empty)${ADVICE}`],
  [
    'a cut 200',
    200,
    '{"id": "x',
    `${FOREIGN} 200: an unexpected answer: damaged JSON of 9 characters${ADVICE}`,
  ],
])('%s is one readable line', (_name, status, body, expected) => {
  expect(line(status, body)).toBe(expected)
})

test.each<[string, number, string, Record<string, string>, string]>([
  [
    'with a title',
    200,
    '<!doctype html><html><head><title lang="en">\n ZenML   Dashboard\n</title>',
    HTML,
    `${FOREIGN} 200: a web page titled "ZenML Dashboard" ${PAGE}`,
  ],
  ['of a proxy', 502, '<html><body>Bad gateway', HTML, `${FOREIGN} 502: a web page ${PAGE}`],
  [
    'that calls itself JSON',
    200,
    '\n  <!DOCTYPE html><p>',
    { 'content-type': 'application/json' },
    `${FOREIGN} 200: a web page ${PAGE}`,
  ],
  ['with an empty body', 404, '', HTML, `${FOREIGN} 404: a web page ${PAGE}`],
])('a web page %s is named as such', (_name, status, body, headers, expected) => {
  expect(line(status, body, headers)).toBe(expected)
})

test.each<[string, string | undefined, string]>([
  [
    'with secrets in its query',
    'https://sso.example.com/login?token=SECRET#SECRET',
    'https://sso.example.com/login',
  ],
  ['with user and password', 'https://us:SECRET@a.example.com/b', 'https://a.example.com/b'],
  ['to a path with a query', '/login?next=SECRET', '/login'],
  [
    'to another host without a scheme, with a password',
    '//us:SECRET@a.example.com/b?c=SECRET',
    'another address',
  ],
  ['that is no address and has a password', 'https://us:SECRET@a.example.com:99999/b', 'another address'],
  ['without an address', undefined, 'another address'],
])('a redirect %s names the address without them', (_name, location, shown) => {
  const message = line(307, '', location === undefined ? {} : { location })
  expect(message).toBe(`${FOREIGN} 307: a redirect to ${shown}; ${REDIRECT}`)
})

test.each([
  ['plain text', 'of words '.repeat(100_000)],
  ['a message', { detail: ['ValueError', 'of words '.repeat(100_000)] }],
  ['an object', { detail: { a: Array(100_000).fill('of_words') } }],
  ['JSON without spaces', JSON.stringify({ a: Array(100_000).fill('of_words') })],
])('%s of a megabyte is cut with a sign', (_name, body) => {
  const { message } = readErrorBody(answer(500, body))
  expect(message.length).toBeGreaterThan(590)
  expect(message.length).toBeLessThanOrEqual(601)
  expect(message).toMatch(/(of|words|[,"])…$/)
})

const PASSWORD = 'correct-horse-battery-staple'

test.each([
  ['a message', 500, (before: string) => ({ detail: ['ValueError', before] }), {}, 600],
  ['a text', 500, (before: string) => before, {}, 600],
  ['the title of a page', 200, (before: string) => `<title>${before}</title>`, HTML, 120],
  [
    'the address of a redirect',
    302,
    () => '',
    { location: `https://a.example.com/${'a/'.repeat(283)}${PASSWORD}` },
    600,
  ],
  ['a word without an end', 500, () => PASSWORD.repeat(100), {}, 600],
] as const)(
  '%s is not cut in the middle of a word, which may be a secret',
  (_name, status, body, headers, limit) => {
    for (let shown = 1; shown < PASSWORD.length; shown += 1) {
      const before = 'a '.repeat(limit).slice(0, limit - shown) + PASSWORD
      const { message } = readErrorBody(answer(status, body(before), headers))
      // What is left before the sign is a whole word, or nothing.
      expect(message).not.toMatch(/[^a ]…/)
      expect(message).toContain('…')
    }
  },
)

test.each([
  ['the beginning of a validation error, again and again', ['ValueError', "'loc': (".repeat(12_000)], {}],
  ['the beginning of a title, again and again', '<title'.repeat(12_000), HTML],
])('a body of %s is read to its end', (_name, body, headers) => {
  expect(readErrorBody(answer(400, body, headers))).toBeDefined()
})

test('a body nested beyond what can be written again is one line', () => {
  const depth = 100_000
  const body = `{"detail": {"a": ${'['.repeat(depth)}${']'.repeat(depth)}}}`
  expect(readErrorBody(answer(500, body)).source).toBe('the server')
})

const anyBody = fc.oneof(
  anyText(),
  fc.json(),
  fc.anything().map((detail) => JSON.stringify({ detail })),
  fc.tuple(fc.string(), anyText(2000)).map((pair) => JSON.stringify(pair)),
  fc.tuple(fc.constantFrom('KeyError', 'a.B', ''), anyText(2000)).map((detail) => JSON.stringify({ detail })),
  fc.string().map((title) => `<html><title>${title}</title>`),
)
const anyHeaders = fc.record(
  {
    location: fc.oneof(anyUrl(), fc.string()),
    'content-type': fc.constantFrom('text/html', 'text/plain'),
  },
  { requiredKeys: [] },
)

test('whatever a server answers is one line of bounded length', () => {
  fc.assert(
    fc.property(fc.integer({ min: 200, max: 599 }), anyBody, anyHeaders, (status, body, headers) => {
      const { message, exception = '' } = readErrorBody({ status, body, headers })
      expect(`${message}${exception}`).not.toMatch(/[\n\r\u2028\u2029\v\f]/)
      expect(message.length).toBeLessThanOrEqual(800)
      expect(exception.length).toBeLessThanOrEqual(81)
    }),
    { numRuns: 500 },
  )
})

const SENT = 'hf_kL9dQ2xW7vB3nM5pR8tY'
const PYDANTIC = `1 validation error for StepConfig\nparameters.rate\n  Input should be a valid number [type=float_parsing, input_value={'rate': '${SENT}'}, input_type=dict]\n    For further information visit https://errors.pydantic.dev`

test.each<[string, number, unknown, string]>([
  [
    "FastAPI's own list",
    422,
    {
      detail: [
        { type: 'float', loc: ['body', 'steps', 0], msg: 'Not a number', input: SENT, ctx: { v: SENT } },
      ],
    },
    'body.steps.0: Not a number',
  ],
  [
    "a list that is none of FastAPI's",
    422,
    { detail: [{ msg: 'Not a number', input: SENT }] },
    '[{"msg":"Not a number","input":…',
  ],
  ["pydantic's words", 400, { detail: ['ValueError', PYDANTIC] }, 'input_value=…, input_type=dict]'],
  ["pydantic's words alone", 400, { detail: PYDANTIC }, 'input_value=…, input_type=dict]'],
  ["the beginning of pydantic's words", 400, { detail: PYDANTIC.slice(0, 180) }, 'input_value=…'],
])('what was sent is not repeated from %s', (_title, status, body, words) => {
  const text = line(status, body)
  expect(text).toContain(words)
  expect(text).not.toContain('hf_')
})

const NOW = Date.UTC(2026, 0, 1, 12, 0, 0)

test.each<[string | string[] | undefined, number | undefined]>([
  ['0', 0],
  ['30', 30_000],
  [' 30 ', 30_000],
  ['1.5', 1500],
  [['7', '9'], 7000],
  ['Thu, 01 Jan 2026 12:01:00 GMT', 60_000],
  ['Thursday, 01-Jan-26 12:01:00 GMT', 60_000],
  ['Thu, 01 Jan 2026 11:00:00 GMT', 0],
  [undefined, undefined],
  [[], undefined],
  ['', undefined],
  ['soon', undefined],
  ['-5', undefined],
  ['wait 60', undefined],
  ['try 2049', undefined],
  ['Infinity', undefined],
  ['9'.repeat(400), undefined],
])('Retry-After %j asks for %p ms', (header, expected) => {
  expect(retryAfterMs(header, NOW)).toBe(expected)
})

test('whatever Retry-After says, the wait is a finite time or none', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.double().map(String), fc.date().map(String)), (header) => {
      const wait = retryAfterMs(header, NOW)
      expect(wait === undefined || (Number.isFinite(wait) && wait >= 0)).toBe(true)
    }),
  )
})
