import { afterEach, expect, test } from '@jest/globals'
import { closeScenes, openScene, until, type Scene } from '../scene.ts'

afterEach(closeScenes)

/** Routes that list what is in a project; without one, ZenML Pro refuses and open source looks in "default" alone. */
const LISTS =
  /^\/api\/v1\/(run_templates|pipeline_snapshots|runs|runs\/[^/]+\/steps|steps|run_wait_conditions)$/

/** The lists that were asked for, and the projects that they named. */
function lists({ server }: Scene): { routes: string[]; projects: (string | null)[] } {
  const urls = server.requests
    .filter(({ method }) => method === 'GET')
    .map(({ path }) => new URL(path, 'http://x'))
    .filter(({ pathname }) => LISTS.test(pathname))
  return {
    routes: [...new Set(urls.map(({ pathname }) => pathname.replace('/api/v1', '')))].sort(),
    projects: [...new Set(urls.map(({ searchParams }) => searchParams.get('project')))],
  }
}

/** The first list of a name is sent before the project is known, and counts only where it is that project's. */
const AHEAD = [null]

const EXPECT = [{ name: 'train.accuracy', operator: '>=', wanted: 0.9 }] as const

test.each(['0.85.0', '0.98.0'] as const)(
  'ZenML %s: every list that a run by name needs names the project',
  async (version) => {
    const scene = await openScene({ version })
    const result = await scene.execute({ expectations: EXPECT })
    expect(result.conclusion).toBe('completed')
    const { routes, projects } = lists(scene)
    expect(routes).toEqual(['/run_templates', '/runs', '/steps'])
    expect(projects).toEqual([...AHEAD, scene.server.seeded.project])
  },
)

test('what has an id says itself where it is: nothing is asked before, and all lists are of that project', async () => {
  const scene = await openScene()
  const reference = scene.server.seeded.templates['training-template'] ?? ''
  await scene.execute({ target: { kind: 'template', reference }, expectations: EXPECT })
  expect(scene.sent(/projects/)).toEqual(['GET /api/v1/projects?size=100&sort_by=asc%3Aname&hydrate=false'])
  expect(lists(scene).projects).toEqual([scene.server.seeded.project])
  expect(scene.events).toContainEqual({
    kind: 'project',
    project: expect.objectContaining({ id: scene.server.seeded.project, name: 'default' }),
    source: 'definition',
  })
})

test.each(['id', 'name'] as const)('wait/ by %s asks in the project of the run', async (by) => {
  const scene = await openScene()
  const started = await scene.execute({ wait: false })
  const before = scene.server.requests.length
  const run = scene.server.runs[0]
  await scene.attach((by === 'id' ? started.runId : run?.name) ?? '', { expectations: EXPECT })
  expect(scene.server.requests.length).toBeGreaterThan(before)
  expect(lists(scene).projects).toEqual([...AHEAD, scene.server.seeded.project])
})

test('a run that is in another project than the one that wait/ names is not followed', async () => {
  const scene = await openScene()
  const { runId = '' } = await scene.execute({ wait: false })
  await expect(scene.attach(runId, { project: { nameOrId: 'nope', source: 'project' } })).rejects.toThrow(
    /^project: there is no project "nope"/,
  )
})

test('the question of a pause is read from the graph of this run, which needs no project', async () => {
  const scene = await openScene()
  const done = scene.execute({ onPaused: 'fail' })
  await until(() => (scene.server.runs[0]?.startedSteps.length ?? 0) > 0)
  scene.server.pause(scene.server.runs[0]?.id ?? '', 'Deploy?')
  expect((await done).error).toContain('Deploy?')
  expect(scene.sent(/run_wait_conditions/)).toEqual([])
})
