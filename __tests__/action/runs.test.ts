import { expect, jest, test } from '@jest/globals'
import { ZENML_VERSIONS, type Simulator, type ZenmlVersion } from '../../simulator/index.ts'
import { annotations, expectGreen, expectRed, logLines, PATIENCE_MS, UUID, withServer } from './scene.ts'

jest.setTimeout(PATIENCE_MS)

/** What a version calls that which is run, which is also the input's name. */
function kindOf(version: ZenmlVersion): 'snapshot' | 'template' {
  return version === '0.98.0' ? 'snapshot' : 'template'
}

function trainingId({ version, seeded }: Simulator): string {
  return seeded[`${kindOf(version)}s`]['training-template']!
}

test.concurrent.each(ZENML_VERSIONS)('ZenML %s: a run that completes makes the step green', (version) =>
  withServer({ version }, async (scene) => {
    const result = await scene.step({
      [kindOf(version)]: 'training-template',
      configuration: 'steps: {train: {parameters: {accuracy: 0.5}}}',
      'poll-interval': '1s',
    })

    expectGreen(result, 'completed')
    const [run] = scene.runs
    const id = trainingId(scene.server)
    expect(result.outputs).toEqual({
      'run-id': run!.id,
      'run-name': run!.name,
      'run-url': expect.stringMatching(new RegExp(`^${scene.server.url}/.*runs/${run!.id}$`)),
      status: 'completed',
      conclusion: 'completed',
      duration: expect.stringMatching(/^\d+$/),
      'template-id': version === '0.98.0' ? '' : id,
      'snapshot-id': version === '0.98.0' ? id : '',
      pipeline: 'training',
      'failed-step': '',
      error: '',
      steps: expect.any(String),
      metadata: expect.any(String),
      artifacts: expect.any(String),
      comparison: '{"baseline":null,"metrics":[]}',
    })
    const { steps, metadata, artifacts } = result.outputs
    expect(JSON.parse(steps!)).toMatchObject(
      ['load', 'train', 'report'].map((name) => ({
        name,
        status: 'completed',
        duration: expect.any(Number),
      })),
    )
    expect(JSON.parse(metadata!)).toMatchObject({ steps: { train: { accuracy: 0.5 } } })
    expect(JSON.parse(artifacts!)).toContainEqual(expect.objectContaining({ step: 'load', output: 'rows' }))
    expect(run!.name).toMatch(/^training-gh100200300-1-[0-9a-f]{8}-[0-9a-f]{12}$/)
    expect(logLines(result).join('\n')).toContain(result.outputs['run-url'])
    expect(result.summary).toContain(result.outputs['run-url'])
  }),
)

test.concurrent.each(['true', 'false'])('note-origin: %s: what the run says of the workflow', (note) =>
  withServer({ startupSeconds: 3600 }, async (scene) => {
    const inputs = { pipeline: 'training', timeout: '1s', 'note-origin': note }
    expectRed(await scene.step(inputs), 'timed-out')
    const notes = [...scene.requests('POST', /run-metadata$/), ...scene.requests('PUT', /\/runs\/[^/]+$/)]
    const links = notes.filter(({ body }) => body.includes('octo-org/example/actions/runs/100200300'))
    expect({ notes: notes.length, links: links.length }).toEqual(
      note === 'true' ? { notes: 2, links: 2 } : { notes: 1, links: 0 },
    )
  }),
)

// 0.74 does not tell whether a failed run is over, so the step waits half a minute more: too long for here.
test.concurrent.each(['0.85.0', '0.98.0'] as const)(
  'ZenML %s: a run that fails fails the step, with its link',
  (version) =>
    withServer({ version }, async (scene) => {
      const result = await scene.step({
        [kindOf(version)]: 'training-template',
        configuration: 'steps: {train: {parameters: {fail: no data}}}',
        'poll-interval': '1s',
      })

      const line = expectRed(result, 'failed')
      expect(line).toContain(`The run "${scene.runs[0]!.name}" failed`)
      expect(line).toContain(result.outputs['run-url'])
      expect(line).toContain('RuntimeError: no data')
      expect(result.outputs).toMatchObject({
        status: 'failed',
        'run-id': scene.runs[0]!.id,
        'failed-step': 'train',
      })
      const [annotation] = annotations('error', result)
      expect(annotation).toMatch(/^train: RuntimeError: no data\nat .*line \d+, in train\n/)
      expect(annotation).toContain(result.outputs['run-url'])
      expect(result.summary).toContain('failed')
    }),
)

test.concurrent.each(ZENML_VERSIONS)(
  'ZenML %s: with wait: false one login and one trigger are sent, and the step ends while the run goes on',
  (version) =>
    withServer({ version }, async (scene) => {
      const result = await scene.step({
        [kindOf(version)]: 'training-template',
        configuration: 'steps: {train: {parameters: {seconds: 3600}}}',
        wait: 'false',
      })

      expectGreen(result, 'started')
      expect(result.outputs['run-id']).toBe(scene.runs[0]!.id)
      expect(scene.requests('GET', /\/runs\/[^/]+$/)).toEqual([])
      expect(scene.runs[0]!.status).toMatch(/initializing|running/)
      expect(scene.requests('POST', /\/login$/)).toHaveLength(1)
      const [trigger, ...others] = scene.triggers
      expect(others).toEqual([])
      expect(trigger!.headers['idempotency-key']).toMatch(UUID)
      const body = JSON.parse(trigger!.body)
      expect((body.run_configuration ?? body).run_name).toBe(scene.runs[0]!.name)
      for (const { headers } of scene.server.requests) {
        expect(headers['user-agent']).toMatch(/^zenml-run-action\/\d+\.\d+\.\d+(?:-rc\.\d+)?$/)
      }
    }),
)

test.concurrent.each(ZENML_VERSIONS)('ZenML %s: the id runs the same as the name', (version) =>
  withServer({ version }, async (scene) => {
    const id = trainingId(scene.server)

    const result = await scene.step({ [kindOf(version)]: id, wait: 'false' })

    expectGreen(result, 'started')
    expect(result.outputs[`${kindOf(version)}-id`]).toBe(id)
    expect(scene.triggers[0]!.path).toContain(id)
  }),
)

test.concurrent.each(ZENML_VERSIONS)('ZenML %s: a pipeline alone runs its newest', (version) =>
  withServer({ version }, async (scene) => {
    const result = await scene.step({ pipeline: 'training', wait: 'false' })

    expectGreen(result, 'started')
    expect(result.outputs[`${kindOf(version)}-id`]).toBe(trainingId(scene.server))
  }),
)

test.concurrent('a branch that goes on after another has failed is waited for', () =>
  withServer({}, async (scene) => {
    const branches = Object.fromEntries(
      Array.from({ length: 10 }, (_, index) => [`train_${index}`, { parameters: { seconds: 2 } }]),
    )
    const steps = { ...branches, train_0: { parameters: { seconds: 0, fail: 'no data' } } }

    const result = await scene.step({
      snapshot: 'wide-template',
      configuration: JSON.stringify({ steps }),
      'poll-interval': '1s',
    })

    expectRed(result, 'failed')
    expect(scene.runs[0]!.busy).toBe(false)
    expect(scene.runs[0]!.startedSteps).toContain('report_9')
  }),
)

test.concurrent('three cells of a matrix start three runs', () =>
  withServer({}, async (scene) => {
    const cells = await Promise.all(
      ['0', '1', '2'].map((index) =>
        scene.step(
          { snapshot: 'training-template', wait: 'false' },
          { contexts: { 'strategy.job-index': index } },
        ),
      ),
    )

    for (const cell of cells) expectGreen(cell, 'started')
    expect(new Set(cells.map(({ outputs }) => outputs['run-id'])).size).toBe(3)
    expect(scene.runs).toHaveLength(3)
  }),
)

test.concurrent('an access token is used as it is, without a login', () =>
  withServer({}, async (scene) => {
    const body = new URLSearchParams({ password: scene.server.apiKey })
    const login = await fetch(`${scene.server.url}/api/v1/login`, { method: 'POST', body })
    const { access_token: token } = JSON.parse(await login.text())

    const result = await scene.step({
      'api-key': '',
      'access-token': token,
      snapshot: 'training-template',
      wait: 'false',
    })

    expectGreen(result, 'started')
    expect(scene.requests('POST', /\/login$/)).toHaveLength(1)
  }),
)
