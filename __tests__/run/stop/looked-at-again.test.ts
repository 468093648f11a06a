import { afterEach, expect, test } from '@jest/globals'
import type { PipelineSpec } from '../../../simulator/index.ts'
import { Deadline } from '../../../src/base/deadline.ts'
import { ChildRuns } from '../../../src/run/stop/child-runs.ts'
import { leftClause } from '../../../src/run/stop/stop-result.ts'
import { stopOrKeep } from '../../../src/run/stop/stop-or-keep.ts'
import { closeScenes, openScene, until, type Scene } from '../scene.ts'

afterEach(closeScenes)

const target = { kind: 'template', reference: 'parent-template' } as const

const taking = (seconds: number): Pick<PipelineSpec, 'sequential' | 'steps' | 'dynamic'> => ({
  sequential: true,
  steps: [],
  dynamic: { parameters: {}, expand: () => [{ name: 'only', seconds }] },
})

const stopsOf = (scene: Scene, index: number) =>
  scene.sent(new RegExp(`^POST .*/runs/${scene.server.runs[index]!.id}/stop\\?`))

function endFirst(scene: Scene): ReturnType<typeof stopOrKeep> {
  const run = { ...scene.started[0]!, status: 'running' }
  const deadline = new Deadline(scene.clock, 120_000)
  const { client, clock } = scene
  return stopOrKeep({ run, mode: 'stop', reason: 'r', deadline }, { client, clock })
}

test('a child run that appears only after the others were stopped is stopped, too', async () => {
  const scene = await openScene({
    pipelines: [
      { name: 'parent', ...taking(1) },
      { name: 'other', steps: [{ name: 'only', seconds: 7_200 }] },
    ],
    orchestrator: 'kubernetes',
  })
  await scene.execute({ target, wait: false })
  const other = { kind: 'template', reference: 'other-template' } as const
  for (let count = 0; count < 2; count += 1) await scene.execute({ target: other, wait: false })
  await scene.clock.sleep(20_000)
  const [parent, first, second] = scene.server.runs.map(({ id }) => id)
  scene.server.setStatus(parent!, 'failed')
  const graph = (id: string) => ({
    kind: 'answer' as const,
    status: 200,
    body: JSON.stringify({
      id: parent,
      status: 'failed',
      nodes: [{ node_id: 'child_run/a', type: 'child_run', id, name: 'a', metadata: { status: 'running' } }],
      edges: [],
    }),
  })
  scene.server.addFault({ on: 'dag', do: graph(first!) })
  const ending = endFirst(scene)
  await until(() => stopsOf(scene, 1).length > 0)
  // Whoever is not the parent takes that for no answer, and does without.
  scene.server.addFault({ on: 'dag', occurrence: { from: 1, to: 12 }, do: graph(second!) })
  expect(await ending).toMatchObject({ settled: true, status: 'failed' })
  expect(scene.server.runs.map(({ status }) => status)).toEqual(['failed', 'stopped', 'stopped'])
})

test('a child run that has begun by the first look is asked again, though nobody saw it stopping', async () => {
  const child: PipelineSpec = { name: 'child', startupSeconds: 20, ...taking(7_200) }
  const parent: PipelineSpec = {
    name: 'parent',
    steps: [],
    dynamic: { parameters: {}, expand: () => [] },
    child,
  }
  const scene = await openScene({ pipelines: [parent], orchestrator: 'kubernetes' })
  await scene.execute({ target, wait: false })
  await scene.clock.sleep(10_000)
  const { id } = scene.server.runs[1]!
  const body = JSON.stringify({ id, body: { status: 'running', in_progress: true } })
  // The first look is at the parent, the next one at the child run.
  scene.server.addFault({ on: 'run', occurrence: 2, do: { kind: 'answer', status: 200, body } })
  expect(await endFirst(scene)).toMatchObject({ settled: true, status: 'stopped' })
  const sent = scene.sent(new RegExp(`/runs/${id}(/stop)?\\?`)).map((line) => line.split(' ')[0])
  expect(sent.slice(0, 3)).toEqual(['POST', 'GET', 'POST'])
})

test("a child run's name stays on one line, and is cut", async () => {
  const childRuns = new ChildRuns(
    new Set(),
    () => Promise.resolve({ kind: 'asked', status: 'stopping' }),
    () => Promise.resolve({ steps: [], childRuns: [] }),
  )
  await childRuns.stop([{ id: 'c-1', name: `evil\n::error::${'x'.repeat(5_000)}`, status: 'running' }])
  const together = await childRuns.together({ kind: 'ended', status: 'stopped', byItself: false })
  expect(together).toMatchObject({ kind: 'left-over', status: 'stopped' })
  const left = together.kind === 'left-over' ? leftClause(together.left) : ''
  expect(left).toMatch(/^the child run "evil.*" \(c-1\) had not ended in time \(last status: stopping\)$/)
  expect(left.length).toBeLessThan(200)
})
