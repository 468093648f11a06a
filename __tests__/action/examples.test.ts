import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, jest, test } from '@jest/globals'
import { runAction, startAction } from '../../e2e/action.ts'
import {
  approval,
  realClock,
  startPro,
  startSimulator,
  type PipelineSpec,
  type Simulator,
} from '../../simulator/index.ts'
import { startGithub, type GithubSimulator } from '../../simulator/github/server.ts'
import { inputTables } from '../../src/github/inputs/table.ts'
import { actionOutputs } from '../../src/github/outputs.ts'
import {
  callPatterns,
  checkout,
  entryOf,
  examples,
  fileName,
  playExample,
  stepsOf,
  type Example,
  type Played,
} from '../project/guide-examples.ts'
import { codeBlocks, projectFile, tables } from '../project/markdown.ts'

jest.setTimeout(60_000)

const CERTIFICATE = projectFile('__tests__/http/fixtures/test-only-authority.pem')

const GITHUB_TOKEN = 'ghs_0000made0000up0000for0000tests0000'

const SHA = '0123456789abcdef0123456789abcdef01234567'

const REPOSITORY = 'example/models'
const PULL_REQUEST = 7

/** What the examples run. */
const training: PipelineSpec = {
  name: 'training',
  templateName: 'training-production',
  model: 'classifier',
  steps: [
    {
      name: 'train',
      seconds: 1,
      metadata: { accuracy: 0.97 },
      parameters: {
        epochs: { default: 10, jsonSchema: { type: 'integer' } },
        learning_rate: { default: 0.1, jsonSchema: { type: 'number' } },
      },
    },
  ],
}

/** It asks a person, and pauses at once. */
const deployment: PipelineSpec = {
  ...approval,
  name: 'deployment',
  templateName: 'deployment',
  wait: { name: 'deploy', question: 'Deploy this model?', patience: 1 },
}

const named = examples.map((example, index) => {
  const first = fileName(example.text) ?? example.text.split('\n').slice(3, 5).join(' ').trim()
  return [`${index + 1}, ${first}`, example.guide, example] as const
})

/** What the guide says that is sent to each of the three. */
const [zenmlCalls = [], proCalls = [], githubCalls = []] = tables(projectFile('docs/api-calls.md'), 'Call')

interface SentCall {
  readonly method: string
  readonly path: string
}

/** The calls that the guide does not have. */
function unlisted(sent: readonly SentCall[], rows: readonly (readonly string[])[], below: string): string[] {
  const known = callPatterns(rows, below)
  return sent
    .map(({ method, path }) => `${method} ${path.replace(/\?.*/, '')}`)
    .filter((call) => !known.some((pattern) => pattern.test(call)))
}

interface Scene {
  readonly server: Simulator
  /** What stands for ZenML Pro's management API. */
  readonly pro: Awaited<ReturnType<typeof startPro>>
  readonly workspace: string
  readonly contexts: Readonly<Record<string, string>>
  readonly github: GithubSimulator
}

/** A server, a folder with the guides' files, and all that the examples' expressions mean here. */
async function withServer<T>(
  options: {
    version?: '0.85.0' | '0.98.0'
    seconds?: number
    usesPro?: boolean
    fails?: NonNullable<PipelineSpec['steps'][number]['fails']>
  },
  use: (scene: Scene) => Promise<T>,
): Promise<T> {
  const { version = '0.98.0', seconds = 1, usesPro = false, fails } = options
  const changed = fails === undefined ? { seconds } : { seconds, fails }
  const pipeline = {
    ...training,
    steps: training.steps.map((step) => ({ ...step, ...changed })),
    ...(usesPro && { project: 'vision' }),
  }
  const pro = await startPro()
  const server = await startSimulator({
    version,
    clock: realClock(20),
    pipelines: [
      ...['training-production', `training-${SHA}`, `training-pr-${PULL_REQUEST}`].map((templateName) => ({
        ...pipeline,
        templateName,
      })),
      ...(version === '0.98.0' ? [deployment] : []),
    ],
    orchestrator: 'kubernetes',
    ...(usesPro && { pro }),
  })
  // The examples name the fourth version.
  for (let version = 1; version <= 4; version += 1) server.addModelVersion('classifier')
  pro.add({ name: 'research', serverUrl: server.url })
  const github = await startGithub({
    accounts: { [GITHUB_TOKEN]: { login: 'github-actions[bot]', rights: 'write' } },
  })
  const workspace = await checkout()
  const contexts = {
    'vars.ZENML_SERVER_URL': server.url,
    'secrets.ZENML_API_KEY': usesPro ? pro.apiKey : server.apiKey,
    'vars.ZENML_PRO_API_URL': pro.url,
    'vars.ZENML_CLIENT_ID': pro.clientId,
    'secrets.ZENML_CLIENT_SECRET': pro.clientSecret,
    'vars.COMPANY_CA': CERTIFICATE,
    // Never used: the servers are on this machine.
    'secrets.HTTPS_PROXY': 'http://user:p%40ssword@proxy.example.com:3128',
    'github.sha': SHA,
    'github.run_id': '100200300',
    'github.run_attempt': '1',
    'github.server_url': 'https://github.com',
    'github.repository': REPOSITORY,
    'github.actor': 'octocat',
    'github.event.pull_request.number': String(PULL_REQUEST),
    'github.event.pull_request.head.repo.full_name': REPOSITORY,
    'inputs.snapshot': 'training-production',
    'inputs.parameters': 'train.epochs: 5',
    'inputs.answer': 'true',
    'inputs.expect': '',
    'inputs.comment': 'false',
    'inputs.dry-run': 'false',
    'inputs.step-key': '',
  }
  try {
    return await use({ server, pro, workspace, contexts, github })
  } finally {
    await Promise.all([server.close(), pro.close(), github.close()])
    await rm(workspace, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** A step of a workflow for a pull request. */
function onPullRequest({ apiUrl }: GithubSimulator) {
  return {
    env: { GITHUB_API_URL: apiUrl, GITHUB_EVENT_NAME: 'pull_request', GITHUB_REPOSITORY: REPOSITORY },
    event: { pull_request: { number: PULL_REQUEST } },
    contexts: { 'github.token': GITHUB_TOKEN },
  }
}

/** How each action's step ends when all is well. */
function expectGood(played: Played): void {
  if (played.kind === 'skipped') {
    // There was nothing to be handed over.
    expect(played.condition).toMatch(/^failure\(\)$|^needs\.\w+\.outputs\.conclusion == 'running'$/)
    return
  }
  if (played.kind === 'command') {
    expect(played.exitCode).toBe(0)
    // The token opened the server: this is a page of its list.
    if (played.command.startsWith('curl ')) expect(JSON.parse(played.stdout)).toHaveProperty('items')
    return
  }
  const { entry, step, result } = played
  expect(result.outputs['error'] ?? '').toBe('')
  expect(result.exitCode).toBe(0)
  // The first run of a branch has nothing to be compared with.
  expect(result.stdout).not.toMatch(/^::(warning|notice)(?! title=Expectation not checked::)/m)
  switch (entry) {
    case 'main':
      expect(result.outputs['conclusion']).toBe(step.with?.['wait'] === false ? 'started' : 'completed')
      break
    case 'wait':
    case 'sweep':
      expect(result.outputs['conclusion']).toBe('completed')
      break
    case 'stop':
      expect(result.outputs['conclusion']).toBe('stopped')
      break
    case 'resolve':
      expect(result.outputs['conclusion']).toBe('resolved')
      break
    case 'promote':
      expect(result.outputs['conclusion']).toBe('promoted')
      break
    case 'login':
    case 'post':
      break
  }
}

/** Where a chat takes messages. */
async function startWebhook(): Promise<{ url: string; bodies: string[]; close: () => Promise<void> }> {
  const bodies: string[] = []
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      bodies.push(body)
      response.end('ok')
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The webhook has no port.')
  return {
    url: `http://127.0.0.1:${address.port}/hook`,
    bodies,
    close: async () => {
      server.close()
      await once(server, 'close')
    },
  }
}

/** Starts a run that nobody waits for, and gives its id. */
async function startRun({ url, apiKey }: Simulator, snapshot = 'training-production'): Promise<string> {
  const { outputs } = await runAction({
    inputs: { 'server-url': url, 'api-key': apiKey, snapshot, wait: 'false' },
  })
  return outputs['run-id'] ?? ''
}

/** What the scheduled workflow finds of a run that was started for the pull request. */
async function artifactsOf(server: Simulator): Promise<string> {
  return JSON.stringify([{ artifact: 1, pr: String(PULL_REQUEST), run: await startRun(server) }])
}

/** The example that holds all of these texts. */
function exampleWith(...texts: readonly string[]): Example {
  const found = examples.find(({ text }) => texts.every((part) => text.includes(part)))
  if (found === undefined) throw new Error(`No example has ${texts.join(', ')}.`)
  return found
}

/** Names of the outputs that the Python scripts of a guide write. */
function scriptOutputs(guide: string): string[] {
  return codeBlocks(projectFile(guide), 'python').flatMap((script) =>
    [...script.matchAll(/\.write\(f"([\w-]+)=/g)].map(([, output = '']) => output),
  )
}

/** Names of the outputs that a step's command writes. */
function commandOutputs(command: string): string[] {
  return [...command.matchAll(/echo "([\w-]+)=.*>> "\$GITHUB_OUTPUT"/g)].map(([, output = '']) => output)
}

test('each action has an example', () => {
  const used = examples.flatMap(stepsOf).flatMap((step) => entryOf(step) ?? [])
  expect(new Set(used)).toEqual(new Set(['main', 'login', 'wait', 'sweep', 'stop', 'resolve', 'promote']))
})

test.each(named)('example %s in %s has only inputs that the action knows', (_, __, example) => {
  for (const step of stepsOf(example)) {
    const entry = entryOf(step)
    if (entry === undefined) continue
    expect(inputTables[entry].names).toEqual(expect.arrayContaining(Object.keys(step.with ?? {})))
  }
})

test.each(named)('example %s in %s uses only outputs that the step has', (_, __, example) => {
  for (const [, id, output] of example.text.matchAll(/\bsteps\.([\w-]+)\.outputs\.([\w-]+)/g)) {
    const step = stepsOf(example).find((each) => each.id === id)
    const entry = step === undefined ? undefined : entryOf(step)
    if (entry === undefined && step?.run !== undefined)
      expect([...scriptOutputs(example.guide), ...commandOutputs(step.run)]).toContain(output)
    else expect(entry === undefined ? [] : actionOutputs[entry]).toContain(output)
  }
})

test.concurrent.each(named)('example %s in %s works as it stands', async (_, __, example) => {
  const version = /^ +template:/m.test(example.text) ? '0.85.0' : '0.98.0'
  const usesPro =
    example.guide === 'docs/pro.md' || stepsOf(example).some((step) => step.with?.['workspace'] !== undefined)
  await withServer({ version, usesPro }, async ({ server, pro, workspace, contexts, github }) => {
    let given = contexts
    const ofRun = /\binputs\.run\b|\bsteps\.run\.outputs\.run-id\b/.exec(example.text)?.[0]
    const asks = stepsOf(example).some((step) => entryOf(step) === 'resolve')
    if (ofRun !== undefined)
      given = { ...contexts, [ofRun]: await startRun(server, asks ? 'deployment' : 'training-production') }
    if (example.text.includes('steps.list.outputs.runs'))
      given = { ...contexts, 'steps.list.outputs.runs': await artifactsOf(server) }
    const played = await playExample(example, given, {
      workspace,
      proApiUrl: pro.url,
      before: async (entry) => {
        while (entry === 'resolve' && server.runs[0]?.status !== 'paused') await delay(20)
      },
      ...onPullRequest(github),
    })

    expect(played.length).toBeGreaterThan(0)
    for (const one of played) expectGood(one)
    const commented = github.comments(PULL_REQUEST).map(({ body }) => body.split('\n')[1])
    expect(commented).toEqual(
      example.text.includes('comment: true') ? ['### ✅ ZenML run of training: completed'] : [],
    )
    expect(unlisted(server.requests, zenmlCalls, '/api/v1')).toEqual([])
    expect(unlisted(pro.requests, proCalls, '')).toEqual([])
    expect(unlisted(github.requests, githubCalls, '')).toEqual([])
  })
})

test.concurrent('run again after its runner died, the example with resume takes up the same run', () =>
  withServer({ seconds: 36_000 }, async ({ server, pro, workspace, contexts }) => {
    const example = exampleWith('resume: true', 'cancel-in-progress')
    const [step] = stepsOf(example)
    const inputs = { 'server-url': server.url, 'api-key': server.apiKey }
    const dying = await startAction({
      inputs: {
        ...inputs,
        snapshot: String(step?.with?.['snapshot']),
        resume: String(step?.with?.['resume']),
      },
      workspace,
      onLine: (line) => {
        if (line.startsWith('Started')) dying.signal('SIGKILL')
      },
    })
    await dying.done
    const goesOn: unknown = expect.stringMatching(/^(initializing|running)$/)
    expect(server.runs.map(({ status }) => status)).toEqual([goesOn])

    const [again] = await playExample(example, contexts, {
      workspace,
      proApiUrl: pro.url,
      env: { GITHUB_RUN_ATTEMPT: '2' },
      onLine: (line) => {
        if (line.startsWith('Reattached')) server.setStatus(server.runs[0]?.id ?? '', 'completed')
      },
    })

    if (again?.kind !== 'action') throw new Error('The example has no step of the action.')
    expect(again.result.stdout).toMatch(/^Reattached to the run of attempt 1/m)
    expect(again.result.outputs).toMatchObject({ conclusion: 'completed', 'run-id': server.runs[0]?.id })
    expect(server.runs).toHaveLength(1)
  }),
)

/** The same with other times to wait, by job. */
function withTimeouts(example: Example, timeouts: Readonly<Record<string, string>>): Example {
  const jobs = Object.entries(example.jobs).map(([name, job]) => {
    const timeout = timeouts[name]
    if (timeout === undefined) return [name, job] as const
    const steps = job.steps.map((step) => ({ ...step, with: { ...step.with, timeout } }))
    return [name, { ...job, steps }] as const
  })
  return { ...example, jobs: Object.fromEntries(jobs) }
}

test.concurrent('the example for longer than six hours: one run through three jobs, judged by the last', () =>
  withServer({ seconds: 300 }, async ({ server, pro, workspace, contexts }) => {
    const example = exampleWith('Long training', 'on-timeout: hand-over')
    const short = withTimeouts(example, { first: '1s', second: '1s', third: '1m' })
    const played = await playExample(short, contexts, { workspace, proApiUrl: pro.url })
    const results = played.flatMap((one) => (one.kind === 'action' ? [one.result] : []))
    expect(results.map(({ outputs, exitCode }) => [outputs['conclusion'], exitCode])).toEqual([
      ['running', 0],
      ['running', 0],
      ['completed', 0],
    ])
    expect(results.map(({ stdout }) => stdout.includes('Not judged yet: train.accuracy >= 0.9'))).toEqual([
      true,
      true,
      false,
    ])
    expect(results[2]?.stdout).toContain('Expectation met: train.accuracy >= 0.9')
    expect(new Set(results.map(({ outputs }) => outputs['run-id']))).toEqual(
      new Set(server.runs.map(({ id }) => id)),
    )
    expect(server.runs).toHaveLength(1)
    expect(server.requests.filter(({ path }) => path.includes('/stop'))).toEqual([])
    // The gate at the end is open.
    expect(played.some(({ kind }) => kind === 'skipped')).toBe(false)
  }),
)

test.concurrent('the scheduled example comments on the pull request of a run until that has ended', () =>
  withServer({ seconds: 36_000 }, async ({ server, pro, workspace, contexts, github }) => {
    const runs = await artifactsOf(server)
    const example = withTimeouts(exampleWith('Check training', 'pull-request:'), { check: '1s' })
    const check = async (runId: string): Promise<Played[]> =>
      playExample(
        example,
        { ...contexts, 'steps.list.outputs.runs': runs },
        {
          workspace,
          proApiUrl: pro.url,
          ...onPullRequest(github),
          env: {
            GITHUB_API_URL: github.apiUrl,
            GITHUB_EVENT_NAME: 'schedule',
            GITHUB_REPOSITORY: REPOSITORY,
            GITHUB_RUN_ID: runId,
          },
          event: { schedule: '*/10 * * * *' },
        },
      )
    const told = async (runId: string) => {
      const [waited, ...others] = await check(runId)
      const outputs = waited?.kind === 'action' ? waited.result.outputs : {}
      return {
        conclusion: outputs['conclusion'],
        comments: github.comments(PULL_REQUEST).map(({ body }) => body.split('\n')[1]),
        isGateOpen: others.some(({ kind }) => kind === 'command'),
      }
    }
    const stillRunning = {
      conclusion: 'running',
      comments: ['### ⏳ ZenML run of training: still running'],
      isGateOpen: false,
    }
    expect(await told('1')).toEqual(stillRunning)
    expect(await told('2')).toEqual(stillRunning)
    server.setStatus(server.runs[0]?.id ?? '', 'completed')
    expect(await told('3')).toMatchObject({
      conclusion: 'expectation-missed',
      comments: ['### 📉 ZenML run of training: completed, but not as expected'],
      isGateOpen: false,
    })
    expect(server.requests.filter(({ path }) => path.includes('/stop'))).toEqual([])
  }),
)

test.concurrent('the example with stop/ can be run again and stays green', () =>
  withServer({ seconds: 36_000 }, async ({ server, pro, workspace, contexts }) => {
    const given = { ...contexts, 'inputs.run': await startRun(server) }
    for (const attempt of ['first', 'second']) {
      const [played] = await playExample(exampleWith('/stop@'), given, { workspace, proApiUrl: pro.url })
      const conclusion = played?.kind === 'action' ? played.result.outputs['conclusion'] : undefined
      expect({ attempt, conclusion }).toEqual({ attempt, conclusion: 'stopped' })
    }
    expect(server.runs.map(({ busy }) => busy)).toEqual([false])
  }),
)

test.concurrent('the example with a webhook posts why the run failed', async () => {
  const fails = { type: 'ValueError', message: 'Input "X"\nhas $NaN', traceback: '', userCodeLine: null }
  const hook = await startWebhook()
  try {
    await withServer({ fails }, async ({ pro, workspace, contexts }) => {
      const given = { ...contexts, 'secrets.CHAT_WEBHOOK': hook.url }
      const played = await playExample(exampleWith('failure()', 'CHAT_WEBHOOK'), given, {
        workspace,
        proApiUrl: pro.url,
      })
      if (process.platform === 'win32') return
      const [step] = played.flatMap((one) => (one.kind === 'action' ? [one.result] : []))
      expect(step?.outputs).toMatchObject({ conclusion: 'failed', 'failed-step': 'train' })
      expect(played.at(-1)).toMatchObject({ kind: 'command', exitCode: 0 })
      expect(hook.bodies).toHaveLength(1)
      const { text: message } = JSON.parse(hook.bodies[0] ?? '')
      expect(message).toContain(step?.outputs['error'])
      expect(message).toContain('ValueError: Input "X"')
      expect(message).toContain(`/${REPOSITORY}/actions/runs/100200300`)
    })
  } finally {
    await hook.close()
  }
})
