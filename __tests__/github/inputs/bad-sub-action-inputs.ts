import type { ActionName } from '../../../src/github/inputs/table.ts'
import type { BadInput } from './bad-inputs.ts'
import { KEY, RUN_ID, type With } from './given.ts'

const login: readonly (readonly [string, With])[] = [
  ['nothing at all', { 'server-url': '', 'api-key': '' }],
  ['a token instead of a key', { 'api-key': '', 'access-token': KEY }],
  ['an underscore for a hyphen', { 'api-key': '', api_key: KEY }],
  ['a key in quotes', { 'api-key': `'${KEY}'` }],
  ['the key in the address', { 'server-url': `https://zenml.example.com/${KEY}` }],
  ['plain http', { 'server-url': 'http://zenml.example.com' }],
  [
    'plain http, allowed by a word that is none',
    { 'server-url': 'http://a.example.com', 'allow-insecure-http': 'yes' },
  ],
  ["the dashboard's address", { 'server-url': 'https://cloud.zenml.io/workspaces/my-team' }],
]

const wait: readonly (readonly [string, With])[] = [
  ['no run', { run: '' }],
  ['a blank run', { run: '\t\n' }],
  ['runs for run', { run: '', runs: 'nightly-5' }],
  ["stop's input", { run: '', 'run-id': RUN_ID }],
  ['two runs', { run: 'nightly-5\nnightly-6' }],
  ['a run with a terminal code', { run: 'nightly\u001b[2J' }],
  ['a run with a very long name', { run: 'n'.repeat(256) }],
  [
    "the page of another server's run",
    { run: `https://other.example.com/projects/vision/runs/${RUN_ID}/logs` },
  ],
  ["the page of another path's run", { run: `https://zenml.example.com/staging/runs/${RUN_ID}` }],
  ["a run's page and no server", { run: `https://other.example.com/runs/${RUN_ID}`, 'server-url': '' }],
  ["a run's page with a password", { run: `https://ann:hunter22@zenml.example.com/runs/${RUN_ID}` }],
  ['an address without a run', { run: 'https://zenml.example.com/projects/vision/runs' }],
  ['the key as run', { run: KEY }],
  ['key and token', { 'access-token': 'eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl' }],
  ['neither key nor token', { 'api-key': '' }],
  ['a timeout that is none', { timeout: 'ten minutes' }],
  ['a timeout without a unit', { timeout: '600' }],
  ['an interval that is too short', { 'poll-interval': '10ms' }],
  ['an unknown end', { 'on-cancel': 'leave', 'on-timeout': 'continue', 'on-paused': 'stop' }],
  ['on-timeout: hand-over, without a timeout', { 'on-timeout': 'hand-over' }],
  ['the name of a pull request', { 'pull-request': 'fix-typo' }],
  ['a pull request with a sign', { 'pull-request': '#12' }],
  ['pull request 0', { 'pull-request': '0' }],
  ['a pull request beyond all numbers', { 'pull-request': '99999999999999999999' }],
  ['a project of two lines', { project: 'a\nb' }],
  ['a report that is none', { 'log-tail': 'many', summary: '0', comment: 'never', 'step-key': 'a\nb' }],
  ['a letter too few', { coment: 'true', logtail: '5' }],
  [
    'everything',
    {
      'server-url': 'zenml.example.com',
      'api-key': 'a b',
      'access-token': 'c',
      run: 'a\nb',
      project: 'p'.repeat(300),
      timeout: '-1h',
      'poll-interval': '0',
      'on-cancel': '1',
      'on-timeout': '2',
      'on-paused': '3',
      'allow-insecure-http': '4',
      projekt: 'vision',
    },
  ],
]

const stop: readonly (readonly [string, With])[] = [
  ['no run', { run: ' ' }],
  ["the output's name", { run: '', 'run-id': RUN_ID }],
  ['an underscore for a hyphen', { run: '', run_id: RUN_ID }],
  ['two ids on two lines', { run: `${RUN_ID}\n${RUN_ID}` }],
  ["the page of another server's run", { run: `http://localhost:8237/runs/${RUN_ID.toUpperCase()}` }],
  ['an address without a run', { run: 'https://zenml.example.com' }],
  ['an address without a run but with a password', { run: 'https://ann:hunter22@zenml.example.com' }],
  ['an address that is too long', { run: `https://zenml.example.com/${'a'.repeat(100_000)}/runs/${RUN_ID}` }],
  ['a very long name', { run: 'a'.repeat(100_000) }],
  ['the key as id', { run: KEY }],
  ['graceful: true', { graceful: 'true' }],
  ['mode: graceful', { mode: 'graceful' }],
  ['mode: keep-running', { mode: 'keep-running' }],
  ['mode: Stop', { mode: 'Stop' }],
  ['no limit', { timeout: 'none' }],
  ['a timeout of nothing', { timeout: '0s' }],
  ['a timeout of years', { timeout: '400d' }],
  ['a letter too few', { timout: '1m' }],
]

const resolve: readonly (readonly [string, With])[] = [
  ['no run', { run: '', answer: 'true' }],
  ['a text without quotes', { answer: 'approved' }],
  ['a text in single quotes', { answer: "'yes'" }],
  ['a capital', { answer: 'True' }],
  ['YAML', { answer: 'ok: true' }],
  ['half of it', { answer: '{"ok": true' }],
  ['the key as answer', { answer: KEY }],
  ['a very long text', { answer: 'a'.repeat(100_000) }],
  ['too deep', { answer: `${'['.repeat(100_000)}${']'.repeat(100_000)}` }],
  ['a number that is not exact', { answer: '{"id": 12345678901234567890}' }],
  ['a number that is infinite', { answer: '1e999' }],
  ['an answer that has no effect', { answer: 'true', resolution: 'abort' }],
  ['resolution: approve', { resolution: 'approve' }],
  ['resolution: stop', { resolution: 'stop' }],
  ['resolution: Continue', { resolution: 'Continue' }],
  ["ZenML's name of the answer", { result: 'true' }],
  ["the page of another server's run", { run: `https://other.example.com/runs/${RUN_ID}` }],
]

const RUN_PAGE = `https://other.example.com/projects/vision/runs/${RUN_ID}`

const promote: readonly (readonly [string, With])[] = [
  ['nothing to promote', { run: '' }],
  ['nothing at all', { 'server-url': '', 'api-key': '', run: '', stage: '' }],
  ['a run and a model', { model: 'classifier' }],
  ['a run and a version', { version: '7' }],
  ['a run, a model and a version', { model: 'classifier', version: '7' }],
  ['a model without a version', { run: '', model: 'classifier' }],
  ['a version without a model', { run: '', version: '7' }],
  ['no stage', { stage: ' ' }],
  ['no stage, and nothing to promote', { run: '', stage: '' }],
  ['a stage that is short', { stage: 'prod' }],
  ['a stage in capitals', { stage: 'Production' }],
  ['a stage that ZenML has too', { stage: 'none' }],
  ['a version in place of the stage', { stage: '7' }],
  ['replace: true', { replace: 'true' }],
  ['replace: newer', { replace: 'newer' }],
  ['force', { force: 'true' }],
  ["the output's name", { run: '', 'run-id': RUN_ID }],
  ["ZenML's name of a version", { run: '', 'model-name': 'classifier', 'model-version': '7' }],
  ['a model of two lines', { run: '', model: 'a\nb', version: '7' }],
  ["the page of another server's run", { run: RUN_PAGE }],
  ['the key as version', { run: '', model: 'classifier', version: KEY }],
]

const sweep: readonly (readonly [string, With])[] = [
  ['on-timeout: hand-over', { 'on-timeout': 'hand-over', timeout: '5h' }],
]

/** Faults in the inputs of the other actions, as far as they are not those of the main action. */
export const badSubActionInputs: readonly BadInput[] = [
  ...casesOf('login', login),
  ...casesOf('wait', wait),
  ...casesOf('sweep', sweep),
  ...casesOf('stop', stop),
  ...casesOf('resolve', resolve),
  ...casesOf('promote', promote),
]

function casesOf(action: ActionName, cases: readonly (readonly [string, With])[]): BadInput[] {
  return cases.map(([title, given]) => ({ title: `${action}/: ${title}`, action, given }))
}
