import { expect, test } from '@jest/globals'
import { addressAhead } from '../src/first-connection.ts'
import './http/scripted-server.ts'

const SERVER = 'https://zenml.example.com'
const GIVEN = { 'INPUT_SERVER-URL': SERVER }

test.each<[string, Readonly<Record<string, string>>, string]>([
  ['the input server-url', { ...GIVEN, 'INPUT_CA-CERTIFICATE': ' ' }, SERVER],
  [
    'a page of the server',
    { 'INPUT_SERVER-URL': ` ${SERVER}/prefix/projects/default/runs ` },
    `${SERVER}/prefix`,
  ],
  ['plain http on this machine', { 'INPUT_SERVER-URL': 'http://localhost:8080' }, 'http://localhost:8080'],
  ['ZENML_STORE_URL', { ZENML_STORE_URL: SERVER, 'INPUT_SERVER-URL': '' }, SERVER],
  [
    'server-url, whatever ZENML_STORE_URL names',
    { ...GIVEN, ZENML_STORE_URL: 'https://other.example.com' },
    SERVER,
  ],
])('a step connects before it has read its inputs to %s', (_, env, address) => {
  expect(addressAhead(env)).toBe(address)
})

test.each<[string, Readonly<Record<string, string>>]>([
  ['without an address', {}],
  ['to what is no address', { 'INPUT_SERVER-URL': 'zenml.example.com' }],
  ['to an address with a password in it', { 'INPUT_SERVER-URL': 'https://me:secret@zenml.example.com' }],
  ['to a database', { ZENML_STORE_URL: 'mysql://me:secret@db.example.com/zenml' }],
  ['in plain http to another machine', { 'INPUT_SERVER-URL': 'http://zenml.example.com' }],
  [
    'in plain http to another machine, even if that is allowed',
    { 'INPUT_SERVER-URL': 'http://zenml.example.com', 'INPUT_ALLOW-INSECURE-HTTP': 'true' },
  ],
  ['with a CA certificate', { ...GIVEN, 'INPUT_CA-CERTIFICATE': 'ca.pem' }],
  ['with a workspace', { ...GIVEN, INPUT_WORKSPACE: 'research' }],
  ['to ZENML_STORE_URL with a key of an input', { ZENML_STORE_URL: SERVER, 'INPUT_API-KEY': 'ZENKEY_x' }],
])('a step does not connect before it has read its inputs %s', (_, env) => {
  expect(addressAhead(env)).toBeUndefined()
})

test.each(['http://proxy.example.com:3128', '::'])(
  'a step does not connect before it has read its inputs where HTTPS_PROXY is %s',
  (proxy) => {
    process.env['HTTPS_PROXY'] = proxy
    expect(addressAhead(GIVEN)).toBeUndefined()
    process.env['NO_PROXY'] = 'zenml.example.com'
    expect(addressAhead(GIVEN)).toBe(SERVER)
  },
)
