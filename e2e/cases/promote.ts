import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { ActionOptions, ActionResult } from '../action.ts'
import { expectStep, quick, type Case, type Scene, type Wanted } from '../scene.ts'
import type { ZenServer } from '../servers.ts'
import { isAtLeast, isPro } from '../target.ts'

type Inputs = ActionOptions['inputs']

/** A model that no other case uses. */
function newModel(): string {
  return `model-${randomUUID().slice(0, 8)}`
}

/** Runs a pipeline to its end, with what `extra` adds to its configuration; gives the run's id. */
async function train(scene: Scene, extra: Record<string, unknown> = {}, key?: string): Promise<string> {
  const result = await scene.action({
    ...(key !== undefined && { 'api-key': key }),
    template: 'training-template',
    configuration: JSON.stringify({ ...JSON.parse(quick()), ...extra }),
  })
  expectStep(result, { exitCode: 0, outputs: { conclusion: 'completed' } })
  return result.outputs['run-id'] ?? ''
}

function promote(scene: Scene, inputs: Inputs): Promise<ActionResult> {
  return scene.action(inputs, { entry: 'promote' })
}

/** One step of promote/, and what it must show; one error at most. */
async function promoted(scene: Scene, inputs: Inputs, wanted: Wanted): Promise<void> {
  const result = await promote(scene, inputs)
  expectStep(result, wanted)
  assert.equal(result.stdout.match(/^::(?:error|warning)/gm)?.length ?? 0, wanted.exitCode, result.stdout)
}

const green = (version: string, stage: string, previous: string, log: RegExp): Wanted => ({
  exitCode: 0,
  outputs: { version, stage, 'previous-version': previous, conclusion: 'promoted', error: '' },
  log: [log],
})

const red = (conclusion: string, log: RegExp, outputs: Wanted['outputs'] = {}): Wanted => ({
  exitCode: 1,
  outputs: { ...outputs, conclusion, error: log },
  log: [log],
})

/** A newer version takes the place of the older one; an older one does not, unless it is asked for. */
async function newerAndOlder(scene: Scene): Promise<void> {
  const name = newModel()
  const first = await train(scene, { model: { name } })
  const second = await train(scene, { model: { name } })
  const to = { stage: 'production' }
  await promoted(
    scene,
    { run: first, ...to },
    green('1', 'production', '', new RegExp(`^Version 1 of the model "${name}" is in production now$`, 'm')),
  )
  await promoted(scene, { run: first, ...to }, green('1', 'production', '', /already; nothing was changed$/m))
  await promoted(
    scene,
    { model: name, version: '2', ...to, replace: 'never' },
    red('taken', /Version 1 of .* is in production, and replace is never; write replace: older/, {
      stage: '',
      'previous-version': '1',
    }),
  )
  await promoted(
    scene,
    { run: second, ...to },
    green('2', 'production', '1', /is in production now; version 1 was archived$/m),
  )
  await promoted(
    scene,
    { run: first, ...to },
    red('superseded', /Version 2 of .* is in production and is newer than version 1; write replace: always/, {
      version: '1',
      stage: 'archived',
      'previous-version': '2',
    }),
  )
  await promoted(
    scene,
    { model: name, version: '1', ...to, replace: 'always' },
    green('1', 'production', '2', /is in production now; version 2 was archived$/m),
  )
}

/** A version by its stage or as the newest; several may be archived. */
async function byStage(scene: Scene): Promise<void> {
  const model = newModel()
  for (const version of [undefined, 'release', undefined])
    await train(scene, { model: { name: model, version } })
  const named = { model, version: 'release' }
  await promoted(scene, { ...named, stage: 'staging' }, green('release', 'staging', '', /number 2/))
  await promoted(
    scene,
    { model, version: 'staging', stage: 'production' },
    green('release', 'production', '', /^Version "release" \(number 2\) of .* is in production now$/m),
  )
  for (const version of ['production', 'latest']) {
    const wanted = green(version === 'latest' ? '3' : 'release', 'archived', '', /is archived now$/m)
    await promoted(scene, { model, version, stage: 'archived' }, wanted)
  }
  await promoted(
    scene,
    { model, version: 'archived', stage: 'staging' },
    red(
      'failed',
      /version: several versions of the model ".*" are in archived: 3, release\. Write one of them/,
    ),
  )
  await promoted(
    scene,
    { model, version: '7', stage: 'staging' },
    red('failed', /version: the model ".*" has no version "7"; the newest is 3/),
  )
  await promoted(
    scene,
    { model: `${model}x`, version: '7', stage: 'staging' },
    red('failed', new RegExp(`model: there is no model named "${model}x".*; did you mean ${model}\\?`)),
  )
}

/** A run without a model, and one whose steps have a model each. */
async function ofNoOrSeveral(scene: Scene): Promise<void> {
  const none = await train(scene)
  const older = isAtLeast(scene.server.target, '0.80') ? '$' : '.* ZenML before 0\\.80 takes '
  await promoted(
    scene,
    { run: none, stage: 'production' },
    red(
      'failed',
      new RegExp(`run: the run ".*" has no model version\\. .* or write model and version${older}`, 'm'),
    ),
  )
  const [one, other] = [newModel(), newModel()]
  const steps = (models: Record<string, string>): Record<string, unknown> => ({
    steps: Object.fromEntries(Object.entries(models).map(([step, name]) => [step, { model: { name } }])),
  })
  const both = await train(scene, steps({ load: one, report: other }))
  await promoted(
    scene,
    { run: both, stage: 'production' },
    red(
      'failed',
      /run: the run ".*" has several model versions: version 1 of .*, version 1 of .*\. Write model/,
    ),
  )
  const single = await train(scene, steps({ load: one }))
  await promoted(scene, { run: single, stage: 'staging' }, green('2', 'staging', '', /is in staging now$/m))
}

const versionsOfAnother = new WeakMap<ZenServer, string>()

/** Id of a run of another account that made a model version; one for each server. */
async function versionOfAnother(scene: Scene): Promise<string> {
  const known = versionsOfAnother.get(scene.server)
  if (known !== undefined) return known
  const id = await train(scene, { model: { name: newModel() } }, scene.server.fact('observer-key'))
  versionsOfAnother.set(scene.server, id)
  return id
}

/** A permission is taken away, and another account's version keeps the stage that it has. */
function notPromoted(permission: string, deny: Readonly<Record<string, readonly string[]>>): Case {
  return {
    name: `permission: ${permission}`,
    where: isPro,
    runs: 'any',
    run: async (scene) => {
      const run = await versionOfAnother(scene)
      await scene.server.controlPlane.set({ deny })
      const needed = permission.replace(/,.*/, '')
      const log = new RegExp(` Give the account permission to ${needed}$`, 'm')
      await promoted(scene, { run, stage: 'staging' }, red('failed', log))
    },
  }
}

/** What promote/ needs, taken away one by one; docs/pro.md lists it with all others. */
export const NOT_PROMOTED: readonly Case[] = [
  notPromoted('promote models', { promote: ['model'] }),
  notPromoted('update model versions', { update: ['model_version'] }),
  notPromoted('read models, to promote', { read: ['model'] }),
]

export const PROMOTE: readonly Case[] = [
  { name: 'promote/: over an older version, not over a newer one', runs: 2, run: newerAndOlder },
  { name: 'promote/: by name, by stage, the newest, and to archived', runs: 3, run: byStage },
  { name: 'promote/: a run without a model version, or with several', runs: 3, run: ofNoOrSeveral },
]
