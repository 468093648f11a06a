import type { Environment } from '../../../src/github/workflow/environment.ts'
import type { ActionName } from '../../../src/github/inputs/table.ts'
import { configurations, files } from './bad-configurations.ts'
import { badSubActionInputs } from './bad-sub-action-inputs.ts'
import { ACCESS_TOKEN, GITHUB_TOKEN, KEY, least, OTHER_KEY, variables, type With } from './given.ts'

/** What a person wrote, and what the runner made of it. */
export interface BadInput {
  readonly title: string
  /** Default: main. */
  readonly action?: ActionName
  /** Beside, or instead of, the least that a step needs. */
  readonly given: With
  readonly env?: Environment
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
  '9'.repeat(100_000),
  '0x10s',
  '1,5h',
  '½h',
  '5m\n10m',
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

const choices: readonly (readonly [string, With])[] = [
  ...[
    'kill',
    'Stop',
    'stop_gracefully',
    'graceful',
    'true',
    'stop, leave',
    'leave',
    '"keep-running"',
    'keep_running',
    'none',
    '止',
  ].map((word) => [`on-cancel: ${word}`, { 'on-cancel': word }] as const),
  ['on-cancel: a very long word', { 'on-cancel': 'stop'.repeat(30_000) }],
  ['on-cancel: a control character', { 'on-cancel': 'stop\u001b[0m' }],
  ['on-timeout: fail', { 'on-timeout': 'fail' }],
  ['on-timeout: handover', { 'on-timeout': 'handover', timeout: '5h' }],
  ['on-timeout: hand-over, without a timeout', { 'on-timeout': ' hand-over ' }],
  ['on-timeout: hand-over, with a timeout that is none', { 'on-timeout': 'hand-over', timeout: 'none' }],
  ['on-cancel: hand-over', { 'on-cancel': 'hand-over' }],
  ['on-timeout: a space for a hyphen', { 'on-timeout': 'stop gracefully' }],
  ['on-paused: stop', { 'on-paused': 'stop' }],
  ['on-paused: Wait', { 'on-paused': 'Wait' }],
  ['on-paused: 2h', { 'on-paused': '2h' }],
  ['resume: always', { resume: 'always' }],
  ['resume: Replay', { resume: 'Replay' }],
  ...['yes', 'failure', 'on_failure', 'On-Failure', 'true, on-failure', '✅'].map(
    (word) => [`comment: ${word}`, { comment: word }] as const,
  ),
  ['comment: a word of two lines', { comment: 'on-failure\ntrue' }],
  ...['-1', '1001', '1.5', '1e2', '0x10', 'all', 'none', '٣', '9'.repeat(400)].map(
    (text) => [`log-tail: ${text.slice(0, 20)}`, { 'log-tail': text }] as const,
  ),
  ['summary: off', { summary: 'off' }],
]

const secrets: readonly (readonly [string, With])[] = [
  ['a key in quotes', { 'api-key': `"${KEY}"` }],
  ['a key with a space', { 'api-key': `${KEY.slice(0, 10)} ${KEY.slice(10)}` }],
  ['a key over two lines', { 'api-key': `${KEY}\n${KEY}` }],
  ['a key with Bearer', { 'api-key': `Bearer ${KEY}` }],
  ['a key with an ellipsis', { 'api-key': `${KEY.slice(0, 12)}…` }],
  ['a key with a control character', { 'api-key': `${KEY}\u0007` }],
  ['a key that is a whole file', { 'api-key': 'k'.repeat(100_000) }],
  ['a token in quotes', { 'api-key': '', 'access-token': `'${ACCESS_TOKEN}'` }],
  ["GitHub's token in quotes", { comment: 'true', 'github-token': `"${GITHUB_TOKEN}"` }],
  ["GitHub's token with Bearer", { comment: 'on-failure', 'github-token': `Bearer ${GITHUB_TOKEN}` }],
  ["GitHub's token over two lines", { comment: 'true', 'github-token': `${GITHUB_TOKEN}\n${GITHUB_TOKEN}` }],
  ["GitHub's token with a control character", { comment: 'true', 'github-token': `${GITHUB_TOKEN}\u0007` }],
  ["GitHub's token that is a whole file", { comment: 'true', 'github-token': 'g'.repeat(100_000) }],
  ["GitHub's token as snapshot", { 'github-token': GITHUB_TOKEN, snapshot: GITHUB_TOKEN }],
  ['key and token', { 'access-token': 'eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl' }],
  ['a short key as snapshot', { 'api-key': 'hunter2', snapshot: 'hunter2\nb' }],
  ['the key as snapshot', { snapshot: KEY }],
  ['the key and the address swapped', { 'server-url': KEY, 'api-key': 'https://zenml.example.com' }],
  ['another key in the address', { 'server-url': `https://${OTHER_KEY}` }],
  ['another key as run name, in quotes', { 'run-name': `"${OTHER_KEY}"` }],
  ['another key in an unknown input', { api_keys: OTHER_KEY, timeout: OTHER_KEY }],
  ['another key in an input that is near to none', { vault: OTHER_KEY }],
  ['a key as access-token', { 'api-key': '', 'access-token': OTHER_KEY }],
  ["a key as GitHub's token", { 'github-token': OTHER_KEY }],
  ['a key as client secret', { 'api-key': '', 'client-id': 'c', 'client-secret': OTHER_KEY, workspace: 'w' }],
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
  ['tags as a list of JSON', { tags: '["nightly", "gpu"]' }],
  ['tags as a list of YAML', { tags: '- nightly\n- gpu' }],
  ['a tag that is too long', { tags: `nightly, ${'t'.repeat(256)}` }],
  ['a tag with a control character', { tags: 'nightly\u0000' }],
  ['a step key of two lines', { 'step-key': 'a\nb' }],
  ['a step key that is too long', { 'step-key': 'k'.repeat(5000) }],
]

const togethers: readonly (readonly [string, With])[] = [
  ['resume with a run name', { resume: 'true', 'run-name': 'nightly-{date}' }],
  ['resume: replay with a run name', { resume: ' replay ', 'run-name': 'nightly-{date}' }],
  ['resume with a run name in the configuration', { resume: 'True', configuration: 'run_name: nightly' }],
  ['resume with a run name in the file', { resume: 'true', 'configuration-file': 'configs/named.yaml' }],
  [
    'resume with a run name everywhere',
    {
      resume: 'true',
      'run-name': 'a',
      'configuration-file': 'configs/named.yaml',
      configuration: '{run_name: 5}',
    },
  ],
  ['a misspelt end', { on_timeout: 'keep-running', 'on-canceled': 'keep-running' }],
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
      'enable-cache': 'maybe',
      wait: 'perhaps',
      timeout: 'soon',
      'trigger-timeout': '30',
      'poll-interval': '1',
      'on-cancel': 'abort',
      'on-timeout': 'x',
      'on-paused': 'ignore',
      resume: '1',
      'allow-insecure-http': 'no',
      configuration: '- 1',
      'configuration-file': 'configs',
      time_out: '1h',
    },
  ],
]

const events: readonly (readonly [string, With, Environment])[] = [
  ['nothing at all', Object.fromEntries(Object.keys(least.main).map((name) => [name, ''])), {}],
  ['blank inputs', Object.fromEntries(Object.keys(least.main).map((name) => [name, ' \n '])), {}],
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

/** Names that people have from elsewhere, or half remember. */
const wrongNames: readonly string[] = [
  'params',
  'parameter',
  'args',
  'config',
  'config-file',
  'tag',
  'timeout-minutes',
  'enable_cache',
  'use-cache',
  'zenml-url',
  'zenml-api-key',
  'token',
  'my-project-name',
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
  ['a bound that reckons', 'accuracy >= baseline * 0.9'],
  ['the baseline without the input', 'accuracy >= baseline'],
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
  ...choices.map(([title, given]) => ({ title, given })),
  ...names.map(([title, given]) => ({ title, given })),
  ...booleans.map((text) => ({ title: `enable-cache: ${text}`, given: { 'enable-cache': text } })),
  ...durations.map((text) => ({
    title: `timeout: ${text.slice(0, 20).replace('\n', ' and ')}`,
    given: { timeout: text },
  })),
  ...togethers.map(([title, given]) => ({ title, given })),
  ...configurations.map(([title, text]) => ({
    title: `configuration: ${title}`,
    given: { configuration: text },
  })),
  ...shortForms.map(([title, text]) => ({ title: `parameters: ${title}`, given: { parameters: text } })),
  ...conditions.map(([title, text]) => ({ title: `expect: ${title}`, given: { expect: text } })),
  ...[
    'run:',
    'run:https://zenml.example.com/runs',
    'refs/heads/main',
    'refs/tags/v1',
    'my branch',
    'main\nmain',
  ].map((text) => ({
    title: `baseline: ${JSON.stringify(text)}`,
    given: { baseline: text },
  })),
  { title: 'baseline-required without a baseline', given: { 'baseline-required': 'true' } },
  ...wrongNames.map((name) => ({ title: `an input that is called ${name}`, given: { [name]: '5' } })),
  ...files.map(([title, path]) => ({
    title: `configuration-file: ${title}`,
    given: { 'configuration-file': path },
  })),
  ...badSubActionInputs,
]

/** The variables of one case, in a workspace with the files of bad-configurations.ts. */
export function environmentOf(bad: BadInput, workspace: string): Environment {
  const eventFile = bad.env?.['GITHUB_EVENT_PATH']
  return {
    ...bad.env,
    ...(eventFile !== undefined && { GITHUB_EVENT_PATH: `${workspace}/${eventFile}` }),
    ...variables({ ...least[bad.action ?? 'main'], ...bad.given }),
    GITHUB_WORKSPACE: workspace,
  }
}
