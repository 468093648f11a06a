import { put } from './tampering-server.ts'
import {
  INITIALIZING,
  PIPELINE,
  SHORT,
  SNAPSHOT,
  change,
  deeply,
  deny,
  html,
  json,
  raw,
  redirect,
  split,
  type BadAnswer,
} from './bad-answer.ts'

/** So a template is read by its id. */
const BY_PIPELINE = { server: { version: '0.85.0' }, changes: PIPELINE } as const

const login: readonly BadAnswer[] = [
  { title: 'login: a web page, 404', on: 'login', answers: html(404), built: true },
  { title: 'login: a web page, 200', on: 'login', answers: html(200) },
  { title: "login: a proxy's page, 502", on: 'login', answers: html(502) },
  { title: 'login: an empty answer', on: 'login', answers: raw('') },
  { title: 'login: null', on: 'login', answers: json(200, null) },
  { title: 'login: a list', on: 'login', answers: json(200, [{ access_token: 'abcdefgh' }]) },
  { title: 'login: an empty token', on: 'login', answers: change('access_token', '') },
  { title: 'login: a number as token', on: 'login', answers: change('access_token', 12345678) },
  { title: 'login: the lifetime as a text', on: 'login', answers: change('expires_in', '3600') },
  {
    title: 'login: a wrong key',
    on: 'login',
    answers: json(401, { detail: ['CredentialsNotValid', 'Authentication error: error decoding API key'] }),
  },
  {
    title: 'login: a 400 of plain text',
    on: 'login',
    answers: raw('username is required', 400),
  },
  {
    title: 'login: a redirect',
    on: 'login',
    answers: redirect('https://sso.example.com/start'),
  },
  {
    title: 'login: a redirect with a secret in the query',
    on: 'login',
    answers: redirect('https://sso.example.com/start?password=hunter2hunter2#hunter2hunter2'),
    built: true,
  },
  {
    title: 'login: a redirect with a password',
    on: 'login',
    answers: redirect('https://admin:hunter2hunter2@sso.example.com/'),
  },
  {
    title: 'login: a redirect to a path with a secret',
    on: 'login',
    answers: redirect('/login?next=/&token=hunter2hunter2', 307),
  },
  { title: 'login: a redirect to nowhere', on: 'login', answers: { kind: 'instead', status: 301 } },
  {
    title: 'login: the daily limit',
    on: 'login',
    answers: json(429, { detail: 'Daily request limit exceeded.' }),
  },
  {
    title: 'login: 100 MB',
    on: 'login',
    answers: { kind: 'huge', megabytes: 100 },
    limits: SHORT,
    built: true,
  },
  {
    title: 'login: no end of the body',
    on: 'login',
    answers: { kind: 'endless' },
    limits: { bodyBytes: 1024 * 1024 },
  },
]

const info: readonly BadAnswer[] = [
  {
    title: 'version: a web page, 200, once',
    on: 'info',
    answers: html(200),
    times: 1,
    ends: 'completed',
  },
  { title: 'version: a web page, 503', on: 'info', answers: html(503) },
  { title: 'version: missing', on: 'info', answers: change('version', undefined) },
  { title: 'version: a number', on: 'info', answers: change('version', 0.98) },
  {
    title: 'version: another content type, JSON all the same',
    on: 'info',
    answers: { kind: 'instead', body: '{"version":"0.98.0"}', headers: { 'content-type': 'text/plain' } },
    ends: 'completed',
  },
  {
    title: 'version: a byte order mark before the JSON',
    on: 'info',
    answers: raw('\uFEFF{"version":"0.98.0"}'),
  },
  {
    title: 'version: no UTF-8',
    on: 'info',
    answers: raw(Uint8Array.of(0x7b, 0x22, 0xff, 0xfe, 0xc0, 0x80, 0x22, 0x7d)),
  },
  { title: 'version: zero bytes', on: 'info', answers: raw('\0'.repeat(100)) },
  { title: 'version: nested 100,000 deep', on: 'info', answers: raw(deeply(100_000)) },
  {
    title: 'version: an error nested 100,000 deep',
    on: 'info',
    answers: raw(`{"detail":${deeply(100_000)}}`, 400),
    built: true,
  },
  {
    title: 'version: said twice, the last counts',
    on: 'info',
    answers: raw('{"version":5,"version":"0.98.0"}'),
    ends: 'completed',
  },
  {
    title: 'version: prototype keys beside it',
    on: 'info',
    answers: raw(
      '{"__proto__":{"version":"0.1.0","dashboard_url":"javascript:alert(1)"},"constructor":1,"toString":2,"version":"0.98.0"}',
    ),
    ends: 'completed',
  },
  { title: 'version: only on the prototype', on: 'info', answers: raw('{"__proto__":{"version":"0.98.0"}}') },
  { title: 'version: a byte at a time', on: 'info', answers: { kind: 'drip' }, limits: SHORT },
  { title: 'version: a body that stops', on: 'info', answers: { kind: 'stall' }, limits: SHORT },
]

const account: readonly BadAnswer[] = [
  { title: 'account: null', on: 'user', answers: json(200, null) },
  { title: 'account: no id', on: 'user', answers: change('id', null) },
  { title: 'account: no name', on: 'user', answers: change('name', null), ends: 'completed' },
  { title: 'account: hidden', on: 'user', answers: deny(''), ends: 'completed' },
  {
    title: 'account: not allowed',
    on: 'user',
    answers: json(403, {
      detail: ['IllegalOperationError', "Insufficient permissions to READ resource 'user'."],
    }),
  },
  {
    title: 'account: the subscription',
    on: 'user',
    answers: json(402, { detail: ['SubscriptionUpgradeRequiredError', 'Your plan allows 3 users.'] }),
  },
  {
    title: 'account: the token is refused for ever',
    on: 'user',
    answers: json(401, { detail: ['CredentialsNotValid', 'token expired'] }),
  },
]

const NAMED = { nameOrId: 'default', source: 'project' } as const

const finding: readonly BadAnswer[] = [
  { title: 'project: a list', on: 'project', answers: json(200, []), changes: { project: NAMED } },
  {
    title: 'project: no name',
    on: 'project',
    answers: change('name', null),
    changes: { project: NAMED },
  },
  { title: 'project: a web page, 404', on: 'project', answers: html(404), changes: { project: NAMED } },
  {
    title: 'projects: not allowed, and none is named',
    on: 'projects',
    answers: json(403, { detail: 'no' }),
  },
  { title: 'projects: none', on: 'projects', answers: json(200, { total: 0, total_pages: 1, items: [] }) },
  { title: 'projects: no name', on: 'projects', answers: change('items.0.name', null) },
  { title: 'projects: more than it says', on: 'projects', answers: change('total', 250) },
  { title: 'templates: a list without its page', on: 'templates', answers: json(200, []) },
  { title: 'templates: items null', on: 'templates', answers: change('items', null) },
  { title: 'templates: items of nulls', on: 'templates', answers: change('items', [null, null]) },
  { title: 'templates: the total as a text', on: 'templates', answers: change('total', '4') },
  {
    title: 'templates: none, though there are some',
    on: 'templates',
    answers: change('items', []),
  },
  {
    title: 'templates: hidden ones',
    on: 'templates',
    answers: deny('items.0.'),
    ends: 'completed',
    built: true,
  },
  { title: 'templates: one without an id', on: 'templates', answers: change('items.0.id', undefined) },
  {
    title: 'snapshots: items is a mapping',
    on: 'snapshots',
    answers: change('items', { 0: {} }),
    changes: SNAPSHOT,
  },
  {
    title: 'snapshots: runnable as a text',
    on: 'snapshots',
    answers: change('items.0.body.runnable', 'true'),
    changes: PIPELINE,
  },
  {
    title: 'snapshots: 100 MB',
    on: 'snapshots',
    answers: { kind: 'huge', megabytes: 100 },
    changes: SNAPSHOT,
    limits: { bodyBytes: 1024 * 1024 },
  },
  { title: 'template: hidden', on: 'template', ...BY_PIPELINE, answers: deny(''), ends: 'completed' },
  { title: 'template: metadata is a list', on: 'template', ...BY_PIPELINE, answers: change('metadata', [1]) },
  {
    title: 'template: the pipeline without an id',
    on: 'template',
    ...BY_PIPELINE,
    answers: change('resources.pipeline.id', undefined),
  },
  {
    title: 'template: gone between list and look',
    on: 'template',
    ...BY_PIPELINE,
    answers: json(404, { detail: ['KeyError', "'Unable to get run template with ID …'"] }),
  },
  {
    title: 'template: a 422 as a bare list',
    on: 'template',
    ...BY_PIPELINE,
    answers: json(422, ['ValueError', '1 validation error: id is no UUID']),
  },
  { title: 'snapshot: an empty mapping', on: 'snapshot', answers: json(200, {}), changes: PIPELINE },
  { title: 'snapshot: hidden', on: 'snapshot', answers: deny(''), changes: PIPELINE, ends: 'completed' },
]

const trigger: readonly BadAnswer[] = [
  {
    title: 'trigger: refused for its parameters',
    on: 'trigger',
    answers: json(400, { detail: ['ValueError', 'Invalid parameters: epochs'] }),
    built: true,
  },
  {
    title: 'trigger: not allowed',
    on: 'trigger',
    answers: json(403, {
      detail: ['IllegalOperationError', "Insufficient permissions to CREATE resource 'pipeline_run'."],
    }),
  },
  { title: 'trigger: a web page, 404', on: 'trigger', answers: html(404), ends: 'lost' },
  { title: 'trigger: a web page, 502, nothing was started', on: 'trigger', answers: html(502), ends: 'lost' },
  {
    title: 'trigger: a web page, 502, but the run was started',
    on: 'trigger',
    answers: html(502, { work: true }),
    ends: 'completed',
  },
  {
    title: 'trigger: null, but the run was started',
    on: 'trigger',
    answers: { kind: 'instead', body: 'null', work: true },
    ends: 'completed',
  },
  { title: 'trigger: empty, nothing was started', on: 'trigger', answers: raw(''), ends: 'lost' },
  {
    title: "trigger: somebody else's run",
    on: 'trigger',
    answers: change('name', 'another-run'),
    ends: 'completed',
  },
  { title: 'trigger: a run without an id', on: 'trigger', answers: change('id', null), ends: 'completed' },
  {
    title: 'trigger: the status as a number',
    on: 'trigger',
    answers: change('body.status', 3),
    ends: 'completed',
  },
  {
    title: 'trigger: a moment that is none',
    on: 'trigger',
    answers: change('body.created', 'yesterday'),
    ends: 'completed',
  },
  { title: 'trigger: a hidden run', on: 'trigger', answers: deny(''), ends: 'completed' },
  {
    title: 'trigger: a redirect',
    on: 'trigger',
    answers: redirect('https://elsewhere.example.com/?token=hunter2hunter2', 307),
    ends: 'lost',
  },
  {
    title: 'trigger: 100 MB, and the run was started',
    on: 'trigger',
    answers: { kind: 'huge', megabytes: 100 },
    times: 1,
    ends: 'completed',
    limits: { bodyBytes: 1024 * 1024 },
  },
  {
    title: 'trigger: no workload manager',
    on: 'trigger',
    answers: json(501, { detail: ['NotImplementedError', 'Workload management is not enabled.'] }),
  },
  {
    title: 'trigger: the name is taken, but no such run is shown',
    on: 'trigger',
    answers: json(409, { detail: ['EntityExistsError', 'a run of this name exists'] }),
    ends: 'lost',
  },
  {
    title: 'look-up: items null before anything is sent',
    on: 'runs',
    answers: change('items', null),
    changes: { runName: 'nightly' },
  },
  {
    title: 'look-up: items null after a lost answer',
    on: 'runs',
    answers: change('items', null),
    also: { on: 'trigger', answers: html(502) },
    ends: 'lost',
  },
  {
    title: 'look-up: hidden runs after a lost answer',
    on: 'runs',
    answers: deny('items.0.'),
    also: { on: 'trigger', answers: html(502, { work: true }) },
    ends: 'completed',
  },
]

const watching: readonly BadAnswer[] = [
  { title: 'run: a web page, 200, for ever', on: 'run', answers: html(200), ends: 'lost' },
  { title: 'run: a web page, 404, for ever', on: 'run', answers: html(404), ends: 'lost' },
  { title: 'run: null', on: 'run', answers: json(200, null), ends: 'lost' },
  { title: 'run: null, once', on: 'run', answers: json(200, null), times: 1, ends: 'completed' },
  { title: 'run: the status as a number', on: 'run', answers: change('body.status', 7), ends: 'lost' },
  {
    title: 'run: in_progress as a text',
    on: 'run',
    answers: change('body.in_progress', 'true'),
    ends: 'lost',
  },
  { title: 'run: created is no moment', on: 'run', answers: change('body.created', 'soon'), ends: 'lost' },
  {
    title: 'run: a state that nobody knows, ended',
    on: 'run',
    answers: {
      kind: 'json',
      change: (real) => put('body.in_progress', false)(put('body.status', 'hibernated')(real)),
    },
  },
  {
    title: 'run: hidden for ever',
    on: 'run',
    answers: deny(''),
    changes: { timeoutMs: 600_000 },
    ends: 'lost',
  },
  {
    title: 'run: gone',
    on: 'run',
    answers: json(404, { detail: ['KeyError', "'Unable to get run with ID …'"] }),
    ends: 'lost',
  },
  {
    title: 'run: no longer allowed',
    on: 'run',
    answers: json(403, {
      detail: ['IllegalOperationError', "Insufficient permissions to READ resource 'pipeline_run'."],
    }),
    ends: 'lost',
  },
  {
    title: 'run: 100 MB',
    on: 'run',
    answers: { kind: 'huge', megabytes: 100 },
    ends: 'lost',
    limits: { bodyBytes: 1024 * 1024 },
  },
  {
    title: 'run: slow bytes, twice',
    on: 'run',
    answers: { kind: 'drip' },
    times: 2,
    ends: 'completed',
    limits: SHORT,
  },
  { title: 'graph: nodes null', on: 'dag', answers: change('nodes', null), ...split(), ends: 'failed' },
  { title: 'graph: nodes of nulls', on: 'dag', answers: change('nodes', [null]), ...split(), ends: 'failed' },
  {
    title: 'graph: edges missing, once',
    on: 'dag',
    answers: change('edges', undefined),
    times: 1,
    ...split(),
  },
  {
    title: 'graph: edges in a circle',
    on: 'dag',
    answers: change('edges', [
      { source: 'step/short', target: 'step/long' },
      { source: 'step/long', target: 'step/short' },
    ]),
    ...split(),
  },
  { title: 'graph: a web page, 503, once', on: 'dag', answers: html(503), times: 1, ...split() },
  {
    title: 'steps: the number of pages as a text',
    on: 'steps',
    answers: change('total_pages', '1'),
    ...split('0.74.0'),
    ends: 'lost',
  },
  {
    title: 'steps: a status missing',
    on: 'steps',
    answers: change('items.0.body', {}),
    ...split('0.74.0'),
    ends: 'lost',
  },
  {
    title: 'steps: hidden ones',
    on: 'steps',
    answers: deny('items.0.'),
    ...split('0.74.0'),
    changes: { ...split('0.74.0').changes, timeoutMs: 900_000 },
    ends: 'failed',
  },
  {
    title: 'question: a paused run whose question is not readable',
    way: 'attach',
    on: 'dag',
    answers: change('nodes', null),
    changes: { onPaused: 'fail' },
    before: (server) => server.pause(server.runs[0]?.id ?? '', 'deploy?'),
  },
]

const stopping: readonly BadAnswer[] = [
  { title: 'stop: an unknown 403', way: 'stop', on: 'stop', answers: json(403, { detail: 'no' }) },
  { title: 'stop: a web page, 200, and nothing stops', way: 'stop', on: 'stop', answers: html(200) },
  { title: 'stop: a web page, 502', way: 'stop', on: 'stop', answers: html(502) },
  { title: 'stop: a redirect', way: 'stop', on: 'stop', answers: redirect('https://elsewhere.example.com/') },
  {
    title: 'stop: no UTF-8, but it was stopped',
    way: 'stop',
    on: 'stop',
    answers: { kind: 'instead', body: Uint8Array.of(0xff, 0xfe), work: true },
    ends: 'stopped',
  },
  {
    title: 'stop: a 422 of nested lists',
    way: 'stop',
    on: 'stop',
    answers: json(422, { detail: [{ loc: ['query', 'graceful'], msg: 'field required', type: 'missing' }] }),
  },
  {
    title: 'stop: the run to be stopped is hidden',
    way: 'stop',
    on: 'run',
    answers: deny(''),
    ends: 'stopped',
  },
  {
    title: 'stop: the run to be stopped is always another one',
    way: 'stop',
    on: 'run',
    answers: change('id', '99999999-9999-4999-8999-999999999999'),
  },
  { title: 'stop: the run to be stopped is null', way: 'stop', on: 'run', answers: json(200, null) },
  { title: 'end: a web page, 404', way: 'stop', on: 'update', answers: html(404), server: INITIALIZING },
  {
    title: 'end: not allowed',
    way: 'stop',
    on: 'update',
    answers: json(403, {
      detail: ['IllegalOperationError', "Insufficient permissions to UPDATE resource 'pipeline_run'."],
    }),
    server: INITIALIZING,
  },
  {
    title: 'end: null, and it was ended',
    way: 'stop',
    on: 'update',
    answers: { kind: 'instead', body: 'null', work: true },
    server: INITIALIZING,
    ends: 'stopped',
  },
  {
    title: 'end: 200, and nothing was ended',
    way: 'stop',
    on: 'update',
    answers: json(200, {}),
    server: INITIALIZING,
  },
]

export const badAnswers: readonly BadAnswer[] = [
  ...login,
  ...info,
  ...account,
  ...finding,
  ...trigger,
  ...watching,
  ...stopping,
]
