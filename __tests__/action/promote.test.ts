import { setTimeout } from 'node:timers/promises'
import { describe, expect, jest, test } from '@jest/globals'
import { startPro, type PipelineSpec, type ProSimulator } from '../../simulator/index.ts'
import { startAction, type ActionResult } from '../../e2e/action.ts'
import { annotations, expectRed, logLines, PATIENCE_MS, withServer, type Scene } from './scene.ts'

jest.setTimeout(PATIENCE_MS)

const training: PipelineSpec = {
  name: 'training',
  model: 'classifier',
  steps: [{ name: 'train', seconds: 1, metadata: { accuracy: 0.9 } }],
}

function promote(scene: Scene, inputs: Readonly<Record<string, string>>): Promise<ActionResult> {
  return scene.step({ stage: 'production', ...inputs }, { entry: 'promote' })
}

async function train(scene: Scene): Promise<Readonly<Record<string, string>>> {
  return (await scene.step({ snapshot: 'training-template' })).outputs
}

function expectPromoted(result: ActionResult, outputs: Readonly<Record<string, string>>): void {
  expect(annotations('error', result)).toEqual([])
  expect(result.stderr).toBe('')
  expect(result.outputs).toEqual({ conclusion: 'promoted', error: '', model: 'classifier', ...outputs })
  expect(result.exitCode).toBe(0)
}

// Elsewhere a signal ends a process at once.
const onUnix = process.platform === 'win32' ? test.skip : test.concurrent

describe('promote/', () => {
  test.concurrent(
    'the version of a run goes to production, twice, and an old job does not take it back',
    () =>
      withServer({ pipelines: [training] }, async (scene) => {
        const [first, second] = [await train(scene), await train(scene)]
        await promote(scene, { run: first['run-id'] ?? '' })
        const result = await promote(scene, { run: second['run-name'] ?? '' })
        expectPromoted(result, { version: '2', stage: 'production', 'previous-version': '1' })
        expect(logLines(result)).toEqual([
          'version: 0.98.0',
          'account: ci',
          expect.stringMatching(/^Project: default /),
          `Found version 2 of the model classifier (stage: none): ${second['run-url'] ?? ''}`,
          'Version 2 of the model "classifier" is in production now; version 1 was archived',
        ])
        expect(result.summary).toBe(
          [
            '',
            '### ✅ ZenML model version of classifier: promoted',
            '',
            '`Version 2 of the model "classifier" is in production now; version 1 was archived`',
            '',
            '| Version | Stage | Had the stage before |',
            '| --- | --- | --- |',
            `| [2](${second['run-url'] ?? ''}) | \`production\` | \`1\` |`,
            '',
          ].join('\n'),
        )
        const again = await promote(scene, { run: second['run-id'] ?? '' })
        expectPromoted(again, { version: '2', stage: 'production', 'previous-version': '' })
        expect(logLines(again).at(-1)).toMatch(/is in production already; nothing was changed$/)

        const old = await promote(scene, { run: first['run-id'] ?? '' })
        expect(expectRed(old, 'superseded')).toBe(
          'Version 2 of the model "classifier" is in production and is newer than version 1; write replace: always to go back',
        )
        expect(old.outputs).toMatchObject({ version: '1', stage: 'archived', 'previous-version': '2' })
        expect(old.stdout).toMatch(/^::error title=ZenML model version superseded::/m)
        expect(old.summary).toContain(
          '### ⏪ ZenML model version of classifier: conflict with a newer version',
        )
        expect(scene.requests('PUT', /\/model_versions\//)).toHaveLength(2)
      }),
  )

  test.concurrent('a run without a model version: one line, and nothing is sent', () =>
    withServer({}, async (scene) => {
      const { 'run-id': run = '' } = await train(scene)
      const result = await promote(scene, { run })
      expect(expectRed(result, 'failed')).toMatch(/^run: the run ".*" has no model version\. /)
      expect(result.stdout).toMatch(/^::error title=ZenML model version not promoted::/m)
      expect(result.outputs).toEqual({
        conclusion: 'failed',
        error: expect.any(String),
        'previous-version': '',
      })
      expect(scene.requests('PUT', /./)).toEqual([])
    }),
  )

  test.concurrent('names that would be commands, formatting or lines of their own do no harm', () =>
    withServer({}, async (scene) => {
      const model = 'x##[error]y'
      const name = '1\n::error::pwned\n<b>**bold**'
      const { id } = scene.server.addModelVersion(model, { name })
      const result = await promote(scene, { model, version: id })
      expect(result.exitCode).toBe(0)
      expect(annotations('error', result)).toEqual([])
      expect(result.stdout).toContain(' (stage: none, number 1)')
      expect(result.stdout).not.toMatch(/##\[|^::error/m)
      expect(result.outputs).toMatchObject({
        model: 'x## [error]y',
        version: String.raw`1\n::error::pwned\n<b>**bold**`,
      })
      expect(result.summary.split('\n').filter((line) => /<b>|\*\*/.test(line))).toEqual([
        expect.stringMatching(/^`.*`$/),
      ])
    }),
  )

  test.concurrent("on ZenML Pro the version's page is linked", () =>
    withPro(async (scene, pro) => {
      const version = scene.server.addModelVersion('classifier')
      const inputs = { 'api-key': pro.apiKey, model: 'classifier', version: '1', project: 'vision' }
      const result = await promote(scene, inputs)
      expectPromoted(result, { version: '1', stage: 'production', 'previous-version': '' })
      const page = new RegExp(
        `^Found .*: http\\S+/projects/${scene.server.seeded.project}/model-versions/${version.id}$`,
        'm',
      )
      expect(result.stdout).toMatch(page)
    }),
  )

  test.concurrent('inputs that cannot be used are named, each in a title, and nothing is sent', () =>
    withServer({}, async (scene) => {
      const result = await promote(scene, { model: 'classifier', stage: 'live', replace: 'all' })
      const titles = [...result.stdout.matchAll(/^::error title=(.*?)::/gm)].map(([, title]) => title)
      expect(titles).toEqual(['Input version', 'Input stage', 'Input replace'])
      expect(result.outputs['conclusion']).toBe('failed')
      expect(scene.server.requests).toEqual([])
    }),
  )

  onUnix('a cancelled workflow changes nothing', () =>
    withServer({}, async (scene) => {
      scene.server.addModelVersion('classifier')
      scene.server.addFault({ on: 'models', occurrence: 'always', do: { kind: 'hang' } })
      const inputs = { 'server-url': scene.server.url, 'api-key': scene.server.apiKey, stage: 'production' }
      const promoting = await startAction({
        entry: 'promote',
        inputs: { ...inputs, model: 'classifier', version: '1' },
      })
      while (scene.requests('GET', /\/models$/).length === 0) await setTimeout(20)
      promoting.signal('SIGINT')
      const result = await promoting.done
      expect(expectRed(result, 'cancelled')).toBe('Cancelled before the stage was set; nothing was changed')
      expect(scene.requests('PUT', /./)).toEqual([])
    }),
  )
})

async function withPro(work: (scene: Scene, pro: ProSimulator) => Promise<void>): Promise<void> {
  const pro = await startPro()
  try {
    await withServer({ pro, project: 'vision' }, async (scene) => {
      pro.add({ name: 'research', serverUrl: scene.server.url })
      await work(scene, pro)
    })
  } finally {
    await pro.close()
  }
}
