import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { expect, jest, test } from '@jest/globals'
import { z } from 'zod'
import { runAction, startAction, type ActionResult } from '../../e2e/action.ts'
import { withPreload } from '../../e2e/preload.ts'
import type { FaultAction, PipelineSpec } from '../../simulator/index.ts'
import { onPullRequest } from './pull-request.ts'
import { expectGreen, expectRed, logLines, PATIENCE_MS, withServer, type Scene } from './scene.ts'

jest.setTimeout(PATIENCE_MS)

const fails = { type: 'RuntimeError', message: 'no space', traceback: '', userCodeLine: 1 }

/** Its last step fails in the first `until` runs. */
const churn = (until = 1, seconds = 1): PipelineSpec => ({
  name: 'churn',
  sequential: true,
  steps: [
    { name: 'load', seconds: 1 },
    { name: 'train', seconds: 1, upstream: ['load'], metadata: { accuracy: 0.9 } },
    { name: 'publish', seconds, upstream: ['train'], fails, failsUntil: until },
  ],
})

const INPUTS = {
  template: 'churn-template',
  resume: 'replay',
  'poll-interval': '1s',
  expect: 'train.accuracy >= 0.9',
}

type With = Readonly<Record<string, string>>

function attempt(scene: Scene, number: number, inputs: With = {}, env: With = {}): Promise<ActionResult> {
  return scene.step(
    { ...INPUTS, ...inputs },
    { env: { GITHUB_RUN_ID: '4711', GITHUB_RUN_ATTEMPT: String(number), ...env } },
  )
}

const replays = (scene: Scene): number => scene.requests('POST', /\/replay$/).length

const saying = (result: ActionResult): string => logLines(result).join('\n')

test.concurrent('a job that is run again replays the run that failed, and says what it reused', () =>
  withServer({ pipelines: [churn()] }, async (scene) => {
    const first = await attempt(scene, 1)
    expectRed(first, 'failed')
    const second = await attempt(scene, 2)
    expectGreen(second, 'completed')
    const name = first.outputs['run-name'] ?? ''
    expect(saying(second)).toContain(
      `Replaying only the steps that did not complete in the run ${name} of attempt 1, which failed`,
    )
    expect(saying(second)).toContain(`Reused from the run ${name}: load, train`)
    expect(second.summary).toContain(`Reused from the run \`${name}\`: \`load\`, \`train\`.`)
    expect(JSON.parse(second.outputs['metadata'] ?? '')).toMatchObject({
      steps: { train: { accuracy: 0.9 } },
    })
    expect([scene.triggers.length, replays(scene), scene.runs.length]).toEqual([1, 1, 2])
  }),
)

const LOST: readonly FaultAction[] = [
  { kind: 'reset', when: 'after-work' },
  { kind: 'cut' },
  { kind: 'html', status: 502, work: true },
]
test.concurrent.each(LOST.map((fault) => [fault.kind, fault] as const))(
  'when the answer to the replay gets lost (%s) it is found by its name, and no second one is started',
  (_, fault) =>
    withServer({ pipelines: [churn()] }, async (scene) => {
      await attempt(scene, 1)
      scene.server.addFault({ on: 'trigger', do: fault })
      const second = await attempt(scene, 2)
      expectGreen(second, 'completed')
      expect([scene.triggers.length, replays(scene), scene.runs.length]).toEqual([1, 1, 2])
      expect(second.outputs['run-id']).toBe(scene.runs[1]?.id)
      expect(saying(second)).toContain('found by its name')
    }),
)

test.concurrent('the comment on the pull request says what a replay reused', () =>
  onPullRequest({ pipelines: [churn()] }, async (scene, github, step) => {
    const commented = async (number: string): Promise<ActionResult> =>
      scene.step(
        { ...INPUTS, comment: 'true' },
        { ...step, env: { ...step.env, GITHUB_RUN_ID: '4711', GITHUB_RUN_ATTEMPT: number } },
      )
    const first = await commented('1')
    expectGreen(await commented('2'), 'completed')
    const reused = `Reused from the run \`${first.outputs['run-name']}\`: \`load\`, \`train\`.`
    expect(github.comments(7).map(({ body }) => body.includes(reused))).toEqual([true])
  }),
)

test.concurrent(
  'a step that is killed while the server starts the replay: its post step stops the replay',
  () =>
    withServer(
      { pipelines: [churn(1, 36_000)], orchestrator: 'kubernetes', startupSeconds: 200 },
      async (scene) => {
        const [before] = [await attempt(scene, 1, { wait: 'false', expect: '' })]
        scene.server.setStatus(before.outputs['run-id'] ?? '', 'failed')
        scene.server.addFault({ on: 'trigger', do: { kind: 'hang', work: true } })
        const inputs = { 'server-url': scene.server.url, 'api-key': scene.server.apiKey, ...INPUTS }
        const env = { GITHUB_RUN_ID: '4711', GITHUB_RUN_ATTEMPT: '2' }
        const main = await startAction({ inputs, env })
        while (scene.runs.length < 2) await setTimeout(20)
        main.signal('SIGKILL')
        const { state } = await main.done
        const post = await runAction({ entry: 'post', inputs, state, env })
        expect(post.stdout).toContain(scene.runs[1]?.name ?? 'no run')
        expect(scene.runs[1]?.status).toMatch(/^(failed|stopped)$/)
        expect(scene.runs[0]?.status).toBe('failed')
        expect(replays(scene)).toBe(1)
      },
    ),
)

test.concurrent('a dry run of the second attempt starts nothing and says what would be replayed', () =>
  withServer({ pipelines: [churn()] }, async (scene) => {
    const first = await attempt(scene, 1)
    const second = await attempt(scene, 2, { 'dry-run': 'true' })
    expect(second).toMatchObject({ exitCode: 0, outputs: { conclusion: 'dry-run' } })
    const would = `Would replay only the steps that did not complete in the run ${first.outputs['run-name'] ?? ''} of attempt 1, which failed`
    expect(saying(second)).toContain(would)
    expect(second.summary).toContain('Would replay only the steps that did not complete in the run')
    expect(scene.runs).toHaveLength(1)
  }),
)

test.concurrent('on an older server a new run is started, and the log says why', () =>
  withServer({ version: '0.85.0', pipelines: [churn()] }, async (scene) => {
    await attempt(scene, 1)
    const second = await attempt(scene, 2)
    expectGreen(second, 'completed')
    expect(saying(second)).toContain(
      'failed, but resume: replay needs ZenML 0.95 or newer (this server: 0.85.0), so a new run is started',
    )
    expect([scene.triggers.length, replays(scene)]).toEqual([2, 0])
  }),
)

const Loaded = z.array(z.string())

/** Notes at the end which parts of dist were loaded. */
const NOTE = `
const require = process.getBuiltinModule('node:module').createRequire(import.meta.url)
const { writeFileSync } = require('node:fs')
process.on('exit', () => writeFileSync(process.env.LOADED, JSON.stringify(Object.keys(require.cache))))
`

test.concurrent('what replays is loaded where a failed run may be replayed, and nowhere else', () =>
  withServer({ pipelines: [churn()] }, async (scene) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'loaded-'))
    const file = path.join(folder, 'loaded.json')
    const loaded = async (number: number, inputs: With): Promise<boolean[]> => {
      await withPreload(NOTE, async (env) => {
        await attempt(scene, number, inputs, { ...env, LOADED: file })
      })
      const files = Loaded.parse(JSON.parse(await readFile(file, 'utf8')))
      const texts = await Promise.all(files.map((each) => readFile(each, 'utf8')))
      return ['replay needs ZenML', 'reused steps: '].map((words) =>
        texts.some((text) => text.includes(words)),
      )
    }
    try {
      expect(await loaded(1, {})).toEqual([false, false])
      expect(await loaded(2, { resume: 'false', 'step-key': 'other' })).toEqual([false, false])
      expect(await loaded(2, {})).toEqual([true, true])
    } finally {
      await rm(folder, { recursive: true })
    }
  }),
)
