import { afterEach, expect, test } from '@jest/globals'
import { ZENML_VERSIONS } from '../../../simulator/index.ts'
import { closeScenes, openScene, TRIGGER } from '../scene.ts'

afterEach(closeScenes)

function layer(value: object) {
  return [{ source: 'configuration', value: JSON.parse(JSON.stringify(value)) }]
}

test.each(ZENML_VERSIONS)('%s: a dry run shows what would be sent, and starts nothing', async (version) => {
  const scene = await openScene({ version })
  const layers = layer({ steps: { train: { parameters: { accuracy: 0.8 } } }, extra: { team: 'a' } })
  const overrides = { layers, tags: ['nightly'], useCache: undefined }
  const result = await scene.execute({ dryRun: true, overrides })
  expect(result).toMatchObject({ conclusion: 'dry-run', error: undefined, status: '', runId: undefined })
  expect(scene.sent(TRIGGER)).toEqual([])
  expect(scene.server.runs).toEqual([])
  expect([scene.planned, scene.started]).toEqual([[], []])
  expect(scene.settled).toHaveLength(1)
  const shown = scene.events.flatMap((event) =>
    event.kind === 'dry-run' ? event.lines.map(({ mark, text }) => `${mark} ${text}`) : [],
  )
  expect(shown).toEqual(
    expect.arrayContaining([
      '  steps:',
      '    load: {…}',
      '    train:',
      '      parameters:',
      '        seconds: 1',
      '-       accuracy: 0.9',
      '+       accuracy: 0.8',
      '+ tags: ["nightly"]',
    ]),
  )
})

test('a dry run sends nothing but reads, each once', async () => {
  const scene = await openScene()
  await scene.execute({ dryRun: true })
  expect(scene.sent(/./).map((line) => line.replaceAll(/[0-9a-f-]{36}|\?.*/g, ''))).toEqual([
    'POST /api/v1/login',
    'GET /api/v1/info',
    'GET /api/v1/current-user',
    'GET /api/v1/projects',
    'GET /api/v1/run_templates',
    'GET /api/v1/run_templates/',
  ])
})

test('what a start would be refused for, a dry run is refused for', async () => {
  const scene = await openScene()
  const layers = layer({ steps: { trian: {} } })
  await expect(
    scene.execute({ dryRun: true, overrides: { layers, tags: undefined, useCache: undefined } }),
  ).rejects.toThrow('configuration: the pipeline has no step "trian"; did you mean train?')
})

test('a long value is described and not cut, because a cut secret is not masked in a log', async () => {
  const scene = await openScene()
  const secret = 's3cr3t-'.repeat(50)
  const layers = layer({ extra: { token: secret } })
  await scene.execute({ dryRun: true, overrides: { layers, tags: undefined, useCache: undefined } })
  const shown = JSON.stringify(scene.events.filter(({ kind }) => kind === 'dry-run'))
  expect(shown).toContain('token: a string of 350 characters')
  expect(shown).not.toContain('s3cr3t-')
})
