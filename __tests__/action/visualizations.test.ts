import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, jest, test } from '@jest/globals'
import { runAction, startAction, type ActionResult } from '../../e2e/action.ts'
import { realClock, startSimulator, ZENML_VERSIONS } from '../../simulator/index.ts'
import { elementsOf, unescapedHtml } from '../github/report-page/html-reader.ts'
import { startTampering } from '../hostile/tampering-server.ts'
import { annotations, expectGreen, expectRed, PATIENCE_MS, withServer } from './scene.ts'
import { expectNoSecret, shownStretches } from './secrecy.ts'

jest.setTimeout(PATIENCE_MS)

/** Windows has no signals: there a process that is sent one is ended at once. */
const onUnix = process.platform === 'win32' ? test.skip : test

/** 0.74 wants all parameters. */
const EVALUATION = {
  template: 'evaluation-template',
  configuration:
    'steps: {load: {parameters: {rows: 5}}, train: {parameters: {seconds: 0.1, accuracy: 0.9, fail: ""}}}',
  'poll-interval': '1s',
  visualizations: 'true',
}

/** Gives a test a folder that outlives the step, as the runner's does. */
async function withTemp(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'runner-temp-'))
  try {
    await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function pageOf({ outputs }: ActionResult): Promise<string> {
  const page = await readFile(outputs['report'] ?? '', 'utf8')
  elementsOf(page)
  return page
}

test.concurrent.each(ZENML_VERSIONS)(
  'ZenML %s: summary and report page show what the artifacts show',
  (version) =>
    withServer({ version }, (scene) =>
      withTemp(async (folder) => {
        const result = await scene.step(EVALUATION, { env: { RUNNER_TEMP: folder } })
        expectGreen(result, 'completed')
        const { 'run-id': id, report } = result.outputs
        expect(report).toBe(path.join(folder, `zenml-report-${id}.html`))
        expect(result.stdout).toContain("Read 4 visualizations of the run's artifacts\n")
        expect(result.stdout).toContain(`Report page: ${report}\n`)
        expect(result.summary).toContain('| actual | cat | dog |\n| --- | --- | --- |\n| cat | 90 | 10 |')
        expect(result.summary).toContain('| metric | value |\n| --- | --- |\n| accuracy | 0.9 |')
        expect(result.summary).toContain(
          'On the report page (output `report`): `evaluate.page` (HTML page), `evaluate.plot` (image)',
        )
        const page = await pageOf(result)
        expect(page).toContain('<td>accuracy</td><td>0.9</td>')
        expect(page).toContain('<img alt="evaluate.plot" src="data:image/png;base64,iVBOR')
        const [frame] = elementsOf(page).filter(({ tag }) => tag === 'iframe')
        expect(frame?.attributes.get('sandbox')).toBe('')
        expect(frame?.attributes.get('srcdoc')).toContain('&#60;h1&#62;Evaluation&#60;/h1&#62;')
      }),
    ),
)

test.concurrent('wait/ shows them as well; a failed run shows what it left', () =>
  withServer({}, (scene) =>
    withTemp(async (folder) => {
      const env = { RUNNER_TEMP: folder }
      const { outputs } = await scene.step({ ...EVALUATION, wait: 'false' }, { env })
      expect(outputs['report']).toBeUndefined()
      const inputs = { run: outputs['run-id'] ?? '', visualizations: 'true', 'poll-interval': '1s' }
      const waited = await scene.step(inputs, { entry: 'wait', env })
      expectGreen(waited, 'completed')
      expect(await pageOf(waited)).toContain('<figcaption>evaluate.report</figcaption>')

      const configuration = EVALUATION.configuration.replace('fail: ""', 'fail: no data')
      const failed = await scene.step({ ...EVALUATION, configuration }, { env })
      expectRed(failed, 'failed')
      expect(await pageOf(failed)).toContain('<code>RuntimeError: no data</code>')
    }),
  ),
)

test.concurrent('without the input nothing is read, and there is no page', () =>
  withServer({}, (scene) =>
    withTemp(async (folder) => {
      const { visualizations: _, ...inputs } = EVALUATION
      const result = await scene.step(inputs, { env: { RUNNER_TEMP: folder } })
      expectGreen(result, 'completed')
      expect(result.outputs['report']).toBeUndefined()
      expect(await readdir(folder)).toEqual([])
      expect(scene.requests('GET', /\/artifact_versions\//)).toEqual([])
    }),
  ),
)

test.concurrent.each([
  [true, { repository: { private: false, visibility: 'public' } }],
  [false, { repository: { private: true, visibility: 'private' } }],
  [false, {}],
])('a notice says once that everybody can read it: %s where the event is %j', (isTold, event) =>
  withServer({}, async (scene) => {
    const result = await scene.step(EVALUATION, { event })
    const notices = annotations('notice', result).filter((line) => line.includes('everybody can read'))
    expect(notices).toHaveLength(isTold ? 1 : 0)
  }),
)

test.concurrent('a folder that cannot be written to is a warning, and the step ends as the run did', () =>
  withServer({}, async (scene) => {
    const RUNNER_TEMP = path.join(import.meta.dirname, 'no-such-folder')
    const result = await scene.step(EVALUATION, { env: { RUNNER_TEMP } })
    expect(result).toMatchObject({ exitCode: 0, outputs: { conclusion: 'completed' } })
    expect(result.outputs['report']).toBeUndefined()
    expect(annotations('warning', result)).toEqual([
      expect.stringMatching(/^The report page could not be written to .*: the folder of RUNNER_TEMP must/),
    ])
    expect(result.summary).toContain('Only in ZenML: `evaluate.page` (HTML page)')

    const expected = { ...EVALUATION, expect: 'train.accuracy >= 0.95' }
    const missed = await scene.step(expected, { env: { RUNNER_TEMP } })
    expect(expectRed(missed, 'expectation-missed')).toContain('expected train.accuracy >= 0.95, got 0.9')
    expect(missed.outputs['report']).toBeUndefined()
    expect(annotations('warning', missed)).toHaveLength(1)
    expect(missed.summary).toContain('| ❌ `train.accuracy >= 0.95` | `0.9` |')
  }),
)

test('a key or token in what an artifact shows is covered, also within a picture', () =>
  withTemp(async (folder) => {
    const server = await startSimulator({ clock: realClock(20) })
    const secrets = (): string[] => [server.apiKey, ...server.issuedTokens]
    const between = await startTampering(server.url, (route) =>
      route === 'visualization'
        ? { kind: 'json', change: (real) => holding(real, secrets().join('\n')) }
        : undefined,
    )
    try {
      const inputs = { ...EVALUATION, 'server-url': between.url, 'api-key': server.apiKey }
      const result = await runAction({ inputs, env: { RUNNER_TEMP: folder } })
      expectGreen(result, 'completed')
      expectNoSecret(result, secrets())
      const page = await pageOf(result)
      const pictures = elementsOf(page).flatMap(({ attributes }) => attributes.get('src') ?? [])
      const shown = [page, ...pictures.map((source) => atob(source.split(',')[1] ?? ''))]
      for (const text of shown) expect(shownStretches(text, secrets())).toEqual([])
      expect(unescapedHtml(page)).toContain('<p>before ***')
      expect(shown[1]).toMatch(/^<svg><text>before \*\*\*/)
    } finally {
      await Promise.all([between.close(), server.close()])
    }
  }))

/** The same kind of visualization, with a text in it. */
function holding(real: unknown, text: string): unknown {
  const { type } = real as { readonly type: string }
  const values: Readonly<Record<string, string>> = {
    markdown: `before ${text} after\n\n\`${text}\`\n\n| a |\n| --- |\n| ${text.replaceAll('\n', ' ')} |`,
    csv: `name\n"${text}"`,
    html: `<p>before ${text} after</p>`,
    image: Buffer.from(`<svg><text>before ${text} after</text></svg>`).toString('base64'),
  }
  return { type, value: values[type] ?? text }
}

onUnix('a cancellation while they are read ends the step at once; the run stays as it was judged', () =>
  withServer(
    { faults: [{ on: 'visualization', occurrence: 'always', do: { kind: 'hang' } }] },
    async (scene) => {
      const inputs = { ...EVALUATION, 'server-url': scene.server.url, 'api-key': scene.server.apiKey }
      const running = await startAction({ inputs })
      while (scene.requests('GET', /\/visualize$/).length === 0) {
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      const cancelledAt = performance.now()
      running.signal('SIGINT')
      const result = await running.done
      expect(performance.now() - cancelledAt).toBeLessThan(3_000)
      expect(result).toMatchObject({ exitCode: 0, outputs: { conclusion: 'completed', status: 'completed' } })
      expect(result.stdout).toContain('Not shown: the visualizations: the workflow was cancelled')
    },
  ),
)
