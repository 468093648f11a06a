import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { run } from '../processes.ts'
import { expectStep, quick, type Case, type Scene } from '../scene.ts'
import { isAtLeast, isPro } from '../target.ts'
import { zenmlPython } from '../tools.ts'

async function start(scene: Scene, seconds: number): Promise<string> {
  const result = await scene.action({
    template: 'training-template',
    configuration: quick({ seconds }),
    wait: 'false',
  })
  expectStep(result, { exitCode: 0, outputs: { conclusion: 'started' } })
  return result.outputs['run-id'] ?? ''
}

/** The token is taken as it is, by the action itself and by anything else. */
async function login(scene: Scene): Promise<void> {
  const { stdout, outputs } = await scene.login()
  const token = outputs['access-token'] ?? ''
  assert.ok(stdout.includes(`::add-mask::${token}`), 'the token is not masked')
  // An open-source server says that tokens never end.
  assert.match(outputs['expires-at'] ?? '', isPro(scene.server.target) ? /^\d{4}-.*Z$/ : /^$/)
  const result = await scene.action({
    'pro-api-url': '',
    'api-key': '',
    'access-token': token,
    template: 'training-template',
    configuration: quick(),
    wait: 'false',
  })
  expectStep(result, { exitCode: 0, outputs: { conclusion: 'started' } })
}

/** What `export-env` gives to later steps is all that ZenML's own command line needs. */
async function exports(scene: Scene): Promise<void> {
  const { exported, stdout } = await scene.login({ 'export-env': 'true' })
  const { ZENML_STORE_URL: url, ZENML_STORE_API_TOKEN: token = '' } = exported
  assert.equal(url, scene.server.url)
  assert.ok(stdout.includes(`::add-mask::${token}`), 'the token is not masked')
  const home = await mkdtemp(path.join(tmpdir(), 'zenml-client-'))
  try {
    const python = await zenmlPython(scene.server.target.version)
    const command = path.join(path.dirname(python), 'zenml')
    const env = { PATH: process.env['PATH'], HOME: home, ZENML_CONFIG_PATH: home, ...exported }
    const listed = await run(command, ['stack', 'list'], { env })
    assert.equal(listed.code, 0, listed.stderr)
    assert.match(listed.stdout, /\be2e\b/)
    const none = await run(command, ['stack', 'list'], { env: { ...env, ZENML_STORE_API_TOKEN: 'none' } })
    assert.doesNotMatch(none.stdout, /\be2e\b/)
  } finally {
    await rm(home, { recursive: true, force: true })
  }
}

async function waits(scene: Scene): Promise<void> {
  const runId = await start(scene, 2)
  const result = await scene.action({ run: runId, expect: 'train.accuracy == 0.9' }, { entry: 'wait' })
  expectStep(result, {
    exitCode: 0,
    outputs: {
      'run-id': runId,
      conclusion: 'completed',
      pipeline: 'training',
      metadata: /"accuracy":0\.9/,
    },
  })
}

/** What a template says of its commit reaches a person; wait/ says what the run says. */
async function whoseCode(scene: Scene): Promise<void> {
  const pullRequest = {
    env: { GITHUB_EVENT_NAME: 'pull_request', GITHUB_REF: 'refs/pull/7/merge' },
    event: { pull_request: { number: 7, head: { sha: 'a'.repeat(40) } } },
  }
  const result = await scene.action({ template: 'typed-template' }, pullRequest)
  expectStep(result, {
    exitCode: 0,
    log: [
      /^Run template typed-template, made \d+ \w{3} \d{4} by \w+ from commit 3f1c9a7$/m,
      /^::notice title=Code of another commit::.* commit 3f1c9a7, .* head aaaaaaa/m,
    ],
  })
  assert.match(result.summary, / from commit `3f1c9a7` · for commit `aaaaaaa`$/m)
  const waited = await scene.action({ run: result.outputs['run-id'] ?? '' }, { entry: 'wait' })
  const line = isAtLeast(scene.server.target, '0.90')
    ? /^Snapshot typed-template, made \d+ \w{3} \d{4} from commit 3f1c9a7, stack e2e$/m
    : /^Code of commit 3f1c9a7, stack e2e$/m
  expectStep(waited, { exitCode: 0, log: [line] })
}

/** A run that has just been started can always be ended, whatever the orchestrator can. */
async function stops(scene: Scene): Promise<void> {
  const runId = await start(scene, 60)
  const first = await scene.action({ run: runId }, { entry: 'stop' })
  expectStep(first, { exitCode: 0, outputs: { conclusion: 'stopped', 'run-id': runId } })
  const { 'run-name': name = '', 'run-url': page = '' } = first.outputs
  for (const run of [name, page]) {
    const found = await scene.action({ run }, { entry: 'stop' })
    expectStep(found, { exitCode: 0, outputs: { 'run-id': runId, 'run-name': name, 'run-url': page } })
  }
  const again = await scene.action({ run: runId }, { entry: 'stop' })
  expectStep(again, {
    exitCode: 0,
    outputs: { conclusion: 'stopped' },
    // On a busy machine the first request to stop it is still at work, and the second one joins it.
    log: [/had ended before it could be stopped and is (stopped|failed)|was stopped(:| and is now failed)/],
  })
}

/** The second attempt of a job takes up the run of the first. */
async function resumes(scene: Scene): Promise<void> {
  const GITHUB_RUN_ID = '100200301'
  const first = await scene.action(
    { template: 'training-template', configuration: quick({ seconds: 2 }), wait: 'false' },
    { env: { GITHUB_RUN_ID } },
  )
  const second = await scene.action(
    { template: 'training-template', configuration: quick({ seconds: 2 }), resume: 'true' },
    { env: { GITHUB_RUN_ID, GITHUB_RUN_ATTEMPT: '2' } },
  )
  expectStep(second, {
    exitCode: 0,
    outputs: { 'run-id': first.outputs['run-id'] ?? '?', conclusion: 'completed' },
    log: [/Reattached to the run of attempt 1/],
  })
}

export const SUB_ACTIONS: readonly Case[] = [
  { name: 'login/: the token opens the server', runs: 1, run: login },
  { name: "login/: ZenML's command line works with what is exported", runs: 0, run: exports },
  { name: 'wait/: a run that another step started', runs: 1, run: waits },
  {
    name: 'whose code ran: its commit, and another one on a pull request',
    runs: 1,
    core: true,
    run: whoseCode,
  },
  { name: 'stop/: a run that another step started, twice', runs: 1, run: stops },
  { name: 'resume: the run of the attempt before', runs: 1, run: resumes },
]
