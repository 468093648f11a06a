import type { Simulator } from '../../simulator/index.ts'
import { put, type Tampering } from './tampering-server.ts'
import type { StepOptions } from './workflow-step.ts'

/** A step in which a text that somebody else wrote stands wherever a server can put one. */
export interface Road {
  readonly title: string
  /** The step, with the same text in every place. */
  step(text: string): StepOptions
}

type Change = (real: unknown) => unknown

/** Changes one after the other. */
function all(...changes: readonly Change[]): Tampering {
  return { kind: 'json', change: (real) => changes.reduce((answer, change) => change(answer), real) }
}

/** What every step reads: who it is, which server, what is to be run. */
function everywhere(text: string): Partial<Record<string, Tampering>> {
  const made = [put('resources.user.name', text), put('resources.code_reference', { body: { commit: text } })]
  const definition = [put('name', text), put('resources.pipeline.name', text)]
  // One of another name would not be the one that is looked for.
  const listed = [
    put('items.0.resources.pipeline.name', text),
    put('items.0.resources.user.name', text),
    put('items.0.resources.code_reference', { body: { commit: text } }),
  ]
  return {
    // A version that cannot be read counts as new, and is shown all the same.
    info: all(put('version', text)),
    user: all(put('name', text)),
    projects: all(put('items.0.name', text)),
    project: all(put('name', text)),
    templates: all(...listed),
    template: all(...definition, ...made),
    snapshot: all(...definition, ...made, put('resources.stack.name', text)),
  }
}

/** A run as the server shows it, by its state. */
function run(text: string, body: Readonly<Record<string, unknown>>): Tampering {
  return all(
    ...Object.entries({ status_reason: text, ...body }).map(([key, value]) => put(`body.${key}`, value)),
    ...['source_snapshot', 'stack'].map((part) => put(`resources.${part}.name`, text)),
    put('resources.code_reference', { body: { commit: text } }),
  )
}

/** The same, read by itself. */
function condition(
  body: Readonly<Record<string, string>>,
  metadata: Readonly<Record<string, unknown>>,
): Tampering {
  return { kind: 'instead', status: 200, body: JSON.stringify({ id: 'q', body, metadata }) }
}

/** What a run asks, as a node of its graph. */
function question(name: string, words: Readonly<Record<string, string>> = {}): Entry {
  return { node_id: 'q', type: 'wait_condition', id: 'q', name, metadata: { status: 'pending', ...words } }
}

function road(
  title: string,
  answers: (text: string) => Partial<Record<string, Tampering>>,
  options: Omit<StepOptions, 'tamper'> = {},
): Road {
  return {
    title,
    step: (text) => {
      const tampering = { ...everywhere(text), ...answers(text) }
      return { ...options, tamper: (route) => (route === undefined ? undefined : tampering[route]) }
    },
  }
}

const error = (status: number, body: unknown): Tampering => ({
  kind: 'instead',
  status,
  body: JSON.stringify(body),
})

/** Changes each entry of the list at `items` or `nodes` that there is. */
function each(list: 'items' | 'nodes', change: (entry: Entry) => void): Change {
  return (real) => {
    for (const entry of (real as Record<string, Entry[]>)[list] ?? []) change(entry)
    return real
  }
}

type Entry = Record<string, unknown>

/** A step in which the text stands wherever a person's code, or its exception, can put one. */
function told(text: string, status: string): (entry: Entry) => void {
  return (step) => {
    const outputs = { [text]: [output(text)] }
    step['name'] = text
    step['body'] = { ...part(step, 'body'), status, outputs }
    step['resources'] = { ...part(step, 'resources'), outputs }
    step['metadata'] = {
      ...part(step, 'metadata'),
      run_metadata: { [text]: text, nested: { [text]: [text] } },
      exception_info: {
        source: text,
        message: text,
        traceback: `Traceback (most recent call last):\n  File "${text}", line 1, in ${text}\n    ${text}\n${text}`,
      },
    }
  }
}

function part(entry: Entry, name: string): object {
  const value = entry[name]
  return typeof value === 'object' && value !== null ? value : {}
}

function output(text: string): Entry {
  return { id: 'x', body: { artifact: { name: text }, version: text, uri: text, type: text } }
}

/** The same of the graph, whose nodes keep their ids. */
const node =
  (text: string, status: string) =>
  (entry: Entry): void => {
    if (entry['type'] !== 'step' || entry['id'] === null) return
    entry['name'] = text
    entry['metadata'] = { ...part(entry, 'metadata'), status }
  }

const RUNNING = { status: 'running', in_progress: true }

const pauseIt = (server: Simulator): void => server.pause(server.runs[0]?.id ?? '', 'deploy?')

export const roads: readonly Road[] = [
  road('a snapshot of another commit than the pull request', (text) => ({
    templates: all(
      put('items.0.resources.pipeline.name', text),
      put('items.0.resources.code_reference', { body: { commit: '0123456789'.repeat(4) } }),
    ),
  })),
  road('a run that completes', (text) => ({ run: run(text, { status: 'completed', in_progress: false }) })),
  road('a run that fails', (text) => ({ run: run(text, { status: 'failed', in_progress: false }) })),
  road('a run in a state of that name', (text) => ({ run: run(text, { status: text, in_progress: false }) })),
  road(
    'a run that failed while its steps go on',
    (text) => ({
      run: run(text, { status: 'failed', in_progress: true }),
      dag: all(put('nodes.0.name', text), put('nodes.0.id', 'x'), put('nodes.0.metadata.status', 'running')),
    }),
    { changes: { timeoutMs: 120_000, onTimeout: 'keep-running' } },
  ),
  ...(['failed', 'completed', 'cached'] as const).map((status) =>
    road(
      `a run whose steps are ${status}, with their logs, metadata and outputs`,
      (text) => ({
        run: all(
          put('body.status', status === 'failed' ? 'failed' : 'completed'),
          put('body.in_progress', false),
        ),
        dag: all(each('nodes', node(text, status))),
        steps: all(each('items', told(text, status))),
        step: all((real) => (told(text, status)(real as Entry), real)),
        logs: { kind: 'instead', body: JSON.stringify([{ message: text }, { message: `a\n${text}` }]) },
      }),
      { way: 'attach' },
    ),
  ),
  road('a run that fails before any step, with the log of its start', (text) => ({
    run: run(text, { status: 'failed', in_progress: false }),
    dag: all(put('nodes', [])),
    steps: all(put('items', []), put('total', 0)),
    logs: { kind: 'instead', body: JSON.stringify([{ message: text }]) },
  })),
  road('a trigger that is refused', (text) => ({ trigger: error(400, { detail: ['ValueError', text] }) })),
  road('a trigger that is refused in other words', (text) => ({ trigger: error(403, { detail: text }) })),
  road('a trigger that is refused with a list', (text) => ({ trigger: error(422, ['ValueError', text]) })),
  road('a trigger that is refused with a structure', (text) => ({
    trigger: error(400, { detail: { [text]: [text] } }),
  })),
  road("a run of another's name", (text) => ({
    trigger: all(put('name', text)),
    runs: all(put('items', [])),
  })),
  road('a server that is lost from sight', (text) => ({ run: error(503, { error: text }) })),
  road('a login that is refused', (text) => ({
    login: error(401, { detail: ['CredentialsNotValid', text] }),
  })),
  road('a login that is answered with a text', (text) => ({
    login: { kind: 'instead', status: 400, body: text },
  })),
  road('a web page of that title', (text) => ({
    login: {
      kind: 'instead',
      status: 404,
      body: `<html><title>${text}</title>`,
      headers: { 'content-type': 'text/html' },
    },
  })),
  road('a redirect to there', (text) => ({
    login: {
      kind: 'instead',
      status: 302,
      headers: {
        location: encodeURI(`https://evil.example.com/${text.slice(0, 2_000).replace(/\p{Cs}/gu, '?')}`),
      },
    },
  })),
  road(
    'a run that something else started, paused with a question',
    (text) => ({
      run: all(put('name', text), put('body.status', 'paused')),
      dag: all(put('nodes', [question(text, { question: text })])),
    }),
    { way: 'attach', before: pauseIt, changes: { onPaused: 'fail' } },
  ),
  road(
    'a run that something else started, paused for long',
    (text) => ({
      run: all(put('name', text), put('body.status', 'paused'), put('body.status_reason', text)),
      dag: all(put('nodes', [question(text)])),
    }),
    { way: 'attach', before: pauseIt, changes: { timeoutMs: 60_000 } },
  ),
  road(
    'a run to be stopped that goes on',
    (text) => ({
      run: all(put('name', text), put('body.status', 'running')),
      stop: error(403, { detail: ['IllegalOperationError', text] }),
    }),
    { way: 'stop' },
  ),
  road(
    'a run to be stopped whose steps go on',
    (text) => ({
      run: all(put('name', text), put('body.status', 'failed'), put('body.in_progress', true)),
      stop: error(403, { detail: 'Cannot update the status of a finished run.' }),
      dag: all(put('nodes.0.name', text), put('nodes.0.id', 'x'), put('nodes.0.metadata.status', 'running')),
    }),
    { way: 'stop' },
  ),
  road(
    'a run to be stopped, which stops',
    (text) => ({
      run: all(put('name', text), put('body.status', 'stopped'), put('body.in_progress', false)),
    }),
    { way: 'stop' },
  ),
  road(
    'a run to be answered, which is',
    (text) => ({
      run: all(put('name', text), put('body.status', 'paused'), put('body.status_reason', text)),
      dag: all(put('nodes', [question(text, { question: text })])),
      answer: all(
        put('id', 'q'),
        put('body.status', 'resolved'),
        put('metadata', { resolution: 'continue', result: true }),
      ),
    }),
    { way: 'resolve', before: pauseIt },
  ),
  road(
    'a run to be answered that takes something else',
    (text) => ({
      run: all(put('name', text)),
      dag: all(put('nodes', [question(text, { question: text })])),
      'wait-condition': condition({ status: 'pending' }, { data_schema: { [text]: text } }),
      answer: error(400, { detail: ['ValueError', `Value does not match expected schema. ${text}`] }),
    }),
    { way: 'resolve', before: pauseIt },
  ),
  road(
    'a run to be answered that was answered otherwise',
    (text) => ({
      run: all(put('name', text)),
      dag: all(put('nodes', [question(text, { question: text })])),
      'wait-condition': condition({ status: 'resolved' }, { resolution: text, result: text }),
      answer: error(403, { detail: ['IllegalOperationError', text] }),
    }),
    { way: 'resolve', before: pauseIt },
  ),
  road(
    'a run to be answered that asks several things',
    (text) => ({
      run: all(put('name', text)),
      dag: all(put('nodes', [question(text), question(text, { question: text })])),
    }),
    { way: 'resolve', before: pauseIt },
  ),
  road(
    'a name that is not there, beside others',
    (text) => ({
      templates: all(put('items.0.name', text), put('items.0.body.runnable', true)),
    }),
    { changes: { target: { kind: 'template', reference: 'nope' } } },
  ),
  road('several projects of such names', (text) => ({
    projects: all(put('items.0.name', text), put('total', 2)),
  })),
  road("that as the account's default project", (text) => ({
    user: all(put('body.default_project_id', '00000000-0000-4000-8000-000000000000')),
    project: error(404, { detail: ['KeyError', text] }),
  })),
  road(
    'Pro, with that as dashboard and project',
    (text) => ({
      info: all(put('deployment_type', 'cloud'), put('dashboard_url', text)),
      run: run(text, RUNNING),
    }),
    { changes: { timeoutMs: 60_000 } },
  ),
]

/** What a user's own workflow may pass on from elsewhere: an issue's title, a branch's name. */
export const inputRoads: readonly Road[] = [
  {
    title: 'a project of that name is asked for',
    step: (text) => ({
      tamper: () => undefined,
      changes: { project: { nameOrId: text, source: 'project' } },
    }),
  },
  {
    title: 'a template of that name is asked for',
    step: (text) => ({ tamper: () => undefined, changes: { target: { kind: 'template', reference: text } } }),
  },
  {
    title: 'a run of that name is asked for',
    step: (text) => ({
      tamper: () => undefined,
      changes: { runName: text },
      server: { workloadManager: false },
    }),
  },
]
