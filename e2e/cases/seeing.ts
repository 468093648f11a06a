import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expectStep, quick, type Case, type Scene } from '../scene.ts'
import { isAtLeast } from '../target.ts'

const MESSAGE = 'loss is NaN in epoch 3'
const FRAME = /e2e_pipelines\.py, line \d+, in train/
const CODE = 'raise RuntimeError(fail)'

/** 0.84 neither notes what class was raised nor prints it. */
function raised({ server: { target } }: Scene): string {
  const isUnnamed = isAtLeast(target, '0.84') && !isAtLeast(target, '0.85')
  return isUnnamed ? MESSAGE : `RuntimeError: ${MESSAGE}`
}

/** The second step fails: 0.98 notes the exception, from 0.85 and 0.74 it comes out of the log. */
async function whyItFailed(scene: Scene): Promise<void> {
  const result = await scene.action({
    template: 'training-template',
    configuration: quick({ fail: MESSAGE }),
  })
  await scene.onlyRun(result)
  expectStep(result, {
    exitCode: 1,
    outputs: {
      conclusion: 'failed',
      'failed-step': 'train',
      error: new RegExp(`in the step "train": ${raised(scene)} \\(.*${FRAME.source}\\)`),
    },
    log: [FRAME, CODE, raised(scene)],
  })
  const annotations = result.stdout.match(/^::error .*$/gm) ?? []
  const own = annotations.filter((line) => line.includes(MESSAGE))
  assert.equal(own.length, 1, `annotations that name the exception:\n${annotations.join('\n')}`)
  assert.match(own[0] ?? '', /^::error title=Step train failed/)
  assert.match(own[0] ?? '', FRAME)
  assert.ok(own[0]?.includes(CODE), `the annotation lacks the user's line: ${own[0]}`)
  expectTexts(result.summary, [raised(scene), FRAME, CODE])
  const steps: unknown = JSON.parse(result.outputs['steps'] ?? '')
  assert.ok(Array.isArray(steps))
  const train = steps.find((step: unknown) => isNamed(step, 'train'))
  assert.ok(isNamed(train, 'train') && train.status === 'failed', result.outputs['steps'])
}

function isNamed(step: unknown, name: string): step is { name: string; status: unknown } {
  return typeof step === 'object' && step !== null && 'name' in step && 'status' in step && step.name === name
}

/** With `log-tail: 0` the exception is still there, even where it has to come out of the log. */
async function withoutLog(scene: Scene): Promise<void> {
  const result = await scene.action({
    template: 'training-template',
    configuration: quick({ fail: MESSAGE, seconds: 1 }),
    'log-tail': '0',
  })
  expectStep(result, { exitCode: 1, log: [raised(scene)] })
  assert.doesNotMatch(result.stdout, /training, 1\.0 s left/)
}

/** What it made, and where it came from: in the outputs, and on the run in ZenML. */
async function whatItMade(scene: Scene): Promise<void> {
  const result = await scene.action({
    template: 'training-template',
    configuration: quick({ accuracy: 0.75 }),
    expect: 'train.accuracy == 0.75',
  })
  const run = await scene.onlyRun(result)
  expectStep(result, {
    exitCode: 0,
    outputs: {
      conclusion: 'completed',
      metadata: /"accuracy":0\.75/,
      artifacts: /"output":"accuracy"/,
      'failed-step': '',
    },
  })
  assert.doesNotMatch(result.outputs['metadata'] ?? '', /github/)
  assert.doesNotMatch(result.stdout, /^::warning/m)
  assert.deepEqual(await scene.view.metadata(run.id, 'github_actions'), {
    repository: 'octo-org/example',
    commit: '0123456789abcdef0123456789abcdef01234567',
    event: 'push',
    branch: 'main',
    actor: 'octocat',
    workflow: 'train',
    workflow_run: 'https://github.com/octo-org/example/actions/runs/100200300',
    conclusion: 'completed',
  })
}

/** What the artifacts show: in the summary, and all of it on the report page. */
async function whatArtifactsShow(scene: Scene): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'runner-temp-'))
  try {
    const result = await scene.action(
      {
        template: 'evaluation-template',
        configuration: quick({ accuracy: 0.75 }),
        expect: 'evaluate.confusion.right == 75',
        visualizations: 'true',
      },
      { env: { RUNNER_TEMP: folder } },
    )
    const run = await scene.onlyRun(result)
    const file = path.join(folder, `zenml-report-${run.id}.html`)
    expectStep(result, { exitCode: 0, outputs: { conclusion: 'completed', report: file } })
    assert.doesNotMatch(result.stdout, /^::warning|^Not shown/m)
    expectTexts(result.summary, [
      '| metric | value |\n| --- | --- |\n| accuracy | 0.75 |',
      '| actual | cat | dog |\n| --- | --- | --- |\n| cat | 75 | 25 |',
      '`evaluate.page` (HTML page), `evaluate.plot` (image)',
    ])
    expectTexts(await readFile(file, 'utf8'), [
      "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'",
      '<tr><td>accuracy</td><td>0.75</td></tr>',
      '<tr><td>cat</td><td>75</td><td>25</td></tr>',
      /<iframe sandbox="" [^>]* srcdoc="[^"]*&#60;h1&#62;Evaluation&#60;\/h1&#62;/,
      '<img alt="evaluate.plot" src="data:image/png;base64,iVBOR',
    ])
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function expectTexts(whole: string, parts: readonly (string | RegExp)[]): void {
  for (const part of parts) {
    const holds = typeof part === 'string' ? whole.includes(part) : part.test(whole)
    assert.ok(holds, `${String(part)} is not there:\n${whole}`)
  }
}

/** A step that is tried again and fails for good is one fault. */
async function retried(scene: Scene): Promise<void> {
  const retry = { max_retries: 1, delay: 0, backoff: 1 }
  const parameters = { seconds: 0.1, fail: MESSAGE }
  const result = await scene.action({
    template: 'training-template',
    configuration: JSON.stringify({ steps: { train: { parameters, retry } } }),
  })
  await scene.onlyRun(result)
  expectStep(result, {
    exitCode: 1,
    outputs: { conclusion: 'failed', 'failed-step': 'train' },
    log: [`RuntimeError: ${MESSAGE}`],
  })
}

export const SEEING: readonly Case[] = [
  { name: 'seeing why a run failed', core: true, runs: 1, run: whyItFailed },
  { name: 'seeing why a run failed, without its log', runs: 1, run: withoutLog },
  { name: 'seeing what a run made, and ZenML where it came from', core: true, runs: 1, run: whatItMade },
  { name: 'seeing what artifacts show', core: true, runs: 1, run: whatArtifactsShow },
  { name: 'seeing a step that was tried again', runs: 1, run: retried },
]
