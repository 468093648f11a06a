import { expect, test } from '@jest/globals'
import {
  VirtualClock,
  startPro,
  startSimulator,
  training,
  wide,
  type Simulator,
  type SimulatorOptions,
} from '../../simulator/index.ts'
import { Client, closeAfterTest } from './client.ts'

const clock = new VirtualClock()

async function start(options: SimulatorOptions): Promise<{ simulator: Simulator; client: Client }> {
  const simulator = await startSimulator({ clock, ...options })
  closeAfterTest(simulator)
  return { simulator, client: await Client.login(simulator) }
}

const namesOf = (body: unknown) => (body as { items: { name: string }[] }).items.map(({ name }) => name)

test('each project has its own pipelines, also of one name', async () => {
  const { simulator, client } = await start({
    pipelines: [training, { ...training, project: 'ml' }, { ...wide, project: 'ml' }],
    projects: ['empty'],
  })
  expect(namesOf((await client.get('/projects')).body)).toEqual(['default', 'ml', 'empty'])
  expect(namesOf((await client.get('/pipelines')).body)).toEqual(['training'])
  expect(namesOf((await client.get('/pipelines?project=ml')).body)).toEqual(['training', 'wide'])
  expect(namesOf((await client.get('/pipelines?project=empty')).body)).toEqual([])

  const { templates, project, projects } = simulator.seeded
  expect(project).toBe(projects['default'])
  expect(templates['training-template']).toBe(templates['default/training-template'])
  expect(templates['ml/training-template']).not.toBe(templates['default/training-template'])
})

test('two runs have one name in two projects, not in one', async () => {
  const { simulator, client } = await start({ pipelines: [training, { ...training, project: 'ml' }] })
  const trigger = async (name: string) => {
    const id = simulator.seeded.templates[name] ?? ''
    return (await client.post(`/run_templates/${id}/runs`, { run_name: 'nightly' })).status
  }
  expect(await trigger('default/training-template')).toBe(200)
  expect(await trigger('ml/training-template')).toBe(200)
  expect(await trigger('ml/training-template')).toBe(409)
})

test('all pipelines can be in one project, and Pro has no other', async () => {
  const pro = await startPro({ clock })
  closeAfterTest(pro)
  const { simulator } = await start({ pro, project: 'ml' })
  expect(Object.keys(simulator.seeded.projects)).toEqual(['ml'])
  const openSource = await start({ project: 'ml' })
  expect(Object.keys(openSource.simulator.seeded.projects)).toEqual(['default', 'ml'])
})

test('a person can have a default project, which changes no list', async () => {
  const { simulator, client } = await start({
    pipelines: [training, { ...wide, project: 'ml' }],
    defaultProject: 'ml',
  })
  expect((await client.get('/current-user')).body).toMatchObject({
    body: { default_project_id: simulator.seeded.projects['ml'], is_service_account: false },
  })
  expect(namesOf((await client.get('/pipelines')).body)).toEqual(['training'])
})
