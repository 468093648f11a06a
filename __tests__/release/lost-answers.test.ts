import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { GithubAnswer } from '../../simulator/github/answers.ts'
import type { GithubInterference, GithubRequest } from '../../simulator/github/server.ts'
import { makeReady, makeScene, type Ready, type Scene } from './scene.ts'

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

const FAULTS: readonly (readonly [string, GithubInterference])[] = [
  ['is done, and its answer lost', 'lost'],
  ['is cut', 'cut'],
]

describe('a release in which one request', () => {
  test.each(FAULTS)('%s ends like any other, whichever request it is', async (_, fault) => {
    const calm = await scene()
    await release(calm)
    const expected = outcome(calm)
    const calls = ofScripts(calm).map(({ method, path }) => `${method} ${path}`)
    expect(calls.filter((call) => !call.startsWith('GET'))).toHaveLength(5)

    for (const [index, call] of calls.entries()) {
      const github = await scene()
      let count = 0
      let hit = ''
      github.server.interfere((request) => {
        // Publishing is a person's.
        if (request.method === 'PATCH' && request.path.includes('/releases/')) return undefined
        count += 1
        if (count !== index + 1) return undefined
        hit = `${request.method} ${request.path}`
        return fault
      })
      await release(github)
      expect({ call, hit: hit.replace(/\d+/, '') }).toEqual({ call, hit: call.replace(/\d+/, '') })
      expect({ call, outcome: outcome(github) }).toEqual({ call, outcome: expected })
      expect({ call, said: github.said.some((line) => line.includes('Once more in')) }).toEqual({
        call,
        said: true,
      })
    }
  })

  test.each([502, 429])('is answered with %d goes on', async (status) => {
    const github = await scene()
    const answer = new GithubAnswer(status, '{"message":"later"}')
    let count = 0
    github.server.interfere(({ method }) => (method === 'POST' && (count += 1) === 1 ? answer : undefined))
    await github.draft()
    expect(github.said[0]).toMatch(`with ${status}: later Once more in 2 s.`)
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
