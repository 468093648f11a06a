import { expect, test } from '@jest/globals'
import type { ProjectChoice } from '../../../src/run/facts.ts'
import { findProject } from '../../../src/run/find/project.ts'
import type { Account, Project } from '../../../src/zenml/model.ts'
import { rejection, startScripted, type Reply } from '../../http/scripted-server.ts'
import { openScriptedClient } from '../scripted-client.ts'

const ML: Project = { id: 'a0000000-0000-4000-8000-000000000001', name: 'ml' }
const VISION: Project = { id: 'a0000000-0000-4000-8000-000000000002', name: 'vision' }

const list = (...items: Project[]): Reply => ({ body: { total: items.length, total_pages: 1, items } })
const missing: Reply = { status: 404, body: { detail: ['KeyError', 'no such project'] } }

const LIST = '/projects?size=100&sort_by=asc%3Aname&hydrate=false'

interface Given {
  readonly choice?: ProjectChoice
  readonly defaultProjectId?: string
  readonly hasProjects?: boolean
  readonly projects?: Reply
  /** The answer to any project by name or id. */
  readonly project?: Reply
}

/** Finds a project on a server that answers so; gives what was sent and reported as well. */
async function find({ choice, defaultProjectId, hasProjects = true, projects = list(), project }: Given) {
  const { url, requests } = await startScripted(({ path }) => {
    if (path.startsWith('/api/v1/projects?')) return projects
    return project ?? missing
  })
  const account: Account = { id: 'u', name: 'ci', defaultProjectId }
  const server = {
    version: '0.98.0',
    isPro: true,
    dashboardUrl: undefined,
    proApiUrl: undefined,
    hasProjects,
  }
  const { client, reporter, events } = await openScriptedClient(url)
  const found = findProject({ choice, server, account }, { client, reporter })
  return { found, events, sent: () => requests.map(({ path }) => path.replace('/api/v1', '')) }
}

test.each(['project', 'ZENML_ACTIVE_PROJECT_ID'] as const)(
  'the project that %s names is taken, whatever else there is',
  async (source) => {
    const { found, events, sent } = await find({
      choice: { nameOrId: 'ml', source },
      defaultProjectId: VISION.id,
      project: { body: ML },
    })
    expect(await found).toEqual(ML)
    expect(sent()).toEqual(['/projects/ml'])
    expect(events).toEqual([{ kind: 'project', project: ML, source }])
  },
)

test("without one, it is the account's default project", async () => {
  const { found, events, sent } = await find({ defaultProjectId: VISION.id, projects: list(ML, VISION) })
  expect(await found).toEqual(VISION)
  expect(sent()).toEqual([LIST])
  expect(events).toEqual([{ kind: 'project', project: VISION, source: 'account' }])
})

test("the account's default project is asked for by its id where it is not listed", async () => {
  const { found, sent } = await find({
    defaultProjectId: VISION.id,
    projects: { status: 503 },
    project: { body: VISION },
  })
  expect(await found).toEqual(VISION)
  expect(sent()).toEqual([LIST, `/projects/${VISION.id}`])
})

test('without that, it is the only project that the account sees', async () => {
  const { found, events, sent } = await find({ projects: list(ML) })
  expect(await found).toEqual(ML)
  expect(sent()).toEqual([LIST])
  expect(events).toEqual([{ kind: 'project', project: ML, source: 'only-one' }])
})

test('of two projects none is guessed: one line lists both, and says what to write', async () => {
  const { found, events } = await find({ projects: list(ML, VISION) })
  expect(String(await rejection(found))).toBe(
    'RunError: project: missing, and this account sees 2 projects: "ml", "vision". Write project: ml, or another one of them',
  )
  expect(events).toEqual([])
})

test('of many projects ten are named and the others counted', async () => {
  const many = Array.from({ length: 100 }, (_, n) => ({ id: `p-${n}`, name: `team-${n}` }))
  const { found } = await find({ projects: { body: { total: 340, total_pages: 4, items: many } } })
  expect(String(await rejection(found))).toMatch(
    /sees 340 projects: "team-0", .*"team-9" and 330 more\. Write project: team-0/,
  )
})

test('an account that sees no project is told what it needs', async () => {
  const { found } = await find({})
  expect(String(await rejection(found))).toMatch(
    /^RunError: project: this account sees no project\. Give it permission to read the project/,
  )
})

test('a project that is not there is named with where it was written, and with what there is, nearest first', async () => {
  const { found } = await find({
    choice: { nameOrId: 'visoin', source: 'ZENML_ACTIVE_PROJECT_ID' },
    projects: list(ML, VISION),
  })
  expect(String(await rejection(found))).toBe(
    'RunError: ZENML_ACTIVE_PROJECT_ID: there is no project "visoin" on this server, or the account has no permission to read it; did you mean vision? The account can see: "vision", "ml"',
  )
})

test('that other projects cannot be listed does not hide that the named one is missing', async () => {
  const { found } = await find({
    choice: { nameOrId: 'nope', source: 'project' },
    projects: { status: 403, body: { detail: 'no' } },
  })
  expect(String(await rejection(found))).toMatch(
    /^RunError: project: there is no project "nope" on this server/,
  )
})

test.each([
  missing,
  { status: 403, body: { detail: ['IllegalOperationError', 'Insufficient permissions'] } },
])(
  'a default project that cannot be read (%j) ends the step instead of being passed over',
  async (project) => {
    const { found, sent } = await find({ defaultProjectId: VISION.id, project, projects: list(ML) })
    expect(String(await rejection(found))).toMatch(
      /^RunError: project: the account's default project a0000000-.* cannot be read .*Write project: NAME/,
    )
    expect(sent()).toEqual([LIST, `/projects/${VISION.id}`])
  },
)

test('before 0.80 lists need no project, and none is asked for', async () => {
  const { found, events, sent } = await find({ hasProjects: false })
  expect(await found).toBeUndefined()
  expect([events, sent()]).toEqual([[], []])
})

test('before 0.80 the input is looked up among the workspaces', async () => {
  const choice = { nameOrId: 'default', source: 'project' } as const
  const { found, sent } = await find({ choice, hasProjects: false, project: { body: ML } })
  expect(await found).toEqual(ML)
  expect(sent()).toEqual(['/workspaces/default'])
})
