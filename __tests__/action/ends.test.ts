import { setTimeout } from 'node:timers/promises'
import { expect, jest, test } from '@jest/globals'
import { startAction, type ActionResult } from '../../e2e/action.ts'
import type { Fault, SimulatorOptions } from '../../simulator/index.ts'
import { expectNoSecret } from './secrecy.ts'
import { logLines, PATIENCE_MS, withHostedJob, withServer, type Scene } from './scene.ts'

jest.setTimeout(PATIENCE_MS)

/*
 * Each way in which the main step can end, and what its post step does then: what it sends, what it says, and what
 * the run is afterwards. Nothing else shows that a run that is meant to keep running is left alone.
 */

type Inputs = Readonly<Record<string, string>>

interface End {
  readonly title: string
  readonly server?: SimulatorOptions
  readonly inputs?: Inputs
  /** So many minutes ago the job began on a runner that GitHub hosts; default: a runner of one's own. */
  readonly hostedFor?: number
  /** Sent when a line appears in the log. */
  readonly signal?: readonly ['SIGINT' | 'SIGKILL', RegExp]
  /** The path of a request that has to have arrived before. */
  readonly after?: RegExp
  /** Done when a line appears in the log. */
  readonly meanwhile?: readonly [RegExp, (scene: Scene) => void]
  /** Undefined: killed before it could say so. */
  readonly conclusion: string | undefined
  /** Method and kind of path of each request of the post step, repeated ones once; default: none. */
  readonly sends?: readonly string[]
  /** What the post step says; default: nothing. */
  readonly says?: RegExp
  /** The runs afterwards; default: none. */
  readonly runs?: readonly { readonly status: RegExp; readonly busy?: boolean }[]
}

const LONG = { configuration: 'steps: {train: {parameters: {seconds: 36000}}}', 'poll-interval': '1s' }
const SHORT = { 'poll-interval': '1s' }
const ENDED = [{ status: /^completed$/, busy: false }]
const STOPPED = [{ status: /^stopped$/, busy: false }]
const RUNNING = [{ status: /^running$/, busy: true }]
const STOPS = ['POST /login', 'POST /runs/{id}/stop', 'GET /runs/{id}']
const LOOKS_UP = [...STOPS, 'GET /runs']
const KUBERNETES = { orchestrator: 'kubernetes' } as const

const refused: Fault = {
  on: 'trigger',
  do: {
    kind: 'answer',
    status: 400,
    body: '{"detail":["ValueError","The stack e2e has been updated since it was used for the snapshot."]}',
  },
}

/** The run cannot be seen for three looks, which is longer than the step tolerates. */
function loseRun({ server }: Scene): void {
  for (const occurrence of [1, 2, 3, 4])
    for (const on of ['run', 'dag'] as const)
      server.addFault({ on, occurrence, do: { kind: 'html', status: 503 } })
}

const ends: readonly End[] = [
  { title: 'completed', inputs: SHORT, conclusion: 'completed', runs: ENDED },
  {
    title: 'failed',
    inputs: { ...SHORT, parameters: 'train.fail: loss is NaN' },
    conclusion: 'failed',
    runs: [{ status: /^failed$/, busy: false }],
  },
  {
    title: 'expectation missed',
    inputs: { ...SHORT, expect: 'train.accuracy >= 0.99' },
    conclusion: 'expectation-missed',
    runs: ENDED,
  },
  {
    title: 'wait: false',
    inputs: { ...LONG, wait: 'false', 'poll-interval': '' },
    conclusion: 'started',
    runs: RUNNING,
  },
  { title: 'dry run', inputs: { 'dry-run': 'true' }, conclusion: 'dry-run' },
  { title: 'wrong input', inputs: { timeout: 'soon' }, conclusion: 'failed' },
  { title: 'not found', inputs: { pipeline: 'nope' }, conclusion: 'failed' },
  { title: 'wrong key', inputs: { 'api-key': 'ZENKEY_bm90IGEga2V5' }, conclusion: 'failed' },
  { title: 'slip in a parameter', inputs: { parameters: 'train.secnods: 1' }, conclusion: 'failed' },
  { title: 'start refused', server: { faults: [refused] }, conclusion: 'failed' },
  {
    title: 'no slot in time',
    server: { faults: [{ on: 'trigger', occurrence: 'always', do: { kind: 'no-slot' } }] },
    inputs: { 'trigger-timeout': '1s' },
    conclusion: 'timed-out',
  },
  {
    title: 'paused, on-paused: fail',
    inputs: { ...LONG, 'on-paused': 'fail' },
    meanwhile: [/train: running/, ({ server }) => server.pause(server.runs[0]?.id ?? '', 'Deploy?')],
    conclusion: 'failed',
    runs: [{ status: /^paused$/ }],
  },
  {
    title: 'deleted on the server',
    inputs: LONG,
    meanwhile: [/train: running/, ({ server }) => server.vanish(server.runs[0]?.id ?? '')],
    conclusion: 'lost',
  },
  {
    title: 'lost from sight',
    inputs: { ...LONG, 'lost-after': '2s' },
    meanwhile: [/train: running/, loseRun],
    conclusion: 'lost',
    runs: RUNNING,
  },
  {
    title: 'lost from sight, on-lost: stop, on-cancel: keep-running',
    server: KUBERNETES,
    inputs: { ...LONG, 'lost-after': '2s', 'on-lost': 'stop', 'on-cancel': 'keep-running' },
    meanwhile: [/train: running/, loseRun],
    conclusion: 'lost',
    sends: STOPS,
    says: /^This step ended before the run ".*" did\. Asking ZenML to stop it, for up to 1 min 50 s\nThe run ".*" was stopped: http/m,
    runs: STOPPED,
  },
  {
    title: 'timed out, on-timeout: stop',
    server: KUBERNETES,
    inputs: { ...LONG, timeout: '1s' },
    conclusion: 'timed-out',
    runs: STOPPED,
  },
  {
    title: 'timed out, on-timeout: stop-gracefully',
    server: KUBERNETES,
    inputs: {
      configuration: 'steps: {train: {parameters: {seconds: 60}}}',
      timeout: '1s',
      'on-timeout': 'stop-gracefully',
    },
    conclusion: 'timed-out',
    runs: STOPPED,
  },
  {
    title: 'timed out, on-timeout: keep-running',
    inputs: { ...LONG, timeout: '1s', 'on-timeout': 'keep-running' },
    conclusion: 'timed-out',
    runs: RUNNING,
  },
  {
    title: 'timed out, on-timeout: hand-over',
    inputs: { ...LONG, timeout: '1s', 'on-timeout': 'hand-over', expect: 'train.accuracy >= 0.99' },
    conclusion: 'running',
    runs: RUNNING,
  },
  {
    title: "handed over in the last minutes of a hosted runner's job, without a timeout",
    inputs: { ...LONG, 'on-timeout': 'hand-over' },
    hostedFor: 356,
    conclusion: 'running',
    // At once, so that it may not have begun.
    runs: [{ status: /^(initializing|running)$/ }],
  },
]

const onUnix: readonly End[] = [
  {
    title: 'cancelled before the start',
    server: { faults: [{ on: 'user', do: { kind: 'delay', seconds: 40 } }] },
    // The first line after the login.
    signal: ['SIGINT', /^::add-mask::(?!ZENKEY_)/],
    conclusion: 'cancelled',
  },
  {
    title: 'cancelled while running',
    server: KUBERNETES,
    inputs: LONG,
    signal: ['SIGINT', /train: running/],
    conclusion: 'cancelled',
    runs: STOPPED,
  },
  {
    title: 'cancelled, on-cancel: keep-running',
    inputs: { ...LONG, 'on-cancel': 'keep-running' },
    signal: ['SIGINT', /train: running/],
    conclusion: 'cancelled',
    runs: RUNNING,
  },
  {
    title: 'killed while running',
    server: KUBERNETES,
    inputs: LONG,
    signal: ['SIGKILL', /train: running/],
    conclusion: undefined,
    sends: STOPS,
    says: /^The run ".*" was stopped: http/m,
    runs: STOPPED,
  },
  {
    title: 'killed while running, on-cancel: keep-running',
    inputs: { ...LONG, 'on-cancel': 'keep-running' },
    signal: ['SIGKILL', /train: running/],
    conclusion: undefined,
    says: /^The run ".*" was left running, as requested \(keep-running\): http/m,
    runs: RUNNING,
  },
  {
    title: 'killed while it stops a run whose time was up, on-cancel: keep-running',
    server: { ...KUBERNETES, faults: [{ on: 'stop', do: { kind: 'hang' } }] },
    inputs: { ...LONG, timeout: '1s', 'on-cancel': 'keep-running' },
    signal: ['SIGKILL', /train: running/],
    after: /\/stop$/,
    conclusion: undefined,
    sends: STOPS,
    says: /^The run ".*" was stopped: http/m,
    runs: STOPPED,
  },
  {
    title: "cancelled in the last minutes of a hosted runner's job, on-timeout: keep-running",
    inputs: { ...LONG, 'on-timeout': 'keep-running' },
    hostedFor: 356,
    signal: ['SIGINT', /train: running/],
    conclusion: 'timed-out',
    runs: RUNNING,
  },
  {
    title: "cancelled in the last minutes of a hosted runner's job, on-cancel: keep-running",
    server: KUBERNETES,
    inputs: { ...LONG, 'on-cancel': 'keep-running' },
    hostedFor: 356,
    signal: ['SIGINT', /train: running/],
    conclusion: 'timed-out',
    runs: STOPPED,
  },
  {
    title: "killed in the last minutes of a hosted runner's job, on-timeout: keep-running",
    inputs: { ...LONG, 'on-timeout': 'keep-running' },
    hostedFor: 356,
    signal: ['SIGKILL', /train: running/],
    conclusion: undefined,
    says: /^The run ".*" was left running, as requested \(keep-running\): http/m,
    runs: RUNNING,
  },
  {
    title: 'killed before it could hand over: what on-cancel says',
    server: KUBERNETES,
    inputs: { ...LONG, timeout: '10m', 'on-timeout': 'hand-over' },
    signal: ['SIGKILL', /train: running/],
    conclusion: undefined,
    sends: STOPS,
    says: /^The run ".*" was stopped: http/m,
    runs: STOPPED,
  },
  {
    title: 'killed before the answer to the trigger',
    server: { ...KUBERNETES, faults: [{ on: 'trigger', do: { kind: 'hang', work: true } }] },
    inputs: LONG,
    signal: ['SIGKILL', /^Starting the run/],
    conclusion: undefined,
    sends: LOOKS_UP,
    says: /^The run ".*" was stopped( and is now failed)?$/m,
    runs: [{ status: /^(stopped|failed)$/, busy: false }],
  },
  {
    title: 'killed before anything was sent',
    server: {
      faults: [
        { on: 'template', do: { kind: 'hang' } },
        { on: 'snapshot', do: { kind: 'hang' } },
      ],
    },
    signal: ['SIGKILL', /^Project/],
    conclusion: undefined,
  },
]

function kindOf(method: string, path: string): string {
  const kind = path.replace(/^\/api\/v1|\?.*$/g, '').replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '{id}')
  return `${method} ${kind}`
}

/** Resolves once the next request has arrived, or the next of such a path. */
async function asked({ server }: Scene, path = /^/): Promise<void> {
  const before = server.requests.length
  const isAsked = (): boolean =>
    server.requests.slice(before).some((request) => path.test(request.path.replace(/\?.*$/, '')))
  while (!isAsked()) await setTimeout(20)
}

type Variables = Readonly<Record<string, string>>

async function playMain(end: End, scene: Scene, given: Inputs, env: Variables): Promise<ActionResult> {
  const { signal, meanwhile, after } = end
  const running = await startAction({
    inputs: given,
    env,
    onLine: (line) => {
      if (meanwhile?.[0].test(line) === true) meanwhile[1](scene)
      if (signal?.[1].test(line) !== true) return
      // What the line announces has to be under way.
      const isUnderWay = line.startsWith('Starting the run') ? scene.triggered() : asked(scene, after)
      void isUnderWay.then(() => running.signal(signal[0]))
    },
  })
  return running.done
}

async function play(end: End): Promise<void> {
  await withServer(end.server ?? {}, async (scene) => {
    const { server } = scene
    const given = { 'server-url': server.url, 'api-key': server.apiKey, pipeline: 'training', ...end.inputs }
    const main =
      end.hostedFor === undefined
        ? await playMain(end, scene, given, {})
        : await withHostedJob(end.hostedFor, async (env) => playMain(end, scene, given, env))
    expect(main.outputs['conclusion']).toBe(end.conclusion)

    const before = server.requests.length
    const post = await (await startAction({ entry: 'post', inputs: given, state: main.state })).done
    expect(post.exitCode).toBe(0)
    expectNoSecret(post, [server.apiKey, ...server.issuedTokens])
    // Whether the steps are asked for as well depends on the moment in which the run is seen to have stopped.
    const sent = server.requests
      .slice(before)
      .map(({ method, path }) => kindOf(method, path))
      .filter((kind) => kind !== 'GET /runs/{id}/dag')
    expect([...new Set(sent)].sort()).toEqual([...(end.sends ?? [])].sort())
    if (end.says === undefined) expect(logLines(post)).toEqual([])
    else expect(logLines(post).join('\n')).toMatch(end.says)
    expect(scene.runs).toHaveLength(end.runs?.length ?? 0)
    expect(scene.runs).toMatchObject(
      (end.runs ?? []).map(({ status, ...rest }) => ({ status: expect.stringMatching(status), ...rest })),
    )
  })
}

test.concurrent.each(ends.map((end) => [end.title, end] as const))('%s', (_, end) => play(end))

/** Windows has no signals: there a process that is sent one is ended at once. */
const unix = process.platform === 'win32' ? test.concurrent.skip : test.concurrent
unix.each(onUnix.map((end) => [end.title, end] as const))('%s', (_, end) => play(end))
