import assert from 'node:assert/strict'
import { expectStep, quick, type Case, type Scene } from '../scene.ts'
import { both, isOpenSource, since } from '../target.ts'

/** A template gives its snapshot its own name, so both are called alike. */
const hasSnapshots = since('0.90')

function found(inputs: (scene: Scene) => Record<string, string>, pipeline: string): Case['run'] {
  return async (scene) => {
    const configuration = pipeline === 'training' ? quick() : ''
    const result = await scene.action({ configuration, ...inputs(scene) })
    const run = await scene.onlyRun(result)
    expectStep(result, {
      exitCode: 0,
      outputs: { 'run-id': run.id, status: 'completed', conclusion: 'completed', pipeline },
    })
  }
}

async function unknownName(scene: Scene): Promise<void> {
  const result = await scene.action({ template: 'trainning-template' })
  expectStep(result, { exitCode: 1, log: ['trainning-template', 'training-template'] })
  assert.equal(result.outputs['run-id'] ?? '', '')
}

async function unknownId(scene: Scene): Promise<void> {
  const id = '00000000-0000-4000-8000-000000000000'
  expectStep(await scene.action({ template: id }), { exitCode: 1, log: [id] })
}

async function wrongKey(scene: Scene): Promise<void> {
  const result = await scene.action({ template: 'training-template', 'api-key': 'ZENKEY_bm90IGEga2V5' })
  expectStep(result, { exitCode: 1, log: [/key/i] })
  assert.doesNotMatch(result.stderr, /^\s+at /m, 'a stack was printed')
}

/** Failed logins shut the door for a minute, also for a good key; the action waits that long, once. */
async function loginLimit(scene: Scene): Promise<void> {
  const wrong = { template: 'training-template', 'api-key': 'ZENKEY_bm90IGEga2V5' }
  expectStep(await scene.action(wrong), { exitCode: 1 })
  const result = await scene.action({ template: 'training-template', configuration: quick() })
  expectStep(result, { exitCode: 0, outputs: { conclusion: 'completed' }, log: [/minute/i] })
  assert.ok(result.ms > 55_000, `it waited only ${Math.round(result.ms)} ms`)
}

const id =
  (input: string, name: string) =>
  (scene: Scene): Record<string, string> => ({ [input]: scene.server.fact(name) })

/** Each run has a snapshot without a name; a run of it says that it came from the one that this was made from. */
async function ownSnapshot(scene: Scene): Promise<void> {
  const first = await scene.action({ template: 'training-template', configuration: quick() })
  const run = (await scene.view.call('GET', `/runs/${first.outputs['run-id'] ?? ''}`)) as {
    resources: { snapshot: { id: string } }
  }
  const { id: snapshot } = run.resources.snapshot
  const name = `nightly-${Date.now()}`
  const result = await scene.action({ snapshot, configuration: quick(), 'run-name': name })
  expectStep(result, { exitCode: 0, outputs: { conclusion: 'completed', 'run-name': name } })
}

export const FINDING: readonly Case[] = [
  {
    name: 'found by template name, narrowed by pipeline',
    core: true,
    runs: 1,
    run: found(() => ({ template: 'training-template', pipeline: 'training' }), 'training'),
  },
  { name: 'found by pipeline alone', runs: 1, run: found(() => ({ pipeline: 'training' }), 'training') },
  {
    name: 'found by snapshot id',
    where: hasSnapshots,
    runs: 1,
    run: found(id('snapshot', 'training-snapshot'), 'training'),
  },
  {
    name: 'found by snapshot name',
    where: hasSnapshots,
    runs: 1,
    run: found(() => ({ snapshot: 'training-template' }), 'training'),
  },
  {
    name: "found by the id of a run's own snapshot, run-name",
    where: hasSnapshots,
    runs: 2,
    run: ownSnapshot,
  },
  {
    name: 'a dynamic pipeline',
    where: hasSnapshots,
    runs: 1,
    run: found(() => ({ snapshot: 'dynamic-template' }), 'dynamic'),
  },
  { name: 'unknown name', runs: 0, run: unknownName },
  { name: 'unknown id', runs: 0, run: unknownId },
  { name: 'wrong key', runs: 0, run: wrongKey },
  {
    name: 'login limit of a minute',
    where: both(isOpenSource, hasSnapshots),
    environment: { ZENML_SERVER_RATE_LIMIT_ENABLED: 'true', ZENML_SERVER_LOGIN_RATE_LIMIT_MINUTE: '1' },
    runs: 1,
    run: loginLimit,
  },
]
