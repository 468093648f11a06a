import { createHash } from 'node:crypto'
import { readFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, expect, test } from '@jest/globals'
import { readConnectionAgain } from '../../../src/github/inputs/credential-again.ts'
import { named } from '../../../src/github/inputs/connection.ts'
import { readFile } from '../../../src/github/workflow/files.ts'
import { InputFaults } from '../../../src/github/inputs/faults.ts'
import {
  readInputs,
  readLoginInputs,
  readStopInputs,
  readWaitInputs,
} from '../../../src/github/inputs/read.ts'
import { ACCESS_TOKEN } from './given.ts'
import { parseServerUrl } from '../../../src/zenml/server-url.ts'

type With = Readonly<Record<string, string>>

const KEY = 'ZENPROKEY_c2VjcmV0LXNlY3JldC1zZWNyZXQ'
const SECRET = '0a1b2c3d4e5f60718293a4b5c6d7e8f9'
const PRO: With = { workspace: 'research', 'api-key': KEY }
const CLIENT: With = { workspace: 'research', 'client-id': 'machine-1', 'client-secret': SECRET }

function fixture(name: string): string {
  return readFileSync(new URL(`../../http/fixtures/test-only-${name}.pem`, import.meta.url), 'utf8')
}

const workspace = mkdtempSync(path.join(tmpdir(), 'connection-'))
writeFileSync(path.join(workspace, 'company.pem'), `# Company\n${fixture('authority')}`)
writeFileSync(path.join(workspace, 'empty.pem'), '\n')
writeFileSync(path.join(workspace, 'notes.txt'), 'no certificate here')
afterAll(() => {
  rmSync(workspace, { recursive: true })
})

function sources(given: With) {
  const masked: string[] = []
  const variables = Object.entries(given).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value])
  const env = { ...Object.fromEntries(variables), GITHUB_WORKSPACE: workspace }
  return { env, readFile, parseServerUrl, masked, mask: (text: string) => void masked.push(text) }
}

async function read(given: With) {
  return readInputs(sources({ snapshot: 'nightly', ...given }))
}

/** What is told of inputs that have faults, one a line. */
async function faults(given: With): Promise<string> {
  try {
    await read(given)
  } catch (error) {
    if (error instanceof InputFaults) return error.message
    throw error
  }
  throw new Error('no fault was found')
}

const SAAS = { workspace: 'research', proApiUrl: 'https://cloudapi.zenml.io', allowPlainHttp: false }

test.each<[string, With, unknown]>([
  ['a workspace of the SaaS', PRO, { server: SAAS, credential: { kind: 'api-key', key: KEY } }],
  [
    'a workspace of a self-hosted Pro below a path',
    { ...PRO, 'pro-api-url': 'https://pro.example.com/api/v1/' },
    { server: { ...SAAS, proApiUrl: 'https://pro.example.com/api/v1' } },
  ],
  [
    'the older login',
    CLIENT,
    { server: SAAS, credential: { kind: 'client', clientId: 'machine-1', clientSecret: SECRET } },
  ],
  [
    'plain http that is allowed',
    { ...PRO, 'pro-api-url': 'http://pro.example.com', 'allow-insecure-http': 'true' },
    { server: { workspace: 'research', proApiUrl: 'http://pro.example.com', allowPlainHttp: true } },
  ],
])('%s is taken', async (_, given, expected) => {
  const { inputs, notices } = await read(given)
  expect(inputs).toMatchObject(expected as object)
  expect(notices).toEqual([])
})

test('every action takes a workspace', async () => {
  const server = { server: SAAS }
  expect((await readLoginInputs(sources(CLIENT))).inputs).toMatchObject(server)
  expect((await readWaitInputs(sources({ ...PRO, run: 'nightly-5' }))).inputs).toMatchObject(server)
  const id = '0f8e5c1a-3b2d-4c6f-9a7e-1d2c3b4a5f60'
  expect((await readStopInputs(sources({ ...PRO, run: id }))).inputs).toMatchObject(server)
})

const TOKEN = ACCESS_TOKEN
const STORE = 'https://zenml.example.com'
const BY_KEY = { ZENML_STORE_URL: `${STORE}/`, ZENML_STORE_API_KEY: ` ${KEY}\n` }
const BY_TOKEN = { ZENML_STORE_URL: STORE, ZENML_STORE_API_TOKEN: TOKEN }
const PAIR = createHash('sha256').update(`${STORE}\n${TOKEN}`).digest('hex')
const SERVER = { url: STORE, proApiUrl: 'https://cloudapi.zenml.io' }

function inEnvironment(variables: With, given: With = {}) {
  const { env, ...others } = sources({ snapshot: 'nightly', ...given })
  return { ...others, env: { ...env, ...variables } }
}

test.each<[string, With, unknown, secret: string, source: string]>([
  [
    'a key',
    BY_KEY,
    { kind: 'api-key', key: KEY },
    KEY,
    'Server and credential come from ZENML_STORE_URL and ZENML_STORE_API_KEY',
  ],
  [
    'a token',
    BY_TOKEN,
    { kind: 'access-token', token: TOKEN },
    TOKEN,
    'Server and credential come from ZENML_STORE_URL and ZENML_STORE_API_TOKEN',
  ],
  [
    'a token of login/, the address with a slash',
    { ...BY_TOKEN, ZENML_STORE_URL: `${STORE}/`, ZENML_RUN_ACTION_PAIR: PAIR },
    { kind: 'access-token', token: TOKEN },
    TOKEN,
    'Server and credential come from ZENML_STORE_URL and ZENML_STORE_API_TOKEN',
  ],
])(
  "without inputs, ZENML's own variables say where to connect: %s",
  async (_, set, credential, secret, source) => {
    const given = inEnvironment(set, { 'server-url': ' ', 'api-key': '' })
    const read = await readInputs(given)
    expect(read).toMatchObject({ inputs: { server: SERVER, credential }, source, notices: [], warnings: [] })
    expect(given.masked).toContain(secret)
    expect(await readConnectionAgain(inEnvironment(set))).toMatchObject({ server: SERVER, credential })
  },
)

test.each<[string, With]>([
  ['an address', { 'server-url': 'https://other.example.com' }],
  ['a workspace', { workspace: 'research' }],
  ['a key', { 'api-key': KEY }],
  ['a token', { 'access-token': TOKEN }],
  ["a client's id", { 'client-id': 'machine-1' }],
  ["a client's secret", { 'client-secret': SECRET }],
])('with %s among the inputs, neither server nor credential come from variables', async (_, input) => {
  const store = 'https://store.example.com'
  const given = inEnvironment(
    { ZENML_STORE_URL: store, ZENML_STORE_API_KEY: 'ZENKEY_of-the-store-0123456789' },
    input,
  )
  const refused = await readInputs(given).catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(InputFaults)
  expect(String(refused)).toMatch(/missing/)
  expect(String(refused)).not.toMatch(/ZENML_STORE|store\.example/)
  expect(given.masked.join()).not.toContain('of-the-store')
  expect(await readConnectionAgain(given)).toBeUndefined()
})

test('a pair of inputs is taken, whatever the variables say', async () => {
  const { inputs, source } = await readInputs(
    inEnvironment(BY_TOKEN, { 'server-url': 'https://a.example.com', 'api-key': KEY }),
  )
  expect(inputs).toMatchObject({
    server: { url: 'https://a.example.com' },
    credential: { kind: 'api-key', key: KEY },
  })
  expect(source).toBeUndefined()
})

const DATABASE = 'mysql://zenml:hunter22@db.example.com:3306/zenml'
const ANOTHER_PAIR =
  'ZENML_STORE_API_TOKEN: does not belong to ZENML_STORE_URL: login/ exported another pair; give the inputs server-url and api-key, or set neither variable again'
const INSTEAD = 'or give the inputs server-url and api-key'

test.each<[string, With, line: string]>([
  [
    'an address alone',
    { ZENML_STORE_URL: STORE },
    `ZENML_STORE_API_KEY: missing, although ZENML_STORE_URL is set; set both, ${INSTEAD}`,
  ],
  [
    'a key alone',
    { ZENML_STORE_API_KEY: KEY },
    `ZENML_STORE_URL: missing, although ZENML_STORE_API_KEY is set; set both, ${INSTEAD}`,
  ],
  [
    'a token alone',
    { ZENML_STORE_URL: ' ', ZENML_STORE_API_TOKEN: TOKEN },
    `ZENML_STORE_URL: missing, although ZENML_STORE_API_TOKEN is set; set both, ${INSTEAD}`,
  ],
  [
    'a key and a token',
    { ...BY_TOKEN, ...BY_KEY },
    'ZENML_STORE_API_KEY: cannot be combined with ZENML_STORE_API_TOKEN: one may be for another server; set only one, or give the inputs server-url and api-key',
  ],
  [
    'the address alone set again after login/',
    { ...BY_TOKEN, ZENML_STORE_URL: 'https://b.example.com', ZENML_RUN_ACTION_PAIR: PAIR },
    ANOTHER_PAIR,
  ],
  [
    'the token alone set again after login/',
    { ...BY_TOKEN, ZENML_STORE_API_TOKEN: `${TOKEN}x`, ZENML_RUN_ACTION_PAIR: PAIR },
    ANOTHER_PAIR,
  ],
  [
    'a database',
    { ...BY_KEY, ZENML_STORE_URL: DATABASE },
    `ZENML_STORE_URL: is not a web address (not shown, as it may hold a password); set it to the https:// address of the ZenML server, ${INSTEAD}`,
  ],
  [
    'plain http',
    { ...BY_KEY, ZENML_STORE_URL: 'http://zenml.example.com' },
    'ZENML_STORE_URL: http:// would send the credential unencrypted; use https://, or set allow-insecure-http: true',
  ],
  [
    'a key in quotes',
    { ...BY_KEY, ZENML_STORE_API_KEY: `"${KEY}"` },
    'ZENML_STORE_API_KEY: is in quotes that are part of the value; store the secret without them',
  ],
  [
    'a password in the address',
    { ...BY_KEY, ZENML_STORE_URL: 'https://ann:hunter22@zenml.example.com' },
    'ZENML_STORE_URL: contains a user name or password before the @; remove it, the action logs in with api-key or access-token',
  ],
])('%s in the variables is an error that names them', async (_, set, line) => {
  const refused = await readInputs(inEnvironment(set)).catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(InputFaults)
  expect(refused).toMatchObject({ message: line, faults: [{ input: line.split(':')[0] }] })
})

test.each<[string, With]>([
  ['an address alone', { ZENML_STORE_URL: STORE }],
  ['a key alone', { ZENML_STORE_API_KEY: KEY }],
  ['a database', { ...BY_KEY, ZENML_STORE_URL: DATABASE }],
  ['a key and a token', { ...BY_TOKEN, ...BY_KEY }],
  ['another pair than login/ exported', { ...BY_TOKEN, ZENML_RUN_ACTION_PAIR: 'other' }],
])('the post step makes nothing of %s in the variables', async (_, set) => {
  expect(await readConnectionAgain(inEnvironment(set))).toBeUndefined()
})

test('login/ takes a key from the variables, and no token', async () => {
  expect((await readLoginInputs(inEnvironment(BY_KEY))).inputs).toMatchObject({ server: SERVER })
  const refused = await readLoginInputs(inEnvironment(BY_TOKEN)).catch((error: unknown) => error)
  expect(String(refused)).toMatch('ZENML_STORE_API_KEY: missing, although ZENML_STORE_URL is set')
})

test('what is removed from the address in the variable is a notice about it', async () => {
  const { notices } = await readInputs(
    inEnvironment({ ...BY_KEY, ZENML_STORE_URL: `${STORE}/projects/vision` }),
  )
  expect(notices).toEqual([
    `ZENML_STORE_URL: the path /projects/vision is a page of the server and was removed; the server is ${STORE}`,
  ])
})

test('the path after the management API is removed with a notice', async () => {
  const { inputs, notices } = await read({ ...PRO, 'pro-api-url': 'https://cloudapi.zenml.io/workspaces/x' })
  expect(inputs.server).toEqual(SAAS)
  expect(notices).toEqual([
    expect.stringMatching(
      /^pro-api-url: the path .* was removed; the server is https:\/\/cloudapi\.zenml\.io$/,
    ),
  ])
})

test.each<[string, With, string]>([
  [
    'a server and a workspace',
    { ...PRO, 'server-url': 'https://zenml.example.com' },
    'workspace: cannot be combined with server-url; give only one',
  ],
  [
    'the page of a workspace instead of its name',
    { ...PRO, workspace: 'https://cloud.zenml.io/workspaces/research/projects' },
    `workspace: "https://cloud.zenml.io/workspaces/research/projects" is the address of a page; write only the workspace's name, research`,
  ],
  [
    'a token with a workspace',
    { workspace: 'research', 'access-token': ACCESS_TOKEN },
    'access-token: cannot be combined with workspace: a token is good for one server only; give its server-url, or an api-key',
  ],
  [
    'a key and a client secret',
    { ...PRO, ...CLIENT },
    'client-secret: cannot be combined with api-key; give only one',
  ],
  [
    'a client id alone',
    { workspace: 'research', 'client-id': 'machine-1' },
    'client-secret: missing, or empty; client-id needs it',
  ],
  [
    'a client secret alone',
    { workspace: 'research', 'client-secret': SECRET },
    'client-id: missing; client-secret needs it',
  ],
  [
    'the older login at a server',
    { ...CLIENT, workspace: '', 'server-url': 'https://zenml.example.com' },
    'client-id: works with workspace only; write workspace: NAME, or give an api-key',
  ],
  [
    'the management API with a token, which needs none',
    {
      'server-url': 'https://zenml.example.com',
      'access-token': 'a-token-of-the-server',
      'pro-api-url': 'https://pro.example.com',
    },
    'pro-api-url: has no effect with an access-token; give an api-key, or remove it',
  ],
  [
    'the dashboard as management API',
    { ...PRO, 'pro-api-url': 'https://cloud.zenml.io' },
    "pro-api-url: is ZenML Pro's dashboard; its management API is https://cloudapi.zenml.io",
  ],
  [
    'plain http to the management API',
    { ...PRO, 'pro-api-url': 'http://pro.example.com' },
    'pro-api-url: http:// would send the credential unencrypted; use https://, or set allow-insecure-http: true',
  ],
  [
    'the management API as server',
    { 'api-key': KEY, 'server-url': 'https://cloudapi.zenml.io' },
    "server-url: is ZenML Pro's management API, which has no runs; write workspace: NAME instead, or the server URL that the workspace's settings page shows",
  ],
  [
    "a workspace's page as server",
    { 'api-key': KEY, 'server-url': 'https://cloud.zenml.io/workspaces/research' },
    "server-url: is ZenML Pro's dashboard, not a workspace; write workspace: research instead, or the server URL that the workspace's settings page shows",
  ],
  [
    'nothing',
    { 'api-key': KEY },
    'server-url: missing; write the address of your ZenML server, such as https://zenml.example.com, or workspace: NAME for ZenML Pro',
  ],
  [
    'the client secret as workspace',
    { ...CLIENT, workspace: SECRET },
    'workspace: contains the value of client-secret; remove it from here',
  ],
])('%s: one line says what to do', async (_, given, line) => {
  expect(await faults(given)).toBe(line)
})

test('the client secret is masked before anything else, the id is not', async () => {
  const given = sources({ ...CLIENT, snapshot: 'nightly' })
  await readInputs(given)
  expect(given.masked).toEqual([SECRET])
})

test.each<[string, string, number]>([
  ['PEM text', fixture('authority'), 1],
  ['several in one text', `${fixture('authority')}\n${fixture('authority-other')}`, 2],
  ['a file of the workspace, with a comment', 'company.pem', 1],
  ['a file by its whole path', path.join(workspace, 'company.pem'), 1],
  ['Windows line ends', fixture('authority').replaceAll('\n', '\r\n'), 1],
])('ca-certificate: %s is taken', async (_, text, count) => {
  const { inputs, notices } = await read({ ...PRO, 'ca-certificate': text })
  expect(inputs.authorities).toHaveLength(count)
  expect(inputs.authorities?.join('')).toMatch(
    /^(-----BEGIN CERTIFICATE-----\n[^-]+-----END CERTIFICATE-----\n){1,2}$/,
  )
  expect(notices).toEqual([])
})

test('ca-certificate: one of several that has expired is named and left out', async () => {
  const text = fixture('authority') + fixture('authority-expired')
  const { inputs, notices } = await read({ ...PRO, 'ca-certificate': text })
  expect(inputs.authorities).toHaveLength(1)
  expect(notices).toEqual([
    'ca-certificate: certificate 2 of 2, "Test Only Expired Authority", expired on 2021-01-01, so it is ignored',
  ])
})

test('ca-certificate: of many that have expired or are broken, the first are named', async () => {
  const expired = fixture('authority') + fixture('authority-expired').repeat(50)
  const { notices } = await read({ ...PRO, 'ca-certificate': expired })
  expect(notices).toHaveLength(4)
  expect(notices.at(-1)).toBe('ca-certificate: and 47 more like these')
  const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'.repeat(300)
  const lines = (await faults({ ...PRO, 'ca-certificate': broken })).split('\n')
  expect(lines).toHaveLength(4)
  expect(lines.at(-1)).toBe('ca-certificate: and 297 more like these')
})

const NO_CERTIFICATE = 'give PEM text, which begins with -----BEGIN CERTIFICATE-----, or its file'
const BROKEN = 'is broken or incomplete; copy it again with its BEGIN and END lines'

test.each<[string, string, string]>([
  [
    'one that has expired',
    fixture('authority-expired'),
    'the certificate, "Test Only Expired Authority", expired on 2021-01-01; give one that is valid now',
  ],
  ['half of one', fixture('authority').slice(0, 300), `the certificate ${BROKEN}`],
  [
    'a broken one behind a good one',
    `${fixture('authority')}${fixture('authority').replace(/\n[^-]{20}/, '\nAAAA')}`,
    `certificate 2 of 2 ${BROKEN}`,
  ],
  [
    'line breaks as text',
    'MIIB\\nMIIC',
    'contains \\n where line breaks should be; give it as a YAML block (ca-certificate: |)',
  ],
  [
    'a certificate without its lines',
    fixture('authority').replaceAll(/-----.*-----/g, ''),
    `contains no certificate; ${NO_CERTIFICATE}`,
  ],
  ['an empty file', 'empty.pem', `"empty.pem" is empty; ${NO_CERTIFICATE}`],
  ['a file of something else', 'notes.txt', `"notes.txt" contains no certificate; ${NO_CERTIFICATE}`],
  [
    'a file that is not there',
    'certs/no.pem',
    '"certs/no.pem" does not exist; write the path of a PEM file on this runner, or the PEM text itself',
  ],
  ...['C:\\network\\ca.pem', '.\\new\\ca.pem', '\\\\server\\nas\\ca', 'certs\\new.crt'].map(
    (path): [string, string, string] => [
      `the path ${path}`,
      path,
      `"${path}" does not exist; write the path of a PEM file on this runner, or the PEM text itself`,
    ],
  ),
  ['a folder', '.', '"." is a folder; write the path of one PEM file'],
])('ca-certificate: %s is a fault that names it', async (_, text, problem) => {
  expect(await faults({ ...PRO, 'ca-certificate': text })).toBe(`ca-certificate: ${problem}`)
})

test.each([
  ['alone', fixture('key')],
  ['beside its certificate', fixture('leaf') + fixture('key')],
  [
    'without its lines',
    fixture('key')
      .replaceAll(/-----.*-----\n/g, '')
      .replaceAll('\n', ''),
  ],
])('ca-certificate: a private key %s is refused and not shown', async (_, text) => {
  const line = await faults({ ...PRO, 'ca-certificate': text })
  expect(line).toMatch(/^ca-certificate: (contains a private key|contains no certificate)/)
  const body = fixture('key').split('\n')[1]!
  for (let at = 0; at + 8 <= body.length; at += 8) expect(line).not.toContain(body.slice(at, at + 8))
})

test.each<[string, With, With, boolean]>([
  ['nothing has changed', PRO, PRO, true],
  [
    'the same server is named',
    { 'server-url': 'https://a.example.com' },
    { 'server-url': 'https://a.example.com/' },
    true,
  ],
  ['another workspace is named', PRO, { ...PRO, workspace: 'production' }, false],
  ['another management API is named', PRO, { ...PRO, 'pro-api-url': 'https://pro.example.com' }, false],
  ['a server is named instead', PRO, { ...PRO, workspace: '', 'server-url': 'https://a.example.com' }, false],
])('when inputs are read again and %s, that shows', async (_, before, after, same) => {
  const first = await readConnectionAgain(sources({ 'api-key': KEY, ...before }))
  const again = await readConnectionAgain(sources({ 'api-key': KEY, ...after }))
  expect(named(again!.server) === named(first!.server)).toBe(same)
})

test.each<[string, With]>([
  ['the key is gone', { workspace: 'research' }],
  ['the server is gone', { 'api-key': KEY }],
  ['two servers are named', { ...PRO, 'server-url': 'https://a.example.com' }],
  ['a token came in its place', { workspace: 'research', 'access-token': ACCESS_TOKEN }],
])('when inputs are read again and %s, nothing is sent', async (_, given) => {
  expect(await readConnectionAgain(sources(given))).toBeUndefined()
})

test('inputs that are read again have their authorities, and their secrets are masked', async () => {
  const given = sources({ ...CLIENT, 'ca-certificate': 'company.pem' })
  expect(await readConnectionAgain(given)).toMatchObject({ authorities: [expect.stringContaining('BEGIN')] })
  expect(given.masked).toEqual([SECRET])
})
