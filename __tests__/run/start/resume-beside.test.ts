import { afterEach, expect, test } from '@jest/globals'
import type { FaultAction } from '../../../simulator/index.ts'
import { closeScenes, openScene } from '../scene.ts'

afterEach(closeScenes)

const foundRun = (run: object): FaultAction => ({
  kind: 'answer',
  status: 200,
  body: JSON.stringify({ total: 1, total_pages: 1, items: [run] }),
})

const graphWith = (status: string, type = 'step') => {
  const id = '5e9bca73-528a-42cc-80bc-7356a1d86eb7'
  const node = { node_id: `${type}/b`, type, id, name: 'b', metadata: { status } }
  return { status: 'failed', nodes: [node], edges: [] }
}

test.each([
  ['that is being stopped', { status: 'stopping' }, true, undefined, true],
  ['that failed and is in progress', { status: 'failed', in_progress: true }, true, undefined, true],
  ['that failed and is in progress', { status: 'failed', in_progress: true }, 'replay', undefined, true],
  // In the mode stop_on_failure, and before 0.85.
  [
    'that failed, and a step runs',
    { status: 'failed', in_progress: false },
    true,
    graphWith('running'),
    true,
  ],
  ['that failed, and a step runs', { status: 'failed' }, true, graphWith('running'), true],
  ['that failed, and whose steps cannot be read', { status: 'failed' }, true, 'away', true],
  ['that failed', { status: 'failed', in_progress: false }, true, graphWith('completed'), false],
  ['that failed', { status: 'failed', in_progress: false }, 'replay', graphWith('completed'), undefined],
  [
    'that was stopped, and a child run goes on',
    { status: 'stopped' },
    true,
    graphWith('running', 'child_run'),
    true,
  ],
  [
    'that was stopped',
    { status: 'stopped', in_progress: true },
    true,
    graphWith('completed', 'child_run'),
    false,
  ],
] as const)('resume: a new run beside one %s (%j; resume: %j)', async (_, body, resume, dag, isBeside) => {
  const scene = await openScene()
  await scene.execute({ wait: false, resume: true })
  const { name, id } = scene.server.runs[0] ?? {}
  scene.server.addFault({ on: 'runs', do: foundRun({ id, name, body }) })
  const graph: FaultAction =
    dag === 'away'
      ? { kind: 'html', status: 403 }
      : { kind: 'answer', status: 200, body: JSON.stringify({ id, ...dag }) }
  if (dag !== undefined) scene.server.addFault({ on: 'dag', do: graph })
  const requester = { workflowRunId: '4711', attempt: 2, stepIdentity: '0a1b2c3d' }
  await scene.execute({ requester, resume, wait: false })
  expect(scene.server.runs).toHaveLength(2)
  expect(scene.events.filter(({ kind }) => kind.startsWith('resume'))).toEqual([
    ...(isBeside === true ? [{ kind: 'resume-beside', names: [name] }] : []),
    ...(isBeside === false ? [{ kind: 'resume-none' }] : []),
  ])
})

const idOf = (n: number) => `b0000000-0000-4000-8000-${String(n).padStart(12, '0')}`

const child = (status: string, n: number) => ({
  node_id: `child_run/c${n}`,
  type: 'child_run',
  id: idOf(n),
  name: `c${n}`,
  metadata: { status },
})

const graphOf = (id: string | undefined, ...nodes: object[]): FaultAction => ({
  kind: 'answer',
  status: 200,
  body: JSON.stringify({ id, status: 'stopped', nodes, edges: [] }),
})

const step = (status: string) => ({ ...child(status, 99), node_id: 'step/s', type: 'step', name: 's' })

/** A re-run after a run that was stopped; gives what is said of it. */
async function rerun(graphs: (id: string) => FaultAction[]) {
  const scene = await openScene()
  const { runId: id = '' } = await scene.execute({ wait: false, resume: true })
  const name = scene.server.runs[0]?.name
  scene.server.addFault({ on: 'runs', do: foundRun({ id, name, body: { status: 'stopped' } }) })
  graphs(id).forEach((graph, index) => {
    scene.server.addFault({ on: 'dag', occurrence: index + 1, do: graph })
  })
  const requester = { workflowRunId: '4711', attempt: 2, stepIdentity: '0a1b2c3d' }
  await scene.execute({ requester, resume: true, wait: false })
  const told = scene.events.map(({ kind }) => kind).filter((kind) => kind.startsWith('resume'))
  return { told, graphsRead: scene.sent(/\/dag/).length }
}

test.each([
  ['a step of it runs', graphOf(idOf(1), step('running')), 'resume-beside'],
  ['what it called runs', graphOf(idOf(1), child('running', 2)), 'resume-beside'],
  ['what it called is in a state that nobody knows', graphOf(idOf(1), child('dreaming', 2)), 'resume-beside'],
  ['nothing of it runs', graphOf(idOf(1), step('stopped')), 'resume-none'],
  ['it was deleted', { kind: 'answer', status: 404, body: '{"detail":["KeyError","none"]}' }, 'resume-none'],
  ['it cannot be read', { kind: 'html', status: 403 }, 'resume-beside'],
] as const)(
  'resume: a new run beside one whose child run was stopped, and %s',
  async (_, below, expected) => {
    const { told } = await rerun((id) => [graphOf(id, child('stopped', 1)), below])
    expect(told).toEqual([expected])
  },
)

test('resume: nothing below a run is read once a part of it is seen to run', async () => {
  const { told, graphsRead } = await rerun((id) => [graphOf(id, child('stopped', 1), child('running', 2))])
  expect(told).toEqual(['resume-beside'])
  expect(graphsRead).toBe(1)
})

test.each([
  [500, 'resume-none', 501],
  [501, 'resume-beside', 501],
] as const)(
  'resume: of a run with %d child runs that failed it is told: %s',
  async (count, expected, most) => {
    const failed = Array.from({ length: count }, (_, n) => child('failed', n))
    const { told, graphsRead } = await rerun((id) => [graphOf(id, ...failed)])
    expect(told).toEqual([expected])
    expect(graphsRead).toBe(most)
  },
)
