import { afterEach, describe, expect, test } from '@jest/globals'
import type { PipelineSpec, SimulatorOptions } from '../../../simulator/index.ts'
import { closeScenes } from '../scene.ts'
import { MODEL, openModels, type ModelScene } from './promotion.ts'

afterEach(closeScenes)

const training: PipelineSpec = {
  name: 'training',
  model: MODEL,
  steps: [{ name: 'train', seconds: 1 }],
}

const NO_SUCH_ID = '00000000-0000-4000-8000-000000000000'

/** A server with one run that has ended, of what the configuration says. */
async function openRun(
  configuration: Record<string, unknown> = {},
  options: SimulatorOptions = {},
): Promise<{ scene: ModelScene; id: string; name: string }> {
  const scene = await openModels([], { pipelines: [training], ...options })
  const layers = [{ source: 'configuration', value: JSON.parse(JSON.stringify(configuration)) }]
  await scene.execute({ overrides: { layers, tags: undefined, enableCache: undefined } })
  const { id = '', name = '' } = scene.server.runs[0] ?? {}
  return { scene, id, name }
}

const plain = { pipelines: [{ ...training, model: undefined }] } as unknown as SimulatorOptions

describe('the version of a run', () => {
  test('is found by the id of the run and by its name', async () => {
    const { scene, id, name } = await openRun()
    for (const run of [id, name]) {
      expect(await scene.promote({ kind: 'run', run })).toMatchObject({
        conclusion: 'promoted',
        version: { number: 1, model: { name: MODEL } },
      })
    }
    expect(scene.sent(/model_version_pipeline_runs/)).toEqual([])
  })

  test('of a pipeline without a model is that of its steps, if they have one', async () => {
    const { scene, id } = await openRun({ steps: { train: { model: { name: 'embedder' } } } }, plain)
    expect(await scene.promote({ kind: 'run', run: id })).toMatchObject({
      conclusion: 'promoted',
      version: { model: { name: 'embedder' } },
    })
  })

  test('is that of the pipeline, whatever its steps use', async () => {
    const { scene, id } = await openRun({ steps: { train: { model: { name: 'embedder' } } } })
    expect(await scene.promote({ kind: 'run', run: id })).toMatchObject({
      version: { model: { name: MODEL } },
    })
  })

  test('of several models is not guessed', async () => {
    const twoSteps = {
      ...training,
      model: undefined,
      steps: ['load', 'train'].map((name) => ({ name, seconds: 1 })),
    }
    const steps = { load: { model: { name: 'embedder' } }, train: { model: { name: MODEL } } }
    const { scene, id, name } = await openRun({ steps }, {
      pipelines: [twoSteps],
    } as unknown as SimulatorOptions)
    await expect(scene.promote({ kind: 'run', run: id })).rejects.toThrow(
      `run: the run "${name}" has several model versions: version 1 of the model "embedder", version 1 of the model "${MODEL}". Write model and version in place of run`,
    )
    expect(scene.puts()).toEqual([])
  })

  test.each<['0.74.0' | '0.98.0', SimulatorOptions, string]>([
    ['0.98.0', plain, ''],
    [
      '0.74.0',
      {},
      '. ZenML before 0.80 takes the model of a run only from its configuration, as in configuration: {model: {name: NAME}}',
    ],
  ])('is missing on %s: the line says what to do', async (version, options, more) => {
    const { scene, id, name } = await openRun({}, { version, ...options })
    await expect(scene.promote({ kind: 'run', run: id })).rejects.toThrow(
      new Error(
        `run: the run "${name}" has no model version. Give its pipeline a model, as in @pipeline(model=Model(name="NAME")), or write model and version${more}`,
      ),
    )
  })

  test('is promoted on 0.74 if the configuration of the run named the model', async () => {
    const { scene, id } = await openRun({ model: { name: MODEL } }, { version: '0.74.0' })
    expect(await scene.promote({ kind: 'run', run: id })).toMatchObject({ conclusion: 'promoted' })
  })

  test.each(['failed', 'stopped', 'running', 'of a new kind'])(
    'that is %s is not promoted',
    async (status) => {
      const { scene, id, name } = await openRun()
      scene.server.setStatus(id, status)
      await expect(scene.promote({ kind: 'run', run: id })).rejects.toThrow(
        `run: the run "${name}" is ${status}, and only model versions of completed runs are promoted. Name another run, or write model and version`,
      )
      expect(scene.puts()).toEqual([])
    },
  )

  test('that is not there: the line names the input', async () => {
    const { scene } = await openRun()
    await expect(scene.promote({ kind: 'run', run: NO_SUCH_ID })).rejects.toThrow(
      `run: there is no run with the ID ${NO_SUCH_ID}, or the account has no permission to read it`,
    )
  })
})

describe('a version of a model', () => {
  test.each([
    ['its number', '2', 2],
    ['its name', 'release', 2],
    ['its stage', 'staging', 3],
    ['the newest', 'latest', 4],
  ])('is found by %s', async (_, version, number) => {
    const scene = await openModels([null])
    scene.server.addModelVersion(MODEL, { name: 'release' })
    scene.server.addModelVersion(MODEL, { stage: 'staging' })
    scene.server.addModelVersion(MODEL, { name: 'Release' })
    scene.server.addModelVersion('another', { name: 'release', stage: 'staging' })
    const end = await scene.promote({ kind: 'model', model: MODEL, version })
    expect(end).toMatchObject({ conclusion: 'promoted', version: { number, model: { name: MODEL } } })
  })

  test('is found by the ids of both, in any case', async () => {
    const scene = await openModels([null])
    const version = (scene.versions[0]?.id ?? '').toUpperCase()
    const { version: seen } = await scene.promote({ kind: 'model', model: MODEL, version })
    await scene.promote(
      { kind: 'model', model: seen.model.id.toUpperCase(), version },
      { stage: 'staging', replace: 'always' },
    )
    expect(scene.stages()).toEqual(['staging'])
  })

  test('is found by its number where the model is named by its id', async () => {
    const scene = await openModels([null])
    const { version } = await scene.promote(1)
    const choice = { kind: 'model', model: version.model.id.toUpperCase(), version: '1' } as const
    expect(await scene.promote(choice, { stage: 'staging', replace: 'always' })).toMatchObject({
      conclusion: 'promoted',
    })
    // ZenML answers 422 to a flag without a value.
    expect(scene.sent(/\/models\/[^/]+$/)).toEqual([`GET /api/v1/models/${version.model.id}?hydrate=false`])
  })

  test('a text that means something in a filter is looked for as it is', async () => {
    const scene = await openModels([null])
    scene.server.addModelVersion(MODEL, { name: 'startswith:x' })
    const named = { kind: 'model', model: MODEL, version: 'startswith:x' } as const
    expect(await scene.promote(named)).toMatchObject({ version: { number: 2 } })
    await expect(scene.promote({ kind: 'model', model: MODEL, version: 'contains:1' })).rejects.toThrow(
      `version: the model "${MODEL}" has no version "contains:1"; the newest is startswith:x`,
    )
    await expect(scene.promote({ kind: 'model', model: 'contains:class', version: '1' })).rejects.toThrow(
      'model: there is no model named "contains:class"',
    )
  })

  test.each<[title: string, model: string, version: string, line: string]>([
    [
      'a model that is misspelt',
      'clasifier',
      '1',
      'model: there is no model named "clasifier" in the project "default", or the account has no permission to read it; did you mean classifier?',
    ],
    [
      'a model that is nothing like one',
      'x',
      '1',
      'model: there is no model named "x" in the project "default", or the account has no permission to read it',
    ],
    [
      'a model of no id',
      NO_SUCH_ID,
      '1',
      `model: there is no model with the ID ${NO_SUCH_ID}, or the account has no permission to read it`,
    ],
    [
      'a number that is not there',
      MODEL,
      '9',
      'version: the model "classifier" has no version "9"; the newest is 2',
    ],
    [
      'a name that is not there',
      MODEL,
      'v2',
      'version: the model "classifier" has no version "v2"; the newest is 2',
    ],
    [
      'a stage that nobody has',
      MODEL,
      'production',
      'version: no version of the model "classifier" is in production',
    ],
    [
      'a stage that several have',
      MODEL,
      'archived',
      'version: several versions of the model "classifier" are in archived: 2, 1. Write one of them',
    ],
    [
      'an id that is not there',
      MODEL,
      NO_SUCH_ID,
      `version: there is no model version with the ID ${NO_SUCH_ID}, or the account has no permission to read it`,
    ],
  ])('%s: one line that says so, and nothing is sent', async (_, model, version, line) => {
    const scene = await openModels(['archived', 'archived'])
    await expect(scene.promote({ kind: 'model', model, version })).rejects.toThrow(new Error(line))
    expect(scene.puts()).toEqual([])
  })

  test("an id of another model's version is not taken for one of this model", async () => {
    const scene = await openModels([null])
    const other = scene.server.addModelVersion('embedder')
    await expect(scene.promote({ kind: 'model', model: MODEL, version: other.id })).rejects.toThrow(
      `version: ${other.id} is version 1 of the model "embedder", not one of "${MODEL}". Correct model or version`,
    )
  })

  test('of another project than the input names is not taken', async () => {
    const scene = await openModels([null], { project: 'vision', projects: ['other'] })
    const [version] = scene.versions
    const choice = { kind: 'model', model: MODEL, version: version?.id ?? '' } as const
    const project = { nameOrId: 'other', source: 'project' } as const
    await expect(scene.promote(choice, { project })).rejects.toThrow(
      `project: the model "${MODEL}" belongs to another project. Correct or remove the input`,
    )
    expect(await scene.promote(choice)).toMatchObject({ conclusion: 'promoted' })
  })

  test('an answer about another version, as of a confused cache, is asked for again', async () => {
    const scene = await openModels([null, 'production'])
    const [wanted, other] = scene.versions
    const body = JSON.stringify({
      ...{ id: other?.id, name: '2' },
      body: { number: 2, stage: 'production', model: { id: 'a-model', name: MODEL } },
    })
    scene.server.addFault({ on: 'model-version', do: { kind: 'answer', status: 200, body } })
    const end = await scene.promote({ kind: 'model', model: MODEL, version: wanted?.id ?? '' })
    expect(end).toMatchObject({ conclusion: 'superseded', version: { number: 1 } })
  })

  test('what a list gives beside what was asked for counts as not given', async () => {
    const scene = await openModels([null])
    const other = { id: 'another-model', name: 'embedder' }
    const item = { id: 'a-version', name: '9', body: { number: 9, stage: 'production', model: other } }
    const body = JSON.stringify({ total: 1, total_pages: 1, items: [item] })
    scene.server.addFault({
      ...{ on: 'model-versions', occurrence: { from: 2, to: 9 } },
      do: { kind: 'answer', status: 200, body },
    })
    expect(await scene.promote(1)).toMatchObject({ conclusion: 'promoted', previous: undefined })
  })
})
