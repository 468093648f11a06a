import { afterEach, expect, test } from '@jest/globals'
import { ZENML_VERSIONS } from '../../../simulator/index.ts'
import { RunLog } from '../../../src/github/log/run-log.ts'
import { WorkflowLog } from '../../../src/github/log/workflow-log.ts'
import { closeScenes, openScene, TRIGGER, type Scene } from '../scene.ts'

afterEach(closeScenes)

function layer(value: object) {
  return [{ source: 'configuration', value: JSON.parse(JSON.stringify(value)) }]
}

test.each(ZENML_VERSIONS)('%s: a dry run shows what would be sent, and starts nothing', async (version) => {
  const scene = await openScene({ version })
  const layers = layer({ steps: { train: { parameters: { accuracy: 0.8 } } }, extra: { team: 'a' } })
  const overrides = { layers, tags: ['nightly'], enableCache: undefined }
  const result = await scene.execute({ dryRun: true, overrides })
  expect(result).toMatchObject({ conclusion: 'dry-run', error: undefined, status: '', runId: undefined })
  expect(scene.sent(TRIGGER)).toEqual([])
  expect(scene.server.runs).toEqual([])
  expect([scene.planned, scene.started]).toEqual([[], []])
  expect(scene.settled).toHaveLength(1)
  expect(shownOf(scene)).toEqual(
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

function shownOf(scene: Scene): string[] {
  return scene.events.flatMap((event) =>
    event.kind === 'dry-run' ? event.lines.map(({ mark, text }) => `${mark} ${text}`) : [],
  )
}

test('a dry run shows how the run would be called where no name is given', async () => {
  const scene = await openScene()
  await scene.execute({ dryRun: true })
  await scene.execute({ wait: false })
  const name = scene.server.runs[0]?.name ?? ''
  expect(shownOf(scene)).toContain(`+ run_name: "${name.slice(0, -12)}<random>"`)
})

test('a dry run shows a name that is given as it stands', async () => {
  const scene = await openScene()
  await scene.execute({ dryRun: true, runName: 'nightly-{date}' })
  expect(shownOf(scene)).toContain('+ run_name: "nightly-{date}"')
})

test('a dry run shows what would be expected of the run', async () => {
  const scene = await openScene()
  const expectations = [{ name: 'train.accuracy', operator: '>=', wanted: 0.9 }] as const
  await scene.execute({ dryRun: true, expectations })
  expect(scene.events).toContainEqual(expect.objectContaining({ expectations: ['train.accuracy >= 0.9'] }))
  const writes: string[] = []
  const log = new RunLog(new WorkflowLog((text) => writes.push(text)), scene.clock)
  for (const event of scene.events) log.tell(event)
  expect(writes.join('')).toMatch(/^Would be checked after the run: train\.accuracy >= 0\.9$/m)
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
  ])
})

test('what a start would be refused for, a dry run is refused for', async () => {
  const scene = await openScene()
  const layers = layer({ steps: { trian: {} } })
  await expect(
    scene.execute({ dryRun: true, overrides: { layers, tags: undefined, enableCache: undefined } }),
  ).rejects.toThrow('configuration: the pipeline has no step "trian"; did you mean train?')
})

test('a long value is described and not cut, because a cut secret is not masked in a log', async () => {
  const scene = await openScene()
  const secret = 's3cr3t-'.repeat(50)
  const layers = layer({ extra: { token: secret } })
  await scene.execute({ dryRun: true, overrides: { layers, tags: undefined, enableCache: undefined } })
  const shown = JSON.stringify(scene.events.filter(({ kind }) => kind === 'dry-run'))
  expect(shown).toContain('token: a string of 350 characters')
  expect(shown).not.toContain('s3cr3t-')
})
