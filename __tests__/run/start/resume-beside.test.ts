import { afterEach, expect, test } from '@jest/globals'
import type { FaultAction } from '../../../simulator/index.ts'
import { closeScenes, openScene } from '../scene.ts'

afterEach(closeScenes)

const foundRun = (run: object): FaultAction => ({
  kind: 'answer',
  status: 200,
  body: JSON.stringify({ total: 1, total_pages: 1, items: [run] }),
})

const CHILD = '5e9bca73-528a-42cc-80bc-7356a1d86eb7'

const graphWith = (status: string, type = 'step', id = CHILD) => {
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

test.each([
  ['a step of it runs', graphWith('running', 'step', 'd2f1c8a4-93be-4f07-8f51-0d9b6f0c1e22'), true],
  ['what it called runs', graphWith('running', 'child_run', 'd2f1c8a4-93be-4f07-8f51-0d9b6f0c1e22'), true],
  ['nothing of it runs', graphWith('stopped', 'step', 'd2f1c8a4-93be-4f07-8f51-0d9b6f0c1e22'), false],
] as const)(
  'resume: a new run beside one whose child run was stopped, and %s',
  async (_, below, isBeside) => {
    const scene = await openScene()
    await scene.execute({ wait: false, resume: true })
    const { name, id } = scene.server.runs[0] ?? {}
    const graphs = [
      { id, ...graphWith('stopped', 'child_run') },
      { id: CHILD, ...below },
    ]
    scene.server.addFault({ on: 'runs', do: foundRun({ id, name, body: { status: 'stopped' } }) })
    graphs.forEach((graph, index) => {
      scene.server.addFault({
        on: 'dag',
        occurrence: index + 1,
        do: { kind: 'answer', status: 200, body: JSON.stringify(graph) },
      })
    })
    const requester = { workflowRunId: '4711', attempt: 2, stepIdentity: '0a1b2c3d' }
    await scene.execute({ requester, resume: true, wait: false })
    expect(scene.events.filter(({ kind }) => kind.startsWith('resume'))).toEqual([
      isBeside ? { kind: 'resume-beside', names: [name] } : { kind: 'resume-none' },
    ])
  },
)
