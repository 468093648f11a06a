import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { git } from '../../scripts/release/git.ts'
import { makeReady, makeScene, REPOSITORY, type Ready, type Scene } from './scene.ts'

/** What GitHub does, so that no script is right only because its GitHub is played. */

const NOWHERE = 'a'.repeat(40)

let ready: Ready
let scene: Scene
/** A commit that no branch or tag leads to. */
let unnamed: string

beforeAll(() => {
  ready = makeReady()
})

afterAll(() => ready.remove())

beforeEach(async () => {
  scene = await makeScene(ready)
  unnamed = git(scene.origin, 'commit-tree', '-m', 'Unnamed', `${ready.commit}^{tree}`)
})

afterEach(() => scene.close())

/** The status, and why. */
async function said(token: string, method: string, call: string, body?: object | string): Promise<unknown[]> {
  const address = call.startsWith('/uploads/') ? call : `/repos/${REPOSITORY}${call}`
  const response = await fetch(`${scene.server.apiUrl}${address}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
    body: body === undefined ? null : JSON.stringify(body),
  })
  const text = await response.text()
  const { message, errors = [] } = JSON.parse(text || '{}') as { message?: string; errors?: object[] }
  return [response.status, message, ...errors]
}

const draftOf = (sha: string, tag = 'v1.0.0'): object => ({
  tag_name: tag,
  target_commitish: sha,
  draft: true,
})

const USED = expect.objectContaining({ message: 'tag_name was used by an immutable release' })

test.each([
  ['a token that nobody has', 'stranger', 401, 'Bad credentials'],
  ['a token without rights', 'outsider', 404, 'Not Found'],
])('%s sees nothing', async (_, token, status, message) => {
  expect(await said(token, 'GET', '/git/ref/heads/main')).toEqual([status, message])
})

describe('a ref', () => {
  test.each([
    ['that is there is not made again', 'POST', '', 'heads/main', 'main', 'Reference already exists'],
    ['is not made of nothing', 'POST', '', 'tags/v1', NOWHERE, 'Object does not exist'],
    ['that is not there is not moved', 'PATCH', '/tags/v1', '', 'main', 'Reference does not exist'],
    ['that is not there is not deleted', 'DELETE', '/tags/v1', '', 'main', 'Reference does not exist'],
    ['is not moved to nothing', 'PATCH', '/heads/main', '', NOWHERE, 'Object does not exist'],
    ['is not moved back without force', 'PATCH', '/heads/main', '', 'main^', 'Update is not a fast forward'],
  ])('%s', async (_, method, call, ref, to, reason) => {
    const sha = to === NOWHERE ? to : git(scene.origin, 'rev-parse', to)
    const body = { ref: `refs/${ref}`, sha }
    expect(await said('app', method, `/git/refs${call}`, body)).toEqual([422, reason])
    expect(scene.commitOf('refs/heads/main')).toBe(ready.commit)
  })
})

describe('a release', () => {
  test('is not made of a commit that is not there', async () => {
    const fault = { resource: 'Release', code: 'invalid', field: 'target_commitish' }
    expect(await said('app', 'POST', '/releases', draftOf(NOWHERE))).toEqual([
      422,
      'Validation Failed',
      fault,
    ])
  })

  test("is not made by a workflow's own token of a commit that no branch or tag leads to", async () => {
    const refusal = [403, 'Resource not accessible by integration']
    expect(await said('workflow', 'POST', '/releases', draftOf(unnamed))).toEqual(refusal)
    expect(await said('workflow', 'POST', '/releases', draftOf(ready.commit))).toEqual([201, undefined])
    expect(await said('app', 'POST', '/releases', draftOf(unnamed))).toEqual([201, undefined])
  })

  test('is made once for each tag, where releases can be changed, too', async () => {
    await scene.close()
    scene = await makeScene(ready, { immutableReleases: false })
    await scene.draft()
    await scene.publish()
    const fault = { resource: 'Release', code: 'already_exists', field: 'tag_name' }
    expect(await said('app', 'POST', '/releases', draftOf(ready.commit))).toEqual([
      422,
      'Validation Failed',
      fault,
    ])
  })

  test('takes each file name once', async () => {
    const { id } = await scene.draft()
    const fault = { resource: 'ReleaseAsset', code: 'already_exists', field: 'name' }
    expect(await said('app', 'POST', `/uploads/releases/${id}/assets?name=SHA256SUMS`, 'evil')).toEqual([
      422,
      'Validation Failed',
      fault,
    ])
  })

  test('shows no digest of a file whose upload was cut', async () => {
    const { id } = await scene.draft({ assets: new Map() })
    scene.server.interfere(() => 'cut')
    await said('app', 'POST', `/uploads/releases/${id}/assets?name=SHA256SUMS`, 'sums').catch(() => undefined)
    scene.server.interfere(undefined)
    const { assets } = await scene.as('app').releaseById(id)
    expect(assets).toEqual([expect.objectContaining({ name: 'SHA256SUMS', state: 'starter', digest: null })])
  })
})

describe('a locked release', () => {
  let id: number

  beforeEach(async () => {
    ;({ id } = await scene.draft())
  })

  async function publish(): Promise<void> {
    expect(await said('person', 'PATCH', `/releases/${id}`, { draft: false })).toEqual([200, undefined])
  }

  test('takes no more files, and keeps its tag', async () => {
    await publish()
    expect(await said('person', 'POST', `/uploads/releases/${id}/assets?name=setup.exe`, 'evil')).toEqual([
      422,
      'Cannot upload assets to an immutable release.',
    ])
    expect(await said('person', 'PATCH', `/releases/${id}`, { tag_name: 'v1.0.1' })).toEqual([
      422,
      'Validation Failed',
      expect.objectContaining({ message: 'immutable' }),
    ])
  })

  test('stays the only one of its tag: another draft of it cannot be published', async () => {
    await said('person', 'POST', '/releases', draftOf(unnamed))
    const other = scene.server.releases.find((each) => each.id !== id)!
    await publish()
    expect(await said('person', 'PATCH', `/releases/${other.id}`, { draft: false })).toEqual([
      422,
      'Validation Failed',
      USED,
    ])
  })

  test('can be deleted, and then its tag; no release and no tag is ever made of that name again', async () => {
    await publish()
    const ref = { ref: 'refs/tags/v1.0.0', sha: ready.commit }
    expect((await said('person', 'DELETE', '/git/refs/tags/v1.0.0'))[0]).toBe(422)
    expect(await said('person', 'DELETE', `/releases/${id}`)).toEqual([204, undefined])
    expect(await said('person', 'DELETE', '/git/refs/tags/v1.0.0')).toEqual([204, undefined])
    expect(await said('person', 'POST', '/git/refs', ref)).toEqual([
      422,
      expect.stringContaining('creations being restricted'),
    ])
    expect(await said('person', 'POST', '/releases', draftOf(ready.commit))).toEqual([
      422,
      'Validation Failed',
      USED,
    ])
  })
})
