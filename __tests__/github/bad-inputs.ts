import type { Environment } from '../../src/github/environment.ts'
import { KEY, least, variables, type With } from './given.ts'

/** What a person wrote, and what the runner made of it. */
export interface BadInput {
  readonly title: string
  /** Beside, or instead of, the least that a step needs. */
  readonly given: With
  readonly env?: Environment
}

export const workspaceFiles: Readonly<Record<string, string | Uint8Array>> = {
  'configs/run.yaml': 'steps:\n  train:\n    parameters:\n      epochs: 5\n      epochs: 6\n',
  'configs/list.yaml': '- a\n- b\n',
  'configs/empty.yaml': '# nothing here yet\n',
  'configs/model.bin': new Uint8Array([0x80, 0x04, 0x95, 0x00, 0xff, 0xfe]),
  'configs/utf16.yaml': new Uint8Array([0xff, 0xfe, 0x61, 0x00, 0x3a, 0x00]),
  'configs/nul.yaml': 'a: 1\0',
  'configs/broken.json': '{"steps": {"train": }',
  'configs/large.yaml': `# ${'x'.repeat(1_000_000)}\n`,
  'events/fork.json': JSON.stringify({
    pull_request: {
      head: { repo: { full_name: 'contributor/project' } },
      base: { repo: { full_name: 'owner/project' } },
    },
  }),
  'events/deleted-fork.json': JSON.stringify({
    pull_request: { head: { repo: null }, base: { repo: { full_name: 'owner/project' } } },
  }),
  'events/own-branch.json': JSON.stringify({
    pull_request: {
      head: { repo: { full_name: 'owner/project' } },
      base: { repo: { full_name: 'owner/project' } },
    },
  }),
}

function bomb(): string {
  const levels = Array.from({ length: 9 }, (_, level) => {
    const name = String.fromCharCode(97 + level)
    const before = level === 0 ? 'lol' : `*${String.fromCharCode(96 + level)}`
    return `${name}: &${name} [${Array.from({ length: 9 }, () => before).join(', ')}]`
  })
  return levels.join('\n')
}

const servers: readonly (readonly [string, string])[] = [
  ['a server without https://', 'zenml.example.com'],
  ['a server without https://, with a port and a path', 'zenml.example.com:8080/zenml/projects/default'],
  ['a local server without http://', 'localhost:8237'],
  ['a local IPv6 server without http://', '[::1]:8237'],
  ['a server without https:', '//zenml.example.com'],
  ['another scheme', 'ftp://zenml.example.com'],
  ['a script', 'javascript:alert(1)'],
  ['a file', 'file:///etc/passwd'],
  ['a mail address', 'zenml@example.com'],
  ['a scheme alone', 'https://'],
  ['a scheme with one slash', 'https:/zenml.example.com'],
  ['two schemes', 'https://https://zenml.example.com'],
  ['two addresses', 'https://a.example.com,https://b.example.com'],
  ['a password in the address', 'https://admin:hunter2hunter2@zenml.example.com'],
  ['a user in the address', 'https://admin@zenml.example.com'],
  ['a password in front of an address without scheme', 'admin:hunter2hunter2@zenml.example.com'],
  ['a token in the query', 'https://zenml.example.com/?token=hunter2hunter2'],
  ['a token behind the hash', 'https://zenml.example.com/#access_token=hunter2hunter2'],
  ['a space inside', 'https://zenml .example.com'],
  ['a line break inside', 'https://zenml.example.com\n/zenml'],
  ['an invisible character', 'https://zenml\u200b.example.com'],
  ['a backslash', 'https:\\\\zenml.example.com'],
  ['quotes around it', '"https://zenml.example.com"'],
  ['a placeholder', '<your ZenML URL>'],
  ['a port that is none', 'https://zenml.example.com:99999'],
  ['a host that is none', 'https://exa%mple.com'],
  ['a very long address', `https://zenml.example.com/${'a'.repeat(3000)}`],
  ['plain http', 'http://zenml.example.com'],
  ['plain http to a private address', 'http://10.0.0.5:8080'],
  ["the dashboard's workspace page", 'https://cloud.zenml.io/workspaces/my-team/projects/default/runs'],
  ["the dashboard's organization page", 'https://cloud.zenml.io/organizations/5f0e2c1a/settings'],
  ["the dashboard's older workspace page", 'https://cloud.zenml.io/organizations/5f0e2c1a/tenants/my-team'],
  ['the dashboard', 'https://cloud.zenml.io'],
  ['the dashboard of a company', 'https://zenml-ui.example.com/organizations/5f0e2c1a/workspaces/my-team'],
  ['the management API', 'https://cloudapi.zenml.io'],
  ['the management API with its path', 'https://cloudapi.zenml.io/api/v1/workspaces'],
]

const durations: readonly string[] = [
  '30',
  '0',
  '0s',
  '-5m',
  '-5',
  '5',
  '1.5',
  '30 minutes',
  '30min',
  '2H',
  '1w',
  'PT30M',
  '00:30:00',
  '30m2h',
  '5m5m',
  '36d',
  '999999999d',
  '1e9s',
  'forever',
  'NaN',
  'Infinity',
  '٣٠m',
  '30m ⏰',
  `1d${' '.repeat(5000)}x`,
]

const booleans: readonly string[] = [
  'yes',
  'no',
  '1',
  '0',
  'on',
  'tRUE',
  'null',
  '"true"',
  'true false',
  '✅',
]

const configurations: readonly (readonly [string, string])[] = [
  ['a list', '- train\n- load'],
  ['a number', '5'],
  ['a text', 'train.epochs 5'],
  ["a file's name", 'configs/run.yaml'],
  ['only a comment', '# later'],
  ['null', 'null'],
  ['a key twice', 'steps:\n  train: {}\n  load: {}\n  train: {}'],
  ['a key twice in JSON', '{"enable_cache": true, "enable_cache": false}'],
  ['a key twice, as number and text', '1: a\n"1": b'],
  ['an unclosed bracket', 'steps: {train: {parameters: {epochs: 5}'],
  ['an unclosed quote', 'run_name: "nightly'],
  ['a trailing text', '{"steps": {}} x'],
  ['half a JSON value', '{"steps": '],
  ['a tab as indentation', 'steps:\n\ttrain: {}'],
  ['a colon in a text', 'description: train: with more data'],
  ['an unknown escape', 'path: "C:\\data"'],
  ['a value that begins with @', 'owner: @data-team'],
  ['a value that begins with %', 'share: %50'],
  ['two documents', 'a: 1\n---\nb: 2'],
  ['a local tag', 'a: !secret key'],
  ['a Python tag', 'a: !!python/object/apply:os.system ["ls"]'],
  ['a set', 'a: !!set {x, y}'],
  ['a binary', 'a: !!binary aGVsbG8='],
  ['a merge key', 'base: &base {epochs: 5}\ntrain:\n  <<: *base'],
  ['a mapping as key', '? {a: 1}\n: b'],
  ['an alias as key', 'a: &a x\n*a : y'],
  ['an empty key', ': 5'],
  ['an unknown alias', 'a: *defaults'],
  ['an alias before its anchor', 'a: *x\nb: &x 5'],
  ['an alias to itself', 'a: &a [*a]'],
  ['a bomb', bomb()],
  ['more brackets than a stack holds', '['.repeat(20_000)],
  ['a hundred mappings in each other', `${'{a: '.repeat(101)}1${'}'.repeat(101)}`],
  ['prototype keys', '__proto__: {polluted: true}\nconstructor: {prototype: {polluted: true}}'],
  ['a prototype key in JSON', '{"steps": {"__proto__": {"polluted": true}}}'],
  ['not a number', 'a: .nan\nb: .NaN'],
  ['infinity', 'a: .inf\nb: -.inf\nc: 1e999'],
  ['a number that is too exact', 'seed: 12345678901234567890'],
  ['many faults', Array.from({ length: 9 }, (_, index) => `k${index}: *x`).join('\n')],
  ['hostile text', 'a: 1\n"##[error]\\u202e::error::": 1\n"##[error]\\u202e::error::": 2'],
  ['the key where a long text is cut', `${'k'.repeat(45)}${KEY}: 1\n`.repeat(2)],
  ['the key in a broken text', `${KEY}: 1\n${KEY}: 2\nx: *${KEY}`],
]

const files: readonly (readonly [string, string])[] = [
  ['a file that is not there', 'configs/missing.yaml'],
  ['a file behind a file', 'configs/run.yaml/x.yaml'],
  ['a file in the home folder', '~/run.yaml'],
  ['a folder', 'configs'],
  ['a key twice in a file', 'configs/run.yaml'],
  ['a list in a file', 'configs/list.yaml'],
  ['an empty file', 'configs/empty.yaml'],
  ['a binary file', 'configs/model.bin'],
  ['a file in UTF-16', 'configs/utf16.yaml'],
  ['a file with a NUL', 'configs/nul.yaml'],
  ['broken JSON in a file', 'configs/broken.json'],
  ['a large file', 'configs/large.yaml'],
  ['a name of two lines', 'configs/run.yaml\nconfigs/more.yaml'],
  ['a very long name', 'a/'.repeat(3000)],
  ['a configuration as file name', 'steps: {}'],
]

const secrets: readonly (readonly [string, With])[] = [
  ['a key in quotes', { 'api-key': `"${KEY}"` }],
  ['a key with a space', { 'api-key': `${KEY.slice(0, 10)} ${KEY.slice(10)}` }],
  ['a key over two lines', { 'api-key': `${KEY}\n${KEY}` }],
  ['a key with Bearer', { 'api-key': `Bearer ${KEY}` }],
  ['a key with an ellipsis', { 'api-key': `${KEY.slice(0, 12)}…` }],
  ['a key with a control character', { 'api-key': `${KEY}\u0007` }],
  ['a token in quotes', { 'api-key': '', 'access-token': `'${KEY}'` }],
  ['key and token', { 'access-token': 'eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl' }],
  ['a short key as snapshot', { 'api-key': 'hunter2', snapshot: 'hunter2\nb' }],
  ['the key as snapshot', { snapshot: KEY }],
  ['the key in the address', { 'server-url': `https://user:${KEY}@zenml.example.com` }],
  ['the key as file', { 'configuration-file': `${'configs/'.repeat(12)}${KEY}` }],
  ['the key in the run name', { 'run-name': `nightly-${KEY}-{foo}` }],
]

const names: readonly (readonly [string, With])[] = [
  ['a snapshot of two lines', { snapshot: 'nightly\nweekly' }],
  ['a snapshot with a terminal code', { snapshot: '\u001b[31mnightly' }],
  ['a snapshot with a very long name', { snapshot: 'n'.repeat(131_000) }],
  ['a project with a line separator', { project: 'a\u2028b' }],
  ['snapshot and template', { template: 'nightly' }],
  ['nothing to run', { snapshot: ' ' }],
  ['an unknown placeholder', { 'run-name': 'nightly-{branch}' }],
  ['a misspelt placeholder', { 'run-name': 'nightly-{dat}' }],
  ['a brace alone', { 'run-name': 'nightly-{date' }],
  ['braces twice', { 'run-name': '{{date}}' }],
  ['a run name that becomes too long', { 'run-name': `${'r'.repeat(240)}-{date}-{time}` }],
  ['a run name of two lines', { 'run-name': 'a\nb' }],
  ['an empty tag', { tags: 'nightly,,gpu' }],
  ['a comma at the end', { tags: 'nightly, gpu,' }],
  ['only commas', { tags: ',' }],
  ['a tag that is too long', { tags: `nightly, ${'t'.repeat(256)}` }],
  ['a tag with a control character', { tags: 'nightly\u0000' }],
  ['a step key of two lines', { 'step-key': 'a\nb' }],
  ['a step key that is too long', { 'step-key': 'k'.repeat(5000) }],
]

const togethers: readonly (readonly [string, With])[] = [
  ['a timeout without a wait', { wait: 'false', timeout: '2h' }],
  ['an interval without a wait', { wait: 'False', 'poll-interval': '10s' }],
  ['an interval that is too short', { 'poll-interval': '0.5s' }],
  ['an interval that is no time', { 'poll-interval': 'often' }],
  ['no limit for the trigger', { 'trigger-timeout': 'none' }],
  ['a misspelt input', { snapshot: '', snapshots: 'nightly' }],
  ['an underscore for a hyphen', { 'server-url': '', server_url: 'https://zenml.example.com' }],
  ['a letter too few', { tag: 'gpu', projct: 'vision' }],
  [
    'almost everything',
    {
      'server-url': 'zenml.example.com',
      'api-key': 'my key',
      template: 'a\tb',
      'run-name': '{x}',
      tags: ',',
      'use-cache': 'maybe',
      wait: 'perhaps',
      timeout: 'soon',
      'trigger-timeout': '30',
      'poll-interval': '1',
      'allow-insecure-http': 'no',
      configuration: '- 1',
      'configuration-file': 'configs',
      time_out: '1h',
    },
  ],
]

const events: readonly (readonly [string, With, Environment])[] = [
  ['nothing at all', Object.fromEntries(Object.keys(least).map((name) => [name, ''])), {}],
  ['blank inputs', Object.fromEntries(Object.keys(least).map((name) => [name, ' \n '])), {}],
  ['an empty key', { 'api-key': '' }, {}],
  ["an empty key on a fork's pull request", { 'api-key': '' }, pullRequest('events/fork.json')],
  [
    "everything from secrets on a fork's pull request",
    { 'api-key': '', 'server-url': '' },
    pullRequest('events/fork.json'),
  ],
  [
    "an empty key on a deleted fork's pull request",
    { 'api-key': '' },
    pullRequest('events/deleted-fork.json'),
  ],
  ['an empty key on an own pull request', { 'api-key': '' }, pullRequest('events/own-branch.json')],
  [
    'an empty key on a pull request whose event cannot be read',
    { 'api-key': '' },
    pullRequest('events/no.json'),
  ],
  [
    'an empty key on a pull request whose event is no JSON',
    { 'api-key': '' },
    pullRequest('configs/list.yaml'),
  ],
  [
    "an empty key on a fork's pull_request_target",
    { 'api-key': '' },
    { ...pullRequest('events/fork.json'), GITHUB_EVENT_NAME: 'pull_request_target' },
  ],
  [
    "an empty key on Dependabot's push",
    { 'api-key': '' },
    { GITHUB_ACTOR: 'dependabot[bot]', GITHUB_EVENT_NAME: 'push' },
  ],
]

const shortForms: readonly (readonly [string, string])[] = [
  ['a list', '- epochs'],
  ['a text', 'epochs=5'],
  ['a parameter twice', 'train.epochs: 1\ntrain.epochs: 2'],
  ['a colon in a text', 'train.note: a: b'],
  ['a number with too many digits', 'train.seed: 12345678901234567890'],
]

const conditions: readonly (readonly [string, string])[] = [
  ['no comparison', 'train.accuracy'],
  ['one equals sign', 'accuracy >= 0.9\n  stage = "production"'],
  ['a sign that is none', 'accuracy => 0.9'],
  ['no name', '>= 0.9'],
  ['no value', 'accuracy >='],
  ['a word without quotes', 'stage == production'],
  ['a comma in a number', 'accuracy >= 0,9'],
  ['an order of booleans', 'converged >= true'],
  ['an expression', 'accuracy >= 0.9 && loss < 1'],
  ['several faults', '# what counts\naccuracy\n\nloss <'],
]

function pullRequest(eventFile: string): Environment {
  return { GITHUB_EVENT_NAME: 'pull_request', GITHUB_ACTOR: 'someone', GITHUB_EVENT_PATH: eventFile }
}

/** Every fault line that the action knows is in one of these. */
export const badInputs: readonly BadInput[] = [
  ...events.map(([title, given, env]) => ({ title, given, env })),
  ...secrets.map(([title, given]) => ({ title, given })),
  ...servers.map(([title, url]) => ({ title: `server-url: ${title}`, given: { 'server-url': url } })),
  ...names.map(([title, given]) => ({ title, given })),
  ...booleans.map((text) => ({ title: `use-cache: ${text}`, given: { 'use-cache': text } })),
  ...durations.map((text) => ({ title: `timeout: ${text.slice(0, 20)}`, given: { timeout: text } })),
  ...togethers.map(([title, given]) => ({ title, given })),
  ...configurations.map(([title, text]) => ({
    title: `configuration: ${title}`,
    given: { configuration: text },
  })),
  ...shortForms.map(([title, text]) => ({ title: `parameters: ${title}`, given: { parameters: text } })),
  ...conditions.map(([title, text]) => ({ title: `expect: ${title}`, given: { expect: text } })),
  { title: 'expect without a wait', given: { expect: 'accuracy > 0', wait: 'false' } },
  ...files.map(([title, path]) => ({
    title: `configuration-file: ${title}`,
    given: { 'configuration-file': path },
  })),
]

/** The variables of one case, in a workspace with {@link workspaceFiles}. */
export function environmentOf(bad: BadInput, workspace: string): Environment {
  const eventFile = bad.env?.['GITHUB_EVENT_PATH']
  return {
    ...bad.env,
    ...(eventFile !== undefined && { GITHUB_EVENT_PATH: `${workspace}/${eventFile}` }),
    ...variables({ ...least, ...bad.given }),
    GITHUB_WORKSPACE: workspace,
  }
}
