import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ActionOptions, ActionResult } from '../action.ts'
import { expectStep, quick, type Case, type Scene, type Wanted } from '../scene.ts'
import type { ZenServer } from '../servers.ts'
import { NOT_PROMOTED } from './promote.ts'
import { both, isPro, since, type Condition } from '../target.ts'

/*
 * One permission taken away, and what a user sees. What is run was made by another account, as an account may do
 * everything with what it made. docs/pro.md has a table of these permissions; a test compares the two.
 */

/** As ZenML calls what a permission is about. */
type Deny = Readonly<Record<string, readonly string[]>>

type Inputs = ActionOptions['inputs']

interface Refusal {
  readonly deny: Deny
  readonly inputs: Inputs | ((server: ZenServer) => Inputs)
  readonly log: RegExp
}

const PREFIX = 'permission: '

const TEMPLATE = { template: 'training-template' }
/** Creating a template names the snapshot after it. */
const SNAPSHOT = { snapshot: 'training-template' }
const MODEL = { template: 'evaluation-template' }

const isProWithSnapshots = both(isPro, since('0.90'))
const isProWithoutSnapshots = both(isPro, (target) => !since('0.90')(target))

const give = (permission: string): RegExp =>
  new RegExp(`^::error title=No ZenML run was started::.* Give the account permission to ${permission}$`, 'm')

/** Permissions on the pipeline's model are looked at after the run was made. */
const giveForModel = (permission: string): RegExp =>
  new RegExp(
    `^::error title=ZenML run failed::.* Give the account permission to ${permission}\\. The server had created the run ` +
      'anyway\\. The run ".*" was stopped and is now failed$',
    'm',
  )

async function without(
  scene: Scene,
  deny: Deny,
  inputs: Inputs,
  options: Omit<ActionOptions, 'inputs'> = {},
): Promise<ActionResult> {
  await scene.server.controlPlane.set({ deny })
  return scene.action(inputs, options)
}

/** The start is refused, in one line. */
function refused(permission: string, { deny, inputs, log }: Refusal, where: Condition = isPro): Case {
  return {
    name: `${PREFIX}${permission}`,
    where,
    runs: 0,
    run: async (scene) => {
      const given = typeof inputs === 'function' ? inputs(scene.server) : inputs
      const result = await without(scene, deny, given)
      expectStep(result, { exitCode: 1, outputs: { conclusion: 'failed' }, log: [log] })
      assert.equal(result.stdout.match(/^::(?:error|warning)/gm)?.length, 1, result.stdout)
    },
  }
}

/** The pipeline's own code lacks something: the run acts as the account that started it. */
function runFails(permission: string, deny: Deny, log: RegExp): Case {
  return {
    name: `${PREFIX}${permission}`,
    where: isPro,
    slow: true,
    runs: 1,
    run: async (scene) => {
      const template = scene.server.fact('training-template')
      const result = await without(scene, deny, { template, configuration: quick() })
      expectStep(result, { exitCode: 1, outputs: { conclusion: 'failed' }, log: [log] })
    },
  }
}

const failedRuns = new WeakMap<ZenServer, string>()

/** Id of a run that another account started and that failed in the step `train`; one for each server. */
async function failedRunOfAnother(scene: Scene): Promise<string> {
  const known = failedRuns.get(scene.server)
  if (known !== undefined) return known
  const { outputs } = await scene.action({
    ...asObserver(scene),
    ...TEMPLATE,
    configuration: quick({ fail: 'no data' }),
  })
  assert.equal(outputs['status'], 'failed')
  const id = outputs['run-id'] ?? ''
  failedRuns.set(scene.server, id)
  return id
}

function asObserver({ server }: Scene): Inputs {
  return { 'api-key': server.fact('observer-key') }
}

/** wait/ follows a run of another account. */
function followed(permission: string, deny: Deny, wanted: Wanted, where: Condition = isPro): Case {
  return {
    name: `${PREFIX}${permission}`,
    where,
    slow: true,
    runs: 'any',
    run: async (scene) => {
      const run = await failedRunOfAnother(scene)
      expectStep(await without(scene, deny, { run }, { entry: 'wait' }), wanted)
    },
  }
}

async function notNoted(scene: Scene): Promise<void> {
  const result = await without(
    scene,
    { create: ['run_metadata'] },
    { ...TEMPLATE, configuration: quick(), wait: 'false' },
  )
  expectStep(result, {
    exitCode: 0,
    outputs: { conclusion: 'started' },
    log: [
      /^::warning::Where the run came from could not be recorded on it: .* Give the account permission to create run metadata$/m,
    ],
  })
}

async function notStopped(scene: Scene): Promise<void> {
  const started = await scene.action({
    ...asObserver(scene),
    ...TEMPLATE,
    configuration: quick({ seconds: 20 }),
    wait: 'false',
  })
  const run = started.outputs['run-id'] ?? ''
  const inputs = { run }
  const result = await without(scene, { update: ['pipeline_run'] }, inputs, { entry: 'stop' })
  expectStep(result, {
    exitCode: 1,
    log: [
      /^::error .*The run ".*" may still be running: .* It could not be stopped: .* Give the account permission to update pipeline runs$/m,
    ],
  })
  assert.doesNotMatch(await scene.view.status(run), /stop|failed/)
}

/** What no answer shows before the start: the runner of the run cannot load its stack. */
async function neverBegins(scene: Scene, deny: Deny, kind: RegExp): Promise<void> {
  const result = await without(scene, deny, { ...TEMPLATE, configuration: quick(), wait: 'false' })
  expectStep(result, { exitCode: 0, outputs: { conclusion: 'started' } })
  const end = Date.now() + 60_000
  while (!kind.test(await newestRunnerLog(scene.server))) {
    assert.ok(Date.now() < end, "the log of the run's start does not name the permission")
    await sleep(500)
  }
  assert.equal(await scene.view.status(result.outputs['run-id'] ?? ''), 'initializing')
}

/** Everything that was logged in front of the runs' first steps, with the line breaks taken out. */
async function newestRunnerLog({ directory }: ZenServer): Promise<string> {
  const runs = path.join(directory, 'runs')
  const logs = (await readdir(runs)).map((run) =>
    readFile(path.join(runs, run, 'run.log'), 'utf8').catch(() => ''),
  )
  return (await Promise.all(logs)).join('\n').replaceAll(/\s+/g, ' ')
}

const QUICK: readonly Case[] = [
  refused('read projects', {
    deny: { read: ['project'] },
    inputs: TEMPLATE,
    log: /^::error .*project: this account sees no project\. Give it permission to read the project/m,
  }),
  refused('read run templates', {
    deny: { read: ['run_template'] },
    inputs: TEMPLATE,
    log: /^::error .*, or the account has no permission to read run templates/m,
  }),
  refused(
    'read pipeline snapshots',
    {
      deny: { read: ['pipeline_deployment'] },
      inputs: SNAPSHOT,
      log: /^::error .*, or the account has no permission to read snapshots/m,
    },
    isProWithSnapshots,
  ),
  refused('read pipeline snapshots, which templates are made from', {
    deny: { read: ['pipeline_deployment'] },
    inputs: TEMPLATE,
    log: give('read pipeline snapshots'),
  }),
  refused(
    'read pipeline builds',
    { deny: { read: ['pipeline_build'] }, inputs: SNAPSHOT, log: give('read pipeline builds') },
    isProWithSnapshots,
  ),
  refused(
    'read pipeline builds, by template',
    { deny: { read: ['pipeline_build'] }, inputs: TEMPLATE, log: give('read pipeline builds') },
    isProWithoutSnapshots,
  ),
  refused(
    'read stacks',
    {
      deny: { read: ['stack'] },
      inputs: SNAPSHOT,
      log: give('read stacks and stack components'),
    },
    isProWithSnapshots,
  ),
  refused('create pipeline snapshots', {
    deny: { create: ['pipeline_deployment'] },
    inputs: TEMPLATE,
    log: give('create pipeline snapshots'),
  }),
  refused('create pipeline runs', {
    deny: { create: ['pipeline_run'] },
    inputs: TEMPLATE,
    log: give('create pipeline runs'),
  }),
  { name: `${PREFIX}create run metadata`, where: isPro, runs: 1, run: notNoted },
  ...NOT_PROMOTED,
]

const SLOW: readonly Case[] = [
  ...[
    refused('read projects, given by name', {
      deny: { read: ['project'] },
      inputs: { ...TEMPLATE, project: 'ml' },
      log: give('read projects'),
    }),
    refused('read run templates, by id', {
      deny: { read: ['run_template'] },
      inputs: (server) => ({ template: server.fact('training-template') }),
      log: give('read run templates'),
    }),
  ].map((one): Case => ({ ...one, slow: true })),
  ...[
    refused('create model versions', {
      deny: { create: ['model_version'] },
      inputs: MODEL,
      log: giveForModel('create model versions'),
    }),
    refused('create models', {
      deny: { create: ['model'] },
      inputs: { ...MODEL, configuration: '{"model": {"name": "not-there-yet"}}' },
      log: giveForModel('create models'),
    }),
    refused('read models', { deny: { read: ['model'] }, inputs: MODEL, log: giveForModel('read models') }),
  ].map((one): Case => ({ ...one, slow: true, runs: 1 })),
  followed(
    'read pipeline runs',
    { read: ['pipeline_run'] },
    {
      exitCode: 1,
      outputs: { conclusion: 'failed', status: '' },
      log: [
        /^::error title=No ZenML run was followed::.* Give the account permission to read pipeline runs$/m,
      ],
    },
  ),
  followed(
    'read artifacts',
    { read: ['artifact'] },
    {
      exitCode: 1,
      outputs: { status: 'failed', artifacts: /"output":"rows","id":"[\w-]{36}","name":null/ },
      log: [/^::warning::Could not be read: .*1 artifact: the account needs permission to read artifacts$/m],
    },
  ),
  followed(
    'read stack components',
    { read: ['stack_component'] },
    {
      exitCode: 1,
      outputs: { status: 'failed', error: /no data/ },
      log: [/^The log of .* is not shown: .* Give the account permission to read stack components$/m],
    },
    isProWithSnapshots,
  ),
  { name: `${PREFIX}update pipeline runs`, where: isPro, slow: true, runs: 1, run: notStopped },
  runFails(
    'read projects, which the run itself needs',
    { read: ['project'] },
    /^The run ".*" failed before any step/m,
  ),
  runFails(
    'read artifacts, which the run itself needs',
    { read: ['artifact'] },
    /^The run ".*" failed in the step "train": .* The account that started the run needs permission to read artifacts/m,
  ),
  runFails(
    'create artifact versions',
    { create: ['artifact_version'] },
    /^The run ".*" failed in the step "load": .* The account that started the run needs permission to create artifact versions/m,
  ),
  runFails(
    'create run metadata, which the run itself needs',
    { create: ['run_metadata'] },
    /^The run ".*" failed in the step "train": .* The account that started the run needs permission to create run metadata/m,
  ),
  {
    name: `${PREFIX}read stacks, which the run itself needs`,
    where: isPro,
    slow: true,
    runs: 1,
    run: (scene) => neverBegins(scene, { read: ['stack'] }, /READ resource 'stack\//),
  },
  {
    name: `${PREFIX}read stack components, which the run itself needs`,
    where: isPro,
    slow: true,
    runs: 1,
    run: (scene) =>
      neverBegins(
        scene,
        { read: ['stack_component'] },
        /stack_component\/|access ComponentResponse|No orchestrator found in the stack|Wrong stack component type/,
      ),
  },
]

export const PERMISSIONS: readonly Case[] = [...QUICK, ...SLOW]
