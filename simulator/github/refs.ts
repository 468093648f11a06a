import { spawnSync } from 'node:child_process'
import { z } from 'zod'
import { GithubAnswer, notFound, refusal, refused } from './answers.ts'

const DOCUMENTATION = 'https://docs.github.com/rest/git/refs'

const TAGS = 'refs/tags/'

const NewRef = z.object({ ref: z.string().startsWith('refs/'), sha: z.string() })
const ChangedRef = z.object({ sha: z.string(), force: z.boolean().default(false) })

/** What a token may do to code. */
export interface CodeRights {
  readonly rights: 'write' | 'read' | 'none'
  readonly kind?: 'integration' | 'personal'
  /** Whether it may change workflow files, or lead a tag past such a change. Never so for a workflow's own token. */
  readonly workflows?: boolean
}

/** The branches and tags of a repository: those of a bare clone on this disk, so that git sees the same. */
export class RefStore {
  readonly #git: string
  /** Tags of immutable releases: never to be moved or made again, whatever became of the release. */
  readonly #locked = new Set<string>()
  /** Those of them whose release was deleted, so that the tag may be, too. */
  readonly #abandoned = new Set<string>()

  constructor(git: string) {
    this.#git = git
  }

  lock(tag: string): void {
    this.#locked.add(tag)
  }

  /** The release of the tag is gone. */
  abandon(tag: string): void {
    this.#abandoned.add(tag)
  }

  isLocked(tag: string): boolean {
    return this.#locked.has(tag)
  }

  /** The commit of `refs/…`; undefined if there is no such ref. */
  commitOf(ref: string): string | undefined {
    return this.#run('rev-parse', '--verify', '--quiet', `${ref}^{commit}`)
  }

  hasCommit(sha: string): boolean {
    return this.#run('cat-file', '-e', `${sha}^{commit}`) !== undefined
  }

  /** Whether a branch or tag leads to exactly this commit. */
  isNamed(sha: string): boolean {
    return (this.#run('for-each-ref', '--points-at', sha, '--format=%(refname)') ?? '') !== ''
  }

  set(ref: string, sha: string): void {
    this.#run('update-ref', ref, sha)
  }

  /** `path` as in `/git/ref/tags/v1`; undefined for a call that is not about refs. */
  answer(method: string, path: string, json: string, rights: CodeRights): GithubAnswer | undefined {
    const one = /^\/git\/ref\/(.+)$/.exec(path)?.[1]
    if (method === 'GET' && one !== undefined) return this.#one(`refs/${one}`)
    const prefix = /^\/git\/matching-refs\/(.+)$/.exec(path)?.[1]
    if (method === 'GET' && prefix !== undefined) return this.#matching(`refs/${prefix}`)
    if (method === 'POST' && path === '/git/refs') return this.#create(json)
    const changed = /^\/git\/refs\/(.+)$/.exec(path)?.[1]
    if (changed === undefined) return undefined
    if (method === 'PATCH') return this.#update(`refs/${changed}`, json, rights)
    return method === 'DELETE' ? this.#delete(`refs/${changed}`) : undefined
  }

  #one(ref: string): GithubAnswer {
    const sha = this.commitOf(ref)
    return sha === undefined ? notFound() : GithubAnswer.json(200, shown(ref, sha))
  }

  #matching(prefix: string): GithubAnswer {
    const refs = (this.#run('for-each-ref', '--format=%(refname)') ?? '').split('\n')
    const found = refs.filter((ref) => ref.startsWith(prefix))
    return GithubAnswer.json(
      200,
      found.map((ref) => shown(ref, this.commitOf(ref) ?? '')),
    )
  }

  #create(json: string): GithubAnswer {
    const { ref, sha } = NewRef.parse(JSON.parse(json))
    if (this.#isLockedRef(ref)) return ruleViolation('Cannot create ref due to creations being restricted.')
    if (this.commitOf(ref) !== undefined) return invalid('Reference already exists')
    if (!this.hasCommit(sha)) return invalid('Object does not exist')
    this.set(ref, sha)
    return GithubAnswer.json(201, shown(ref, sha))
  }

  #update(ref: string, json: string, rights: CodeRights): GithubAnswer {
    const { sha, force } = ChangedRef.parse(JSON.parse(json))
    const before = this.commitOf(ref)
    if (this.#isLockedRef(ref)) return ruleViolation('Cannot update this protected ref.')
    if (before === undefined) return invalid('Reference does not exist')
    if (!this.hasCommit(sha)) return invalid('Object does not exist')
    if (!force && this.#run('merge-base', '--is-ancestor', before, sha) === undefined) {
      return invalid('Update is not a fast forward')
    }
    if (rights.workflows !== true && rights.kind !== 'personal' && this.#differInWorkflows(before, sha)) {
      return refused(rights, 'update-a-reference')
    }
    this.set(ref, sha)
    return GithubAnswer.json(200, shown(ref, sha))
  }

  #delete(ref: string): GithubAnswer {
    if (this.#isLockedRef(ref) && !this.#abandoned.has(tagOf(ref))) {
      return ruleViolation('Cannot delete this protected ref.')
    }
    if (this.commitOf(ref) === undefined) return invalid('Reference does not exist')
    this.#run('update-ref', '-d', ref)
    return new GithubAnswer(204, '')
  }

  #isLockedRef(ref: string): boolean {
    return ref.startsWith(TAGS) && this.isLocked(tagOf(ref))
  }

  #differInWorkflows(from: string, to: string): boolean {
    return this.#run('diff', '--quiet', from, to, '--', '.github/workflows') === undefined
  }

  /** What git prints; undefined if it fails. */
  #run(...args: readonly string[]): string | undefined {
    const { status, stdout } = spawnSync('git', args, { cwd: this.#git, encoding: 'utf8' })
    return status === 0 ? stdout.trim() : undefined
  }
}

function tagOf(ref: string): string {
  return ref.slice(TAGS.length)
}

function shown(ref: string, sha: string) {
  return { ref, node_id: `REF_${ref}`, object: { type: 'commit', sha } }
}

function invalid(message: string): GithubAnswer {
  return refusal(422, message, DOCUMENTATION)
}

function ruleViolation(reason: string): GithubAnswer {
  return refusal(422, `Repository rule violations found\n\n${reason}\n\n`, DOCUMENTATION)
}
