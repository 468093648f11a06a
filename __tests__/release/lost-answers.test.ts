import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { GithubAnswer } from '../../simulator/github/answers.ts'
import type { GithubInterference, GithubRequest } from '../../simulator/github/server.ts'
import { makeReady, makeScene, REPOSITORY, type Ready, type Scene } from './scene.ts'

let ready: Ready
let scenes: Scene[] = []

/** A new GitHub, which ends with the test. */
async function scene(): Promise<Scene> {
  const made = await makeScene(ready)
  scenes.push(made)
  return made
}

beforeAll(() => {
  ready = makeReady()
})

afterEach(async () => {
  await Promise.all(scenes.map((each) => each.close()))
  scenes = []
})

afterAll(() => ready.remove())

/** What the scripts do, and what a person does in between. */
async function release(scene: Scene): Promise<void> {
  await scene.draft()
  await scene.publish()
  await scene.check()
  await scene.move()
}

/** All that anybody can see afterwards. */
function outcome({ server, commitOf }: Pick<Scene, 'server' | 'commitOf'>): unknown {
  return {
    releases: server.releases.map(({ tag_name: tag, draft, immutable, body, assets }) => ({
      tag,
      draft,
      immutable,
      body,
      assets: assets.map(({ name, content, state }) => [name, content.length, state]),
    })),
    tags: ['v1', 'v1.0.0'].map((tag) => commitOf(`refs/tags/${tag}`)),
  }
}

/** The requests of the scripts, in order; not those of the person. */
function ofScripts({ server }: Scene): GithubRequest[] {
  return server.requests.filter(({ headers }) => headers.authorization !== 'Bearer person')
}

/** What the scripts ask for in a calm release; each of these goes wrong once. */
const CALLS = [
  'GET /git/ref/heads/main',
  'GET /releases?per_page=100',
  'GET /git/ref/tags/v1.0.0',
  'POST /releases',
  'POST /uploads/zenml-run-action-1.0.0.tar',
  'POST /uploads/sbom.cdx.json',
  'POST /uploads/SHA256SUMS',
  'GET /releases/N',
  'GET /releases/tags/v1.0.0',
  'GET /git/ref/tags/v1.0.0',
  'GET /releases/assets/N',
  'GET /releases/assets/N',
  'GET /releases/assets/N',
  'GET /git/matching-refs/tags/v1',
  'POST /git/refs',
  'GET /git/ref/tags/v1',
]

const FAULTS: readonly (readonly [string, GithubInterference])[] = [
  ['done, and its answer lost', 'lost'],
  ['cut', 'cut'],
]

function callOf({ method, path }: Pick<GithubRequest, 'method' | 'path'>): string {
  const asked = path
    .replace(`/repos/${REPOSITORY}`, '')
    .replace(/^\/uploads\/releases\/\d+\/assets\?name=/, '/uploads/')
  return `${method} ${asked.replace(/(?<=\/)\d+$/, 'N')}`
}

test('a calm release asks for these things, one after the other', async () => {
  const calm = await scene()
  await release(calm)
  expect(ofScripts(calm).map(callOf)).toEqual(CALLS)
})

describe.each(FAULTS)('a release in which one request is %s ends like any other:', (_, fault) => {
  let expected: unknown

  beforeAll(async () => {
    const calm = await makeScene(ready)
    await release(calm)
    expected = outcome(calm)
    await calm.close()
  })

  test.each(CALLS.map((call, index) => [index + 1, call] as const))('%d, %s', async (number, call) => {
    const github = await scene()
    let count = 0
    let hit = ''
    github.server.interfere((request) => {
      // Publishing is a person's.
      if (request.method === 'PATCH' && request.path.includes('/releases/')) return undefined
      count += 1
      if (count !== number) return undefined
      hit = callOf(request)
      return fault
    })
    await release(github)
    expect(hit).toBe(call)
    expect(outcome(github)).toEqual(expected)
    expect(github.said.join('\n')).toContain('Trying again in')
  })
})

describe('a release in which one request', () => {
  test.each([502, 429])('is answered with %d goes on', async (status) => {
    const github = await scene()
    const answer = new GithubAnswer(status, '{"message":"later"}')
    let count = 0
    github.server.interfere(({ method }) => (method === 'POST' && (count += 1) === 1 ? answer : undefined))
    await github.draft()
    expect(github.said[0]).toMatch(`with ${status}: later Trying again in 2 s.`)
  })

  test('is never answered fails in the end, and the next try goes on from there', async () => {
    const github = await scene()
    github.server.interfere(({ path }) => (path.includes('sbom') ? 'lost' : undefined))
    await expect(github.draft()).resolves.toBeDefined()
    github.server.interfere(({ path }) => (path.includes('/releases/') ? 'cut' : undefined))
    await expect(github.draft()).rejects.toThrow('GitHub did not answer')
    github.server.interfere(undefined)
    await github.draft()
    expect(github.server.releases).toHaveLength(1)
  })
})
