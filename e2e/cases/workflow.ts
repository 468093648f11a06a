import assert from 'node:assert/strict'
import { runWorkflow, type WorkflowResult } from '../act.ts'
import { lastLines } from '../processes.ts'
import type { Case, Scene } from '../scene.ts'
import { since } from '../target.ts'

async function workflow(scene: Scene, name: string): Promise<WorkflowResult['results']> {
  const { code, log, results } = await runWorkflow(name, scene.server)
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

export const WORKFLOW: readonly Case[] = [
  { name: 'workflow: later steps and jobs use the outputs', where: since('0.98'), runs: 2, run: outputs },
  { name: 'workflow: a matrix of three cells', where: since('0.98'), runs: 3, run: matrix },
  { name: 'workflow: later steps use the runs of a sweep', where: since('0.98'), runs: 3, run: sweep },
]
