import assert from 'node:assert/strict'
import { codeBlocks, projectFile } from '../../__tests__/project/markdown.ts'
import { runWorkflow, type WorkflowOptions, type WorkflowResult } from '../act.ts'
import { lastLines } from '../processes.ts'
import type { Case, Scene } from '../scene.ts'
import { since } from '../target.ts'

async function workflow(
  scene: Scene,
  name: string,
  options?: WorkflowOptions,
): Promise<WorkflowResult['results']> {
  const { code, log, results } = await runWorkflow(name, scene.server, options)
  assert.equal(code, 0, `act ended with ${code}\n${lastLines(log, 40)}`)
  assert.ok(!log.includes(scene.server.apiKey), 'the log holds the API key')
  return results
}

async function outputs(scene: Scene): Promise<void> {
  const results = await workflow(scene, 'outputs.yml')
  const [failed, completed] = await scene.newRuns()
  assert.ok(failed !== undefined && completed !== undefined, 'two runs were expected')
  const [id, url, ...end] = results['later-step'] ?? []
  assert.equal(id, completed.id)
  assert.ok(url?.startsWith(scene.server.dashboard) && url.includes(completed.id), `run-url is ${url}`)
  assert.deepEqual(end, ['completed', 'completed'])
  assert.deepEqual(results['failed-step'], ['failure', 'failed'])
  assert.deepEqual(results['later-job'], [completed.id])
  assert.equal(failed.status, 'failed')
}

async function matrix(scene: Scene): Promise<void> {
  const results = await workflow(scene, 'matrix.yml')
  const cells = ['cell-0.7', 'cell-0.8', 'cell-0.9'].map((cell) => results[cell] ?? [])
  const ids = new Set(cells.map(([id]) => id))
  assert.deepEqual(ids, new Set((await scene.newRuns()).map(({ id }) => id)))
  assert.equal(ids.size, 3, `the cells had the runs ${[...ids].join(', ')}`)
  const identities = cells.map(([, name]) => /-([0-9a-f]{8})-[0-9a-f]{12}$/.exec(name ?? '')?.[1])
  assert.equal(new Set(identities).size, 3, `identities: ${identities.join(', ')}`)
  for (const [, , conclusion] of cells) assert.equal(conclusion, 'completed')
}

async function sweep(scene: Scene): Promise<void> {
  const results = await workflow(scene, 'sweep.yml')
  const runs = await scene.newRuns()
  const [outcome, id, ...best] = results['best'] ?? []
  assert.equal(outcome, 'failure')
  assert.deepEqual(best, ['0.9', '0.9'])
  const [first, conclusions, ids, failed] = results['all'] ?? []
  assert.equal(first, id)
  assert.equal(conclusions, 'completed completed failed')
  assert.deepEqual(new Set(ids?.split(' ')), new Set(runs.map((each) => each.id)))
  assert.equal(failed, '1')
  assert.equal(runs.find((each) => each.id === id)?.status, 'completed')
}

/** The recipe of that file name as it stands, with the action of this repository, and times that a test can wait for. */
function recipe(file: string): string {
  const text = codeBlocks(projectFile('docs/recipes.md'), 'yaml').find((each) => each.includes(`/${file}\n`))
  assert.ok(text !== undefined, `docs/recipes.md has no ${file}`)
  return text
    .replaceAll(
      /uses: [\w-]+\/zenml-run-action((?:\/\w+)?)@\S+/g,
      (_, folder: string) => `uses: .${folder || '/'}`,
    )
    .replaceAll('vars.ZENML_SERVER_URL', 'vars.SERVER_URL')
    .replaceAll(/^( +)steps:\n/gm, `$1steps:\n$1  - uses: actions/checkout@v7.0.1\n`)
}

/** Ninety seconds of a run, in steps of thirty. */
async function longerThanSixHours(scene: Scene): Promise<void> {
  const text = recipe('long-training.yml')
    .replace('snapshot: training-production', 'template: training-template')
    .replace(
      'expect: train.accuracy',
      'project: ${{ vars.PROJECT }}\n          configuration: "{steps: {train: {parameters: {seconds: 90}}}}"\n          expect: train.accuracy',
    )
    .replace('timeout: 5h30m', 'timeout: 30s')
    .replace('timeout: 5h30m', 'timeout: 30s')
    .replace('timeout: 5h30m', 'timeout: 3m')
    .replaceAll('run: ${{ needs.first', 'project: ${{ vars.PROJECT }}\n          run: ${{ needs.first')
    .replaceAll(/^( {6})- id: (train|wait)\n/gm, '$1- id: $2\n')
    .replace(
      'run: echo "The run completed, and it is as expected"',
      'run: printf "%s\\n" "$CONCLUSIONS" > "$E2E_RESULTS/deploy"\n        env:\n          CONCLUSIONS: ${{ join(needs.*.outputs.conclusion, \' \') }}',
    )
  const results = await workflow(scene, 'long-training.yml', { text, event: 'workflow_dispatch' })
  const [run, ...others] = await scene.newRuns()
  assert.ok(run !== undefined && others.length === 0, 'one run was expected')
  assert.equal(run.status, 'completed')
  // act gives the jobs in any order.
  assert.deepEqual(results['deploy']?.[0]?.split(' ').sort(), ['completed', 'running', 'running'])
}

/** What the recipe's commands ask GitHub: the list of artifacts, filtered as `gh` does it; another fork has made one, too. */
function asGh(artifact: string): string {
  const ours = { head_repository_id: 1, repository_id: 1 }
  const artifacts = [
    { id: 5, name: artifact, expired: false, workflow_run: ours },
    { id: 6, name: artifact, expired: false, workflow_run: { ...ours, head_repository_id: 2 } },
    { id: 7, name: artifact, expired: true, workflow_run: ours },
    { id: 8, name: 'dist', expired: false, workflow_run: ours },
  ]
  return `gh() { jq -c "\${@: -1}" <<< '${JSON.stringify({ artifacts })}'; }`
}

/** A run of a minute that is started, and checked while it goes on and once it has ended. */
async function noRunnerWaits(scene: Scene): Promise<void> {
  const start = recipe('start-training.yml')
    .replace('on: pull_request', 'on: push')
    .replace(/^ +if: github.event.*\n/m, '')
    .replace('github.event.pull_request.number', 'github.run_attempt')
    .replace('snapshot: training-production', 'template: training-template')
    .replace(
      'wait: false',
      'wait: false\n          project: ${{ vars.PROJECT }}\n          configuration: "{steps: {train: {parameters: {seconds: 60}}}}"',
    )
    // There is nothing here that keeps artifacts.
    .replace(
      /uses: actions\/upload-artifact@\S+\n +with:\n +name: (.*)\n +path.*\n.*\n/,
      'run: echo "$NAME" > "$E2E_RESULTS/artifact"\n        env:\n          NAME: $1\n',
    )
  const artifact = (await workflow(scene, 'start-training.yml', { text: start }))['artifact']?.[0] ?? ''
  assert.match(artifact, /^zenml-\d+-[0-9a-f-]{36}$/)
  const check = recipe('check-training.yml')
    .replace(/( +)runs=\$\(gh/, `$1${asGh(artifact).replaceAll('$', '$$$$')}\n$1runs=$(gh`)
    .replace('comment: true', 'comment: false\n          project: ${{ vars.PROJECT }}')
    .replace('timeout: 20s', 'timeout: 5s')
    .replace(/run: gh api --method DELETE .*/, 'run: echo "$ARTIFACT" > "$E2E_RESULTS/deleted"')
    .replace(/run: echo "The run completed.*/, 'run: echo open > "$E2E_RESULTS/gate"')
  const options = { text: check, event: 'workflow_dispatch' }
  const first = await workflow(scene, 'check-training.yml', options)
  const [run, ...others] = await scene.newRuns()
  assert.ok(run !== undefined && others.length === 0, 'one run was expected')
  assert.deepEqual(first, {}, `nothing was to be done while the run is ${run.status}`)
  const later = { ...options, text: check.replace('timeout: 5s', 'timeout: 3m') }
  assert.deepEqual(await workflow(scene, 'check-training.yml', later), { deleted: ['5'], gate: ['open'] })
}

/** A run that asks a person, whose answer is a job that a reviewer has let begin. */
async function approvedInGithub(scene: Scene): Promise<void> {
  const connection = `server-url: \${{ vars.SERVER_URL }}
          api-key: \${{ secrets.ZENML_API_KEY }}
          project: \${{ vars.PROJECT }}
`
  const text = recipe('deploy-model.yml')
    .replaceAll(/server-url: .*\n +api-key: .*\n/g, () => connection)
    .replace('snapshot: deployment', 'snapshot: approval-template\n          parameters: "patience: 1"')
    // The reviewer approves once the run asks.
    .replace(
      /- uses: \.\/resolve\n/,
      (resolve) =>
        `- uses: ./wait\n        continue-on-error: true\n        with:\n          ${connection}          run: \${{ needs.train.outputs.run-id }}\n          on-paused: fail\n      ${resolve}`,
    )
    .replace(/- uses: \.\/wait\n(?![^]*\.\/resolve)/, '- id: followed\n        uses: ./wait\n')
    .concat(
      '      - run: echo "$CONCLUSION" > "$E2E_RESULTS/conclusion"\n        env:\n          CONCLUSION: ${{ steps.followed.outputs.conclusion }}\n',
    )
  const results = await workflow(scene, 'deploy-model.yml', { text, event: 'workflow_dispatch' })
  assert.deepEqual(results['conclusion'], ['completed'])
  assert.deepEqual(
    (await scene.newRuns()).map(({ status }) => status),
    ['completed'],
  )
}

export const WORKFLOW: readonly Case[] = [
  { name: 'workflow: later steps and jobs use the outputs', where: since('0.98'), runs: 2, run: outputs },
  { name: 'workflow: a matrix of three cells', where: since('0.98'), runs: 3, run: matrix },
  { name: 'workflow: later steps use the runs of a sweep', where: since('0.98'), runs: 3, run: sweep },
  {
    name: 'workflow: the recipe for longer than six hours, one run through three jobs',
    where: since('0.98'),
    runs: 1,
    run: longerThanSixHours,
  },
  {
    name: 'workflow: the recipe without a waiting runner, one run that is started and checked twice',
    where: since('0.98'),
    runs: 1,
    run: noRunnerWaits,
  },
  {
    name: 'workflow: the recipe with an approval, which resolve/ passes on',
    where: since('0.98'),
    runs: 1,
    run: approvedInGithub,
  },
]
