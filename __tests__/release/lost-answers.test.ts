import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { GithubAnswer } from '../../simulator/github/answers.ts'
import type { GithubInterference, GithubRequest } from '../../simulator/github/server.ts'
import { makeReady, makeScene, type Ready, type Scene } from './scene.ts'

let ready: Ready

beforeAll(() => {
  ready = makeReady()
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
    const calm = await makeScene(ready)
    await release(calm)
    const expected = outcome(calm)
    const calls = ofScripts(calm).map(({ method, path }) => `${method} ${path}`)
    await calm.close()
    expect(calls.filter((call) => !call.startsWith('GET'))).toHaveLength(5)

    for (const [index, call] of calls.entries()) {
      const scene = await makeScene(ready)
      let count = 0
      let hit = ''
      scene.server.interfere((request) => {
        // Publishing is a person's.
        if (request.method === 'PATCH' && request.path.includes('/releases/')) return undefined
        count += 1
        if (count !== index + 1) return undefined
        hit = `${request.method} ${request.path}`
        return fault
      })
      await release(scene)
      expect({ call, hit: hit.replace(/\d+/, '') }).toEqual({ call, hit: call.replace(/\d+/, '') })
      expect({ call, outcome: outcome(scene) }).toEqual({ call, outcome: expected })
      expect({ call, said: scene.said.some((line) => line.includes('Once more in')) }).toEqual({
        call,
        said: true,
      })
      await scene.close()
    }
  })

  test.each([502, 429])('is answered with %d goes on', async (status) => {
    const scene = await makeScene(ready)
    const answer = new GithubAnswer(status, '{"message":"later"}')
    let count = 0
    scene.server.interfere(({ method }) => (method === 'POST' && (count += 1) === 1 ? answer : undefined))
    await scene.draft()
    expect(scene.said[0]).toMatch(`with ${status}: later Once more in 2 s.`)
    await scene.close()
  })

  test('is never answered fails in the end, and the next try goes on from there', async () => {
    const scene = await makeScene(ready)
    scene.server.interfere(({ path }) => (path.includes('sbom') ? 'lost' : undefined))
    await expect(scene.draft()).resolves.toBeDefined()
    scene.server.interfere(({ path }) => (path.includes('/releases/') ? 'cut' : undefined))
    await expect(scene.draft()).rejects.toThrow('GitHub did not answer')
    scene.server.interfere(undefined)
    await scene.draft()
    expect(scene.server.releases).toHaveLength(1)
    await scene.close()
  })
})
