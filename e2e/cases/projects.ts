import assert from 'node:assert/strict'
import { expectStep, quick, type Case, type Scene, type Wanted } from '../scene.ts'
import { isInAnotherProject, isPro, since, type Condition } from '../target.ts'

/** What is there is not in a project that an open-source server looks in by itself. */
const isScoped: Condition = (target) => isPro(target) || isInAnotherProject(target)

const COMPLETED: Wanted = { exitCode: 0, outputs: { status: 'completed', conclusion: 'completed' } }

/** Inputs that leave out the project that the scene would name. */
const WITHOUT_PROJECT = { project: '' }

function names(...words: readonly string[]): RegExp[] {
  return words.map((word) => new RegExp(`\\b${word}\\b`))
}

/** A run's and its steps' results are read in the run's own project, also where only an id was given. */
async function byId(scene: Scene): Promise<void> {
  const result = await scene.action({
    ...WITHOUT_PROJECT,
    template: scene.server.fact('training-template'),
    configuration: quick({ accuracy: 0.75 }),
    expect: 'train.accuracy >= 0.7\nloss == 0.25',
  })
  const run = await scene.onlyRun(result)
  expectStep(result, {
    exitCode: 0,
    outputs: {
      'run-id': run.id,
      conclusion: 'completed',
      metadata: /"steps":\{.*"train":\{[^}]*"accuracy":0\.75/,
      artifacts: /"output":"accuracy"/,
      steps: /"name":"train"/,
    },
    log: ['Expectation met: train.accuracy >= 0.7, got 0.75'],
  })
}

async function byIdMissed(scene: Scene): Promise<void> {
  const result = await scene.action({
    ...WITHOUT_PROJECT,
    template: scene.server.fact('training-template'),
    configuration: quick({ accuracy: 0.75 }),
    expect: 'train.accuracy >= 0.9',
  })
  expectStep(result, {
    exitCode: 1,
    outputs: { conclusion: 'expectation-missed', error: /expected train\.accuracy >= 0\.9, got 0\.75/ },
  })
}

/** The account sees only one. */
async function theOnlyProject(scene: Scene): Promise<void> {
  const result = await scene.action({ template: 'training-template', configuration: quick() })
  expectStep(result, { ...COMPLETED, log: names(scene.server.target.project) })
}

/** The run's page has the project's name in the open-source dashboard, its id in Pro's. */
async function givenByName(scene: Scene): Promise<void> {
  const { server, view } = scene
  const { id, name } = await view.project()
  const result = await scene.action({ pipeline: 'training', project: name, configuration: quick() })
  const run = await scene.onlyRun(result)
  const place = isPro(server.target) ? id : name
  expectStep(result, {
    exitCode: 0,
    outputs: {
      conclusion: 'completed',
      'run-url': `${await dashboard(scene)}/projects/${place}/runs/${run.id}`,
    },
    log: names(name),
  })
}

async function givenByVariable(scene: Scene): Promise<void> {
  const { id } = await scene.view.project()
  const result = await scene.action(
    { ...WITHOUT_PROJECT, template: 'training-template', configuration: quick() },
    { env: { ZENML_ACTIVE_PROJECT_ID: id } },
  )
  expectStep(result, { ...COMPLETED, log: ['ZENML_ACTIVE_PROJECT_ID'] })
}

/** A person's account has a default project, a service account cannot have one (seen up to 0.98.0). */
async function ofTheAccount(scene: Scene): Promise<void> {
  const { view, server } = scene
  await view.call('PUT', '/current-user', { default_project_id: (await view.project()).id })
  try {
    const result = await scene.action({
      ...WITHOUT_PROJECT,
      'api-key': '',
      'access-token': await view.token(),
      template: 'training-template',
      configuration: quick(),
    })
    expectStep(result, { ...COMPLETED, log: names(server.target.project) })
  } finally {
    await view.call('PUT', '/current-user', { default_project_id: (await view.project('default')).id })
  }
}

/** Nothing says which one is meant, so nothing is started. */
async function oneOfTwo(scene: Scene): Promise<void> {
  const { view, server } = scene
  const others = (await view.projects()).filter(({ name }) => name !== server.target.project)
  if (others.length === 0) {
    await view.call('POST', '/projects', { name: 'vision', display_name: 'vision', description: '' })
  }
  const wanted = (await view.projects()).map(({ name }) => name)
  assert.ok(wanted.length > 1)
  try {
    const result = await scene.action({ ...WITHOUT_PROJECT, template: 'training-template' })
    expectStep(result, { exitCode: 1, outputs: { conclusion: 'failed' } })
    const errors = result.stdout.match(/^::error .*$/gm) ?? []
    assert.equal(errors.length, 1, result.stdout)
    for (const text of [...names(...wanted), /project: /]) assert.match(errors[0], text)
  } finally {
    const made = (await view.projects()).find(({ name }) => name === 'vision')
    if (made !== undefined) await view.call('DELETE', `/projects/${made.id}`)
  }
}

async function unknownProject(scene: Scene): Promise<void> {
  const result = await scene.action({ template: 'training-template', project: 'vison' })
  expectStep(result, { exitCode: 1, log: [/^::error .*project: .*vison/m] })
}

/** From the runs before in the same project, whatever that is. */
async function usually(scene: Scene): Promise<void> {
  const inputs = { template: 'training-template', configuration: quick() }
  expectStep(await scene.action(inputs), COMPLETED)
  expectStep(await scene.action(inputs), { ...COMPLETED, log: [/Usually .*\(from the last/] })
}

async function dashboard({ server }: Scene): Promise<string> {
  if (!isPro(server.target)) return server.url
  const answer = await fetch(`${server.url}/api/v1/info`)
  const info: unknown = await answer.json()
  return typeof info === 'object' && info !== null ? String(Reflect.get(info, 'dashboard_url')) : ''
}

/** Waiting for a run by its name, in the project where it is. */
async function waitsByName(scene: Scene): Promise<void> {
  const started = await scene.action({ template: 'training-template', configuration: quick(), wait: 'false' })
  const result = await scene.action(
    { run: started.outputs['run-name'] ?? '', expect: 'train.accuracy == 0.9' },
    { entry: 'wait' },
  )
  expectStep(result, {
    exitCode: 0,
    outputs: { 'run-id': started.outputs['run-id'] ?? '', conclusion: 'completed' },
  })
}

export const PROJECTS: readonly Case[] = [
  { name: 'project: none needed where an id is given', where: isScoped, runs: 1, run: byId },
  { name: 'project: an expectation missed, by id', where: isScoped, runs: 1, run: byIdMissed },
  { name: 'project: the only one of the account', where: isPro, runs: 1, run: theOnlyProject },
  { name: 'project: given by name', where: isScoped, runs: 1, run: givenByName },
  { name: 'project: given by ZENML_ACTIVE_PROJECT_ID', where: isScoped, runs: 1, run: givenByVariable },
  { name: "project: the account's default", where: isInAnotherProject, runs: 1, run: ofTheAccount },
  { name: 'project: several, and none is given', where: isScoped, runs: 0, run: oneOfTwo },
  { name: 'project: one that does not exist', where: since('0.80'), runs: 0, run: unknownProject },
  { name: 'project: how long it usually takes', where: isScoped, runs: 2, run: usually },
  { name: 'project: wait/ by name', where: isScoped, runs: 1, run: waitsByName },
]
