import { createHash } from 'node:crypto'
import { z } from 'zod'
import { GithubAnswer, notFound, refusal, refused } from './answers.ts'
import type { CodeRights, RefStore } from './refs.ts'

const DOCUMENTATION = 'https://docs.github.com/rest/releases'

const NewRelease = z.object({
  tag_name: z.string(),
  target_commitish: z.string(),
  name: z.string().default(''),
  body: z.string().default(''),
  draft: z.boolean().default(false),
  prerelease: z.boolean().default(false),
})
const ChangedRelease = z.object({
  tag_name: z.string().optional(),
  name: z.string().optional(),
  body: z.string().optional(),
  draft: z.boolean().optional(),
  prerelease: z.boolean().optional(),
})

interface Asset {
  readonly id: number
  readonly name: string
  readonly content: Buffer
  /** `starter` is what remains of an upload that broke off. */
  readonly state: 'uploaded' | 'starter'
}

interface Release extends z.infer<typeof NewRelease> {
  readonly id: number
  readonly assets: Asset[]
  /** Published while the repository has immutable releases. */
  immutable: boolean
}

/** The releases of a repository, with GitHub's rules of immutable ones. */
export class ReleaseStore {
  readonly #refs: RefStore
  readonly #immutable: boolean
  readonly #apiUrl: () => string
  #releases: Release[] = []
  #nextId = 1

  /** @param immutable whether the repository has the setting "release immutability" */
  constructor(refs: RefStore, immutable: boolean, apiUrl: () => string) {
    this.#refs = refs
    this.#immutable = immutable
    this.#apiUrl = apiUrl
  }

  get all(): readonly Release[] {
    return this.#releases
  }

  /** `path` as in `/releases/1`; undefined for a call that is not about releases. */
  answer(method: string, path: string, body: Buffer, rights: CodeRights): GithubAnswer | undefined {
    const call = `${method} ${path}`
    if (call === 'GET /releases') {
      const seen = this.#releases.filter(({ draft }) => !draft || rights.rights === 'write')
      return GithubAnswer.json(
        200,
        [...seen].reverse().map((each) => this.#shown(each)),
      )
    }
    if (call === 'POST /releases') return this.#create(body.toString('utf8'), rights)
    const tag = /^GET \/releases\/tags\/(.+)$/.exec(call)?.[1]
    if (tag !== undefined)
      return this.#found(this.#releases.find((each) => !each.draft && each.tag_name === tag))
    const asset = /^(GET|DELETE) \/releases\/assets\/(\d+)$/.exec(call)
    if (asset !== null) return this.#ofAsset(asset[1] === 'GET', Number(asset[2]))
    const release = /^(GET|PATCH|DELETE) \/releases\/(\d+)$/.exec(call)
    return release === null
      ? undefined
      : this.#ofRelease(release[1] ?? '', Number(release[2]), body.toString('utf8'))
  }

  /** @param isBroken the connection is cut while the file is on its way */
  upload(id: number, name: string, content: Buffer, isBroken = false): GithubAnswer {
    const release = this.#releases.find((each) => each.id === id)
    if (release === undefined) return notFound()
    if (release.immutable) return invalid('Cannot upload assets to an immutable release.')
    if (release.assets.some((each) => each.name === name)) {
      return invalid('Validation Failed', { resource: 'ReleaseAsset', code: 'already_exists', field: 'name' })
    }
    const state = isBroken ? 'starter' : 'uploaded'
    const asset: Asset = { id: this.#id(), name, content: isBroken ? Buffer.alloc(0) : content, state }
    release.assets.push(asset)
    return GithubAnswer.json(201, this.#shownAsset(asset))
  }

  #create(json: string, rights: CodeRights): GithubAnswer {
    const wanted = NewRelease.parse(JSON.parse(json))
    if (this.#refs.isLocked(wanted.tag_name)) return tagUsed()
    if (this.#releases.some((each) => !each.draft && each.tag_name === wanted.tag_name)) {
      return invalid('Validation Failed', { resource: 'Release', code: 'already_exists', field: 'tag_name' })
    }
    if (!this.#refs.hasCommit(wanted.target_commitish)) {
      return invalid('Validation Failed', { resource: 'Release', code: 'invalid', field: 'target_commitish' })
    }
    // A commit that no branch leads to may bring workflows that nobody has looked at.
    if (
      rights.workflows !== true &&
      rights.kind !== 'personal' &&
      !this.#refs.isNamed(wanted.target_commitish)
    ) {
      return refused(rights, 'create-a-release')
    }
    const release: Release = { ...wanted, draft: true, id: this.#id(), assets: [], immutable: false }
    this.#releases.push(release)
    if (!wanted.draft) this.#publish(release)
    return GithubAnswer.json(201, this.#shown(release))
  }

  #ofRelease(method: string, id: number, json: string): GithubAnswer {
    const release = this.#releases.find((each) => each.id === id)
    if (release === undefined) return notFound()
    if (method === 'GET') return GithubAnswer.json(200, this.#shown(release))
    if (method === 'DELETE') {
      this.#releases = this.#releases.filter((each) => each !== release)
      if (release.immutable) this.#refs.abandon(release.tag_name)
      return new GithubAnswer(204, '')
    }
    const { name, body, draft, prerelease, tag_name: tag } = ChangedRelease.parse(JSON.parse(json))
    if (release.immutable && ((tag ?? release.tag_name) !== release.tag_name || draft === true)) {
      return invalid('Validation Failed', { resource: 'Release', code: 'custom', message: 'immutable' })
    }
    if (draft === false && release.draft && this.#refs.isLocked(release.tag_name)) return tagUsed()
    release.name = name ?? release.name
    release.body = body ?? release.body
    release.prerelease = prerelease ?? release.prerelease
    if (draft === false && release.draft) this.#publish(release)
    return GithubAnswer.json(200, this.#shown(release))
  }

  #publish(release: Release): void {
    const ref = `refs/tags/${release.tag_name}`
    if (this.#refs.commitOf(ref) === undefined) this.#refs.set(ref, release.target_commitish)
    release.draft = false
    release.immutable = this.#immutable
    if (this.#immutable) this.#refs.lock(release.tag_name)
  }

  #ofAsset(isRead: boolean, id: number): GithubAnswer {
    const release = this.#releases.find(({ assets }) => assets.some((each) => each.id === id))
    const asset = release?.assets.find((each) => each.id === id)
    if (release === undefined || asset === undefined) return notFound()
    if (isRead) return GithubAnswer.bytes(asset.content)
    if (release.immutable) return invalid('Cannot delete assets of an immutable release.')
    release.assets.splice(release.assets.indexOf(asset), 1)
    return new GithubAnswer(204, '')
  }

  #found(release: Release | undefined): GithubAnswer {
    return release === undefined ? notFound() : GithubAnswer.json(200, this.#shown(release))
  }

  #id(): number {
    this.#nextId += 1
    return this.#nextId
  }

  #shown({ assets, ...release }: Release) {
    return {
      ...release,
      html_url: `https://github.com/example/releases/${release.draft ? `untagged-${release.id}` : release.tag_name}`,
      upload_url: `${this.#apiUrl()}/uploads/releases/${release.id}/assets{?name,label}`,
      assets: assets.map((asset) => this.#shownAsset(asset)),
    }
  }

  #shownAsset({ id, name, content, state }: Asset) {
    const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`
    return { id, name, state, size: content.length, digest: state === 'uploaded' ? digest : null }
  }
}

function invalid(message: string, ...errors: readonly object[]): GithubAnswer {
  const { body, headers } = refusal(422, message, DOCUMENTATION)
  return errors.length === 0
    ? new GithubAnswer(422, body, headers)
    : GithubAnswer.json(422, { ...JSON.parse(String(body)), errors }, headers)
}

function tagUsed(): GithubAnswer {
  const message = 'tag_name was used by an immutable release'
  return invalid('Validation Failed', { resource: 'Release', code: 'custom', field: 'tag_name', message })
}
