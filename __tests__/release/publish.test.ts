import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { refuseOtherPackage, releaseNotes } from '../../scripts/release/draft.ts'
import { git } from '../../scripts/release/git.ts'
import { sha256 } from '../../scripts/release/pack.ts'
import { parseVersion } from '../../scripts/release/version.ts'
import { GithubAnswer, notFound } from '../../simulator/github/answers.ts'
import { digests, makeReady, makeScene, REPOSITORY, type Ready, type Scene } from './scene.ts'

let ready: Ready
let scene: Scene

beforeAll(() => {
  ready = makeReady()
})

afterAll(() => ready.remove())

beforeEach(async () => {
  scene = await makeScene(ready)
})

afterEach(() => scene.close())

function writes(): string[] {
  return scene.server.requests
    .filter(({ method }) => method !== 'GET')
    .map(({ method, path }) => `${method} ${path.replace(/^\/repos\/[\w-]+\/[\w-]+/, '')}`)
}

describe('the draft', () => {
  test('has the files, the words of the changelog, and the line to use it; there is no tag, and nobody sees it', async () => {
    const draft = await scene.draft()
    expect(draft).toMatchObject({
      draft: true,
      prerelease: false,
      tag_name: 'v1.0.0',
      target_commitish: ready.commit,
    })
    const [{ body } = { body: '' }] = scene.server.releases
    expect(body).toContain('### Added\n\n- Everything.\n\n## Use it')
    expect(body).toContain(`- uses: ${REPOSITORY}@${ready.commit} # v1.0.0\n`)
    expect(draft.assets.map(({ name }) => name)).toEqual([...ready.assets.keys()])
    expect(scene.commitOf('refs/tags/v1.0.0')).toBeUndefined()
    expect(await scene.as('reader').releasesAndDrafts('v1.0.0')).toEqual([])
  })

  test('of a candidate is a pre-release', async () => {
    const draft = await scene.draft({ version: parseVersion('1.1.0-rc.1')! })
    expect(draft).toMatchObject({ prerelease: true, tag_name: 'v1.1.0-rc.1' })
  })

  test('is not made when main moved on', async () => {
    const head = scene.mergeMore()
    await expect(scene.draft()).rejects.toThrow(`main is at ${head} by now, not at ${ready.commit}`)
    expect(writes()).toEqual([])
  })

  test('is not made when the version is published, and that one stays as it is', async () => {
    await scene.draft()
    await scene.publish()
    const before = scene.server.releases[0]?.body
    await expect(scene.draft({ notes: 'other' })).rejects.toThrow('v1.0.0 exists already')
    expect(scene.server.releases.map(({ body }) => body)).toEqual([before])
  })

  test('is not made when there is a tag of the version without a release', async () => {
    scene.tagged({ 'v1.0.0': ready.commit })
    await expect(scene.draft()).rejects.toThrow('v1.0.0 exists already')
    expect(writes()).toEqual([])
  })

  test('is not made when the version is published, and its tag is gone', async () => {
    await scene.draft()
    await scene.publish()
    scene.server.interfere(({ path }) => (path.endsWith('/tags/v1.0.0') ? notFound() : undefined))
    await expect(scene.draft()).rejects.toThrow('v1.0.0 exists already')
  })

  test('of another version does not count', async () => {
    const body = { tag_name: 'v0.9.0', target_commitish: scene.mergeMore('other'), draft: true }
    await scene.send('person', 'POST', '/releases', body)
    expect(await scene.draft()).toMatchObject({ tag_name: 'v1.0.0' })
  })

  test.each([
    ['of another commit', 1, 'There is a draft of v1.0.0 for the commit'],
    ['twice', 2, 'There are 2 drafts of v1.0.0'],
  ])('is not made when there is one %s already', async (_, count, reason) => {
    const other = scene.mergeMore('other')
    for (let made = 0; made < count; made += 1) {
      await scene.send('person', 'POST', '/releases', {
        tag_name: 'v1.0.0',
        target_commitish: other,
        draft: true,
      })
    }
    const before = writes()
    await expect(scene.draft()).rejects.toThrow(reason)
    expect(writes()).toEqual(before)
  })

  test('with a file that somebody added is refused', async () => {
    const { upload_url: address } = await scene.draft()
    await fetch(`${address.replace(/\{.*/, '')}?name=setup.exe`, {
      method: 'POST',
      headers: { authorization: 'Bearer person' },
      body: 'evil',
    })
    await expect(scene.draft()).rejects.toThrow('has a file setup.exe, which is not of this release')
  })

  test('with a file that somebody replaced gets the right one again', async () => {
    const draft = await scene.draft()
    const sums = draft.assets.find(({ name }) => name === 'SHA256SUMS')!
    await scene.send('person', 'DELETE', `/releases/assets/${sums.id}`)
    await fetch(`${draft.upload_url.replace(/\{.*/, '')}?name=SHA256SUMS`, {
      method: 'POST',
      headers: { authorization: 'Bearer person' },
      body: 'evil',
    })
    await scene.draft()
    const sent = scene.server.releases[0]!.assets.find(({ name }) => name === 'SHA256SUMS')!
    expect(sent.content.toString()).toBe(ready.assets.get('SHA256SUMS')!.toString())
  })

  test('with a file whose upload was cut off gets the whole file', async () => {
    let cuts = 0
    scene.server.interfere(({ path }) =>
      path.startsWith('/uploads/') && (cuts += 1) === 1 ? 'cut' : undefined,
    )
    await scene.draft()
    const [tar] = [...ready.assets.keys()]
    expect(writes().map((call) => call.replaceAll(/\d+(?=\/|$)/g, 'N'))).toEqual([
      'POST /releases',
      `POST /uploads/releases/N/assets?name=${tar}`,
      'DELETE /releases/assets/N',
      ...[...ready.assets.keys()].map((name) => `POST /uploads/releases/N/assets?name=${name}`),
    ])
    const [{ assets } = { assets: [] }] = scene.server.releases
    expect(assets.map(({ name, state, content }) => [name, state, sha256(content)])).toEqual(
      digests(ready.assets).map(([name, digest]) => [name, 'uploaded', digest]),
    )
  })

  test('is read back: an upload that was promised and did not happen is noticed', async () => {
    scene.server.interfere(({ path }) => (path.includes('sbom') ? GithubAnswer.json(201, {}) : undefined))
    await expect(scene.draft()).rejects.toThrow(
      'The release v1.0.0 is not what was packed: sbom.cdx.json is missing.',
    )
  })

  test.each([
    [
      'a file that somebody added',
      { name: 'setup.exe', digest: 'sha256:a' },
      'setup.exe does not belong to it.',
    ],
    [
      'a file that somebody replaced',
      { name: 'SHA256SUMS', digest: 'sha256:a' },
      'SHA256SUMS is another file.',
    ],
  ])('is read back: %s meanwhile is noticed', async (_, asset, fault) => {
    const draft = await scene.draft()
    const assets = [...draft.assets.filter(({ name }) => name !== asset.name), { id: 99, ...asset }]
    const answer = GithubAnswer.json(200, { ...draft, assets })
    scene.server.interfere(({ path }) => (path.endsWith(`/releases/${draft.id}`) ? answer : undefined))
    await expect(scene.draft()).rejects.toThrow(`not what was packed: ${fault}`)
  })

  test('needs a token that may write', async () => {
    expect(
      await scene.send('reader', 'POST', '/releases', { tag_name: 'v1.0.0', target_commitish: ready.commit }),
    ).toBe(403)
  })
})

describe('what is drafted', () => {
  test('is what the commit gives; signatures may lie beside', () => {
    refuseOtherPackage(ready.repository.root, ready.commit, ready.assets)
    refuseOtherPackage(
      ready.repository.root,
      ready.commit,
      new Map([...ready.assets, ['provenance.intoto.jsonl', Buffer.from('{}')]]),
    )
  })

  test.each(['SHA256SUMS', 'sbom.cdx.json', 'zenml-run-action-1.0.0.tar'])(
    'with another %s, or none, is refused',
    (name) => {
      const other = new Map([...ready.assets, [name, Buffer.from('evil')]])
      expect(() => refuseOtherPackage(ready.repository.root, ready.commit, other)).toThrow(
        `${name} is not what the commit`,
      )
      other.delete(name)
      expect(() => refuseOtherPackage(ready.repository.root, ready.commit, other)).toThrow(
        `${name} is not what the commit`,
      )
    },
  )

  test('with one file more is refused', () => {
    const other = new Map([...ready.assets, ['setup.exe', Buffer.from('evil')]])
    expect(() => refuseOtherPackage(ready.repository.root, ready.commit, other)).toThrow(
      'Not of this release: setup.exe',
    )
  })

  test('without a word in the changelog is refused', () => {
    expect(() =>
      releaseNotes(ready.repository.root, ready.commit, REPOSITORY, parseVersion('1.0.1')!),
    ).toThrow('CHANGELOG.md says nothing about 1.0.1')
  })
})

describe('a published release', () => {
  test('is locked: nobody moves or deletes its tag, adds or removes a file, or uses the version again', async () => {
    const { id, assets } = await scene.draft()
    await scene.publish()
    const other = scene.mergeMore()
    const tries = [
      ['PATCH', '/git/refs/tags/v1.0.0', { sha: other, force: true }],
      ['DELETE', '/git/refs/tags/v1.0.0'],
      ['PATCH', `/releases/${id}`, { draft: true }],
      ['DELETE', `/releases/assets/${assets[0]!.id}`],
      ['POST', '/releases', { tag_name: 'v1.0.0', target_commitish: other }],
    ] as const
    for (const [method, call, body] of tries) {
      expect([method, call, await scene.send('person', method, call, body)]).toEqual([method, call, 422])
    }
    expect(await scene.send('person', 'PATCH', `/releases/${id}`, { body: 'Better words' })).toBe(200)
    expect(await scene.send('person', 'DELETE', `/releases/${id}`)).toBe(204)
    expect(
      await scene.send('person', 'POST', '/releases', { tag_name: 'v1.0.0', target_commitish: other }),
    ).toBe(422)
    expect(scene.commitOf('refs/tags/v1.0.0')).toBe(ready.commit)
  })

  test('is checked: its files are what the tag gives', async () => {
    await scene.draft()
    await scene.publish()
    const { commit, files } = await scene.check()
    expect(commit).toBe(ready.commit)
    expect(digests(files)).toEqual(digests(ready.assets))
  })

  test('that can be changed is refused', async () => {
    await scene.close()
    scene = await makeScene(ready, { immutableReleases: false })
    await scene.draft()
    await scene.publish()
    await expect(scene.check()).rejects.toThrow('The release v1.0.0 can be changed.')
  })

  test('that is not there is refused', async () => {
    await expect(scene.check()).rejects.toThrow('There is no published release v1.0.0.')
  })

  test('that is marked as a pre-release is refused', async () => {
    const { id } = await scene.draft()
    await scene.send('person', 'PATCH', `/releases/${id}`, { prerelease: true })
    await scene.publish()
    await expect(scene.check()).rejects.toThrow('v1.0.0 is marked as a pre-release')
  })

  test('of a candidate that is not marked as a pre-release is refused', async () => {
    const { id } = await scene.draft({ version: parseVersion('1.0.0-rc.1')! })
    await scene.send('person', 'PATCH', `/releases/${id}`, { prerelease: false })
    await scene.publish()
    await expect(scene.check('1.0.0-rc.1')).rejects.toThrow('v1.0.0-rc.1 is not marked as a pre-release')
  })

  test('whose tag is not there is refused', async () => {
    await scene.draft()
    await scene.publish()
    scene.server.interfere(({ path }) => (path.includes('/git/ref/tags/') ? notFound() : undefined))
    await expect(scene.check()).rejects.toThrow('There is no tag v1.0.0.')
  })

  test('whose tag is not in this clone is refused, with the way to get it', async () => {
    await scene.draft()
    await scene.publish()
    git(`${scene.origin}/../clone`, 'tag', '--delete', 'v1.0.0')
    await expect(scene.check()).rejects.toThrow('This clone has no tag v1.0.0: git fetch --tags --force')
  })

  test('whose tag led elsewhere before it was published is refused', async () => {
    await scene.draft()
    scene.tagged({ 'v1.0.0': scene.mergeMore('other') })
    await scene.publish()
    await expect(scene.check()).rejects.toThrow('is not what the commit')
  })

  test('whose tag is another one in this clone is refused', async () => {
    await scene.draft()
    await scene.publish()
    git(`${scene.origin}/../clone`, 'tag', '--force', 'v1.0.0', 'HEAD^')
    await expect(scene.check()).rejects.toThrow(/The tag v1\.0\.0 is \w+ at GitHub, and \w+ in this clone/)
  })

  test('whose file arrives as another one is refused', async () => {
    await scene.draft()
    await scene.publish()
    scene.server.interfere(({ path }) =>
      path.includes('/assets/') ? GithubAnswer.bytes(Buffer.from('evil')) : undefined,
    )
    await expect(scene.check()).rejects.toThrow('what was downloaded is not what GitHub says it is')
  })
})

describe('v1', () => {
  let older: string
  let newer: string

  beforeEach(() => {
    older = ready.commit
    newer = scene.mergeMore('main', '.github/workflows/ci.yml')
    scene.tagged({ 'v1.0.0': older, 'v1.1.0': newer, 'v1.2.0-rc.1': newer, 'v10.0.0': newer })
  })

  test('is made for the first release, and moved for the next one; the undo is told', async () => {
    git(scene.origin, 'update-ref', '-d', 'refs/tags/v1.1.0')
    await scene.move('1.0.0')
    expect(scene.commitOf('refs/tags/v1')).toBe(older)
    scene.tagged({ 'v1.1.0': newer })
    await scene.move('1.1.0')
    expect(scene.commitOf('refs/tags/v1')).toBe(newer)
    expect(scene.said.at(-1)).toBe(
      'To undo it: gh workflow run published.yml -f tag=v1.0.0 -f allow-older=true',
    )
    expect(writes()).toEqual(['POST /git/refs', 'PATCH /git/refs/tags/v1'])
  })

  test('goes back only if that is wanted', async () => {
    await scene.move('1.1.0')
    await expect(scene.move('1.0.0')).rejects.toThrow('v1.1.0 came after v1.0.0.')
    expect(scene.commitOf('refs/tags/v1')).toBe(newer)
    await scene.move('1.0.0', true)
    expect(scene.commitOf('refs/tags/v1')).toBe(older)
    // And forth again.
    expect(scene.said.at(-1)).toBe('To undo it: gh workflow run published.yml -f tag=v1.1.0')
    await scene.move('1.1.0')
    expect(scene.commitOf('refs/tags/v1')).toBe(newer)
  })

  test('stays for a candidate, and is not moved twice', async () => {
    await scene.move('1.1.0')
    await scene.move('1.2.0-rc.1')
    await scene.move('1.1.0')
    expect(writes()).toEqual(['POST /git/refs'])
    expect(scene.said).toContain('v1.2.0-rc.1 is a candidate: v1 stays where it is.')
    expect(scene.said).toContain('v1 points to v1.1.0 already.')
  })

  test('is not led to a version that is not there', async () => {
    await expect(scene.move('1.5.0')).rejects.toThrow('There is no tag v1.5.0.')
    expect(writes()).toEqual([])
  })

  test('is read back: an answer that promises too much is not believed', async () => {
    scene.server.interfere(({ method }) => (method === 'POST' ? GithubAnswer.json(201, {}) : undefined))
    await expect(scene.move('1.1.0')).rejects.toThrow(`v1 points to nothing, and not to v1.1.0`)
  })

  test("cannot be led past a change of workflows by a workflow's own token", async () => {
    await scene.move('1.1.0')
    const body = { sha: older, force: true }
    expect(await scene.send('workflow', 'PATCH', '/git/refs/tags/v1', body)).toBe(403)
    expect(await scene.send('app', 'PATCH', '/git/refs/tags/v1', body)).toBe(200)
  })
})
