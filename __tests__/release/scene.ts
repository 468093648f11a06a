import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { checkPublished } from '../../scripts/release/check.ts'
import { makeDraft, releaseNotes } from '../../scripts/release/draft.ts'
import { git } from '../../scripts/release/git.ts'
import { Github, untilAnswered } from '../../scripts/release/github.ts'
import { moveMajor } from '../../scripts/release/major.ts'
import { pack, sha256, type Assets } from '../../scripts/release/pack.ts'
import { parseVersion } from '../../scripts/release/version.ts'
import { startGithub, type GithubSimulator } from '../../simulator/github/server.ts'
import { makeRepository, type Repository } from './repository.ts'

export const REPOSITORY = 'octo-org/zenml-run-action'

const ACCOUNTS = {
  workflow: { login: 'github-actions[bot]', rights: 'write' },
  app: { login: 'release-app[bot]', rights: 'write', workflows: true },
  person: { login: 'octocat', rights: 'write', kind: 'personal' },
  reader: { login: 'github-actions[bot]', rights: 'read' },
  outsider: { login: 'hubot', rights: 'none' },
} as const

/** Names and digests of files: a difference of whole archives would take minutes to print. */
export function digests(files: Assets): [string, string][] {
  return [...files].map(([name, content]) => [name, sha256(content)])
}

/** A repository with 1.0.0 on main, built and ready to be released, and a bare clone of it. */
export interface Ready {
  readonly repository: Repository
  readonly origin: string
  readonly assets: Assets
  readonly commit: string
  remove(): void
}

export function makeReady(): Ready {
  const repository = makeRepository()
  repository.write('.github/workflows/ci.yml', 'name: CI\n')
  repository.write('dist/index.js', 'run()\n')
  repository.write('dist/licenses.txt', 'yaml 2.9.1\n\nISC\n\nCopyright\n')
  for (const file of ['package.json', 'package-lock.json', 'src/http/user-agent.ts']) {
    repository.write(file, repository.read(file).replaceAll('0.1.0', '1.0.0'))
  }
  repository.change('CHANGELOG.md', '## [Unreleased]\n', '## [Unreleased]\n\n## [1.0.0] - 2026-01-31\n')
  const commit = repository.commit('Release v1.0.0')
  const folder = mkdtempSync(path.join(tmpdir(), 'origin-'))
  const origin = path.join(folder, 'origin.git')
  git(folder, 'clone', '--quiet', '--bare', repository.root, origin)
  return {
    repository,
    origin,
    assets: pack(repository.root),
    commit,
    remove: () => {
      repository.remove()
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

/** A GitHub with its own copy of the bare clone, and what a release does there. */
export interface Scene {
  readonly server: GithubSimulator
  readonly origin: string
  readonly said: string[]
  as(token: keyof typeof ACCOUNTS): Github
  draft(changes?: Partial<Parameters<typeof makeDraft>[1]>): ReturnType<typeof makeDraft>
  publish(): Promise<void>
  /** A commit on top of main at GitHub, as if somebody merged something. */
  mergeMore(branch?: string, change?: string): string
  /** Tags that were released some time, of name → commit. */
  tagged(tags: Readonly<Record<string, string>>): void
  check(version?: string): ReturnType<typeof checkPublished>
  move(version?: string, allowOlder?: boolean): Promise<void>
  /** Any request of a token; gives the status. */
  send(token: keyof typeof ACCOUNTS, method: string, call: string, body?: object): Promise<number>
  readonly commitOf: (ref: string) => string | undefined
  close(): Promise<void>
}

export async function makeScene(
  ready: Ready,
  options: { readonly immutableReleases?: boolean } = {},
): Promise<Scene> {
  const { repository, assets, commit } = ready
  const folder = mkdtempSync(path.join(tmpdir(), 'github-'))
  const origin = path.join(folder, 'origin.git')
  cpSync(ready.origin, origin, { recursive: true })
  const server = await startGithub({ accounts: ACCOUNTS, repository: REPOSITORY, git: origin, ...options })
  const said: string[] = []
  const say = (line: string): void => void said.push(line)
  const version = parseVersion('1.0.0')!
  const as = (token: string): Github => new Github({ apiUrl: server.apiUrl, token, repository: REPOSITORY })
  const answered = <Result>(work: () => Promise<Result>): Promise<Result> =>
    untilAnswered(work, say, () => Promise.resolve())
  const send: Scene['send'] = async (token, method, call, body) => {
    const { status } = await fetch(`${server.apiUrl}/repos/${REPOSITORY}${call}`, {
      method,
      headers: { authorization: `Bearer ${token}` },
      body: body === undefined ? null : JSON.stringify(body),
    })
    return status
  }
  const clone = path.join(folder, 'clone')
  return {
    server,
    origin,
    said,
    as,
    draft: (changes) => {
      const notes = releaseNotes(repository.root, commit, REPOSITORY, version)
      const draft = { version, commit, branch: 'main', notes, assets, say, ...changes }
      return answered(() => makeDraft(as('workflow'), draft))
    },
    publish: async () => {
      for (const { id } of server.releases.filter(({ draft }) => draft)) {
        await send('person', 'PATCH', `/releases/${id}`, { draft: false })
      }
      git(folder, 'clone', '--quiet', origin, clone)
    },
    mergeMore: (branch = 'main', change = 'README.md') => {
      repository.git('switch', '--quiet', '--detach', commit)
      repository.write(change, `${Math.random()}\n`)
      const merged = repository.commit('More')
      repository.git('push', '--quiet', origin, `HEAD:refs/heads/${branch}`)
      repository.git('switch', '--quiet', 'main')
      return merged
    },
    tagged: (tags) => {
      for (const [tag, sha] of Object.entries(tags)) git(origin, 'update-ref', `refs/tags/${tag}`, sha)
    },
    check: (wanted = '1.0.0') =>
      answered(() => checkPublished(as('reader'), clone, parseVersion(wanted)!, say)),
    move: (wanted = '1.0.0', allowOlder = false) =>
      answered(() => moveMajor(as('app'), { version: parseVersion(wanted)!, allowOlder, say })),
    send,
    commitOf: (ref) => {
      try {
        return git(origin, 'rev-parse', '--verify', '--quiet', `${ref}^{commit}`)
      } catch {
        return undefined
      }
    },
    close: async () => {
      await server.close()
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}
