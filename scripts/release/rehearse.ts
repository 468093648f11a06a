import { spawnSync } from 'node:child_process'
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { startGithub, type GithubSimulator } from '../../simulator/github/server.ts'
import { changelogVersions, hasUnreleased } from './changelog.ts'
import { checkPublished } from './check.ts'
import { makeDraft, refuseOtherPackage, releaseNotes } from './draft.ts'
import { git, gitLines } from './git.ts'
import { Github, GithubRefusal, untilAnswered } from './github.ts'
import { moveMajor } from './major.ts'
import { pack } from './pack.ts'
import { prepare, releasedBefore } from './prepare.ts'
import { readProject } from './project.ts'
import { releaseFaults, remoteFaults } from './verify.ts'
import { formatVersion, highest, isCandidate, nextVersion, type Version } from './version.ts'

/** Who does what: the rights are those that the workflows give. */
export const ACCOUNTS = {
  'token-of-workflow': { login: 'github-actions[bot]', rights: 'write' },
  'token-of-app': { login: 'release-app[bot]', rights: 'write', workflows: true },
  'token-of-person': { login: 'octocat', rights: 'write', kind: 'personal' },
} as const

/** Before what a person or GitHub would do. */
const PLAYED = '(played)'

type Token = keyof typeof ACCOUNTS

export interface RehearsalOptions {
  /** The repository whose HEAD is released; it is only read. */
  readonly source: string
  /** An empty folder for everything. */
  readonly folder: string
  /** Releases, one after the other, as for `prepare`. The last two have to be of the same major version. */
  readonly releases: readonly string[]
  readonly say: (line: string) => void
  /** For tests: makes the GitHub that is played another one. */
  readonly spoil?: (server: GithubSimulator) => void
}

/**
 * Plays releases from the first commit to the roll back, with a bare clone as origin and a server in this process as
 * GitHub. Throws at the first thing that is not as it has to be. Gives the tags that were made or moved, as name →
 * commit.
 */
export async function rehearse(options: RehearsalOptions): Promise<ReadonlyMap<string, string>> {
  const { source, folder, releases, say } = options
  const origin = path.join(folder, 'origin.git')
  git(folder, 'clone', '--quiet', '--bare', source, origin)
  git(origin, 'update-ref', 'refs/heads/main', git(source, 'rev-parse', 'HEAD'))
  git(origin, 'symbolic-ref', 'HEAD', 'refs/heads/main')
  if (git(source, 'status', '--porcelain') !== '') say('Changes that are not committed are left out.')
  const repository = readProject(source).repository
  const before = tagsOf(origin)
  const server = await startGithub({ accounts: ACCOUNTS, repository, git: origin })
  options.spoil?.(server)
  try {
    const rehearsal = new Rehearsal(server, origin, options)
    say(
      `Each number is a step of RELEASING.md. ${PLAYED}: what a person or GitHub would do. Nothing leaves this machine.`,
    )
    const versions: Version[] = []
    for (const wanted of releases) versions.push(await rehearsal.release(wanted))
    await rehearsal.rollBack(versions)
    say('Everything worked.')
    return new Map([...tagsOf(origin)].filter(([tag, commit]) => before.get(tag) !== commit))
  } finally {
    await server.close()
  }
}

/** As name → commit. */
function tagsOf(origin: string): Map<string, string> {
  const lines = gitLines(origin, 'tag', '--list', '--format=%(refname:short) %(objectname)')
  return new Map(lines.map((line) => line.split(' ') as [string, string]))
}

export class Rehearsal {
  readonly #server: GithubSimulator
  readonly #origin: string
  readonly #options: RehearsalOptions
  #clones = 0

  constructor(server: GithubSimulator, origin: string, options: RehearsalOptions) {
    this.#server = server
    this.#origin = origin
    this.#options = options
  }

  /** One release, from the changelog to `v1`. */
  async release(wanted: string): Promise<Version> {
    const { say } = this.#options
    const work = this.#clone('prepares')
    if (hasNothingNew(work, wanted)) this.#somethingNew(work)
    const version = prepare(work, wanted, { date: '2026-01-31', say: () => undefined })
    const tag = `v${formatVersion(version)}`
    say(`== ${tag} ==`)
    say(`1 prepare  release/${tag}: ${git(work, 'diff', '--shortstat', 'HEAD^').trim()}`)
    this.#merge(work, `release/${tag}`)
    say(`2 merge    ${PLAYED} main is at the release, and CI passed`)

    const checkout = this.#clone('verifies')
    const commit = git(checkout, 'rev-parse', 'HEAD')
    await this.#verify(checkout, version)
    say(`3 verify   found nothing that prevents the release of ${commit.slice(0, 12)}`)
    this.#rebuild(checkout)
    say('3 rebuild  in another folder: dist/ is the same')
    const assets = pack(checkout)
    refuseOtherPackage(work, commit, assets)
    say(
      `3 pack     ${[...assets].map(([name, { length }]) => `${name} (${length})`).join(', ')}; two clones give the same files`,
    )

    const github = this.#as('token-of-workflow')
    const notes = releaseNotes(checkout, commit, github.repository, version)
    const draft = { version, commit, branch: 'main', notes, assets, say: () => undefined }
    const made = await this.#answered(() => makeDraft(github, draft))
    await this.#changesNothing('a second draft', () => makeDraft(github, draft))
    expectThat((await github.release(tag)) === undefined, `nobody sees the draft of ${tag}`)
    expectThat(
      (await github.commitOf(`tags/${tag}`)) === undefined,
      `there is no tag ${tag} before it is published`,
    )
    say('3 draft    all files attached; there is no tag, and nobody sees it; a second time changes nothing')

    await this.#publish(made.id)
    await this.#isLocked(tag, made.id)
    say(
      `4 publish  ${PLAYED} a person did; the tag ${tag} is there, and cannot be moved, deleted or made again`,
    )
    await this.#follow(version)
    return version
  }

  /** What happens after a release is published. */
  async #follow(version: Version): Promise<void> {
    const { say } = this.#options
    const checkout = this.#clone('checks')
    const github = this.#as('token-of-workflow')
    // The archive names its commit: files that are those of the tag are those of the commit that was verified.
    await this.#answered(() => checkPublished(github, checkout, version, () => undefined))
    say('5 check    locked; the files are what the tag gives')
    const lines: string[] = []
    const move = { version, allowOlder: false, say: (line: string) => lines.push(line) }
    await this.#answered(() => moveMajor(this.#as('token-of-app'), move))
    say(`5 move     ${lines.join(' At GitHub: ')}`)
    await this.#changesNothing('the same again', async () => {
      await checkPublished(github, checkout, version, () => undefined)
      await moveMajor(this.#as('token-of-app'), { ...move, say: () => undefined })
    })
    say('5 again    checked and moved a second time: nothing changes')
  }

  /** `v1` back to the release before, and forth again. */
  async rollBack(versions: readonly Version[]): Promise<void> {
    const { say } = this.#options
    const [before, last] = versions.slice(-2)
    if (before === undefined || last === undefined) return
    say(`== roll back to v${formatVersion(before)} ==`)
    const major = `v${last.major}`
    const app = this.#as('token-of-app')
    const back = { version: before, allowOlder: true, say: () => undefined }
    await isRefused(() => moveMajor(app, { ...back, allowOlder: false }), 'an older version by mistake')
    say('  refused  without allow-older')
    await this.#answered(() => moveMajor(app, back))
    const [now, wanted] = [
      await app.commitOf(`tags/${major}`),
      await app.commitOf(`tags/v${formatVersion(before)}`),
    ]
    expectThat(now === wanted, `${major} points to v${formatVersion(before)}`)
    say(`  move     ${major} is back; both releases stay`)
    await this.#changesNothing('a second roll back', () => moveMajor(app, back))
    say('  again    a second time: nothing changes')
  }

  /** A clone of origin at main, with what a build needs. */
  #clone(purpose: string): string {
    this.#clones += 1
    const clone = path.join(this.#options.folder, `${this.#clones}-${purpose}`)
    git(this.#options.folder, 'clone', '--quiet', this.#origin, clone)
    for (const [name, value] of Object.entries({
      'user.name': 'octocat',
      'user.email': 'octocat@example.invalid',
    })) {
      git(clone, 'config', name, value)
    }
    git(clone, 'config', 'commit.gpgSign', 'false')
    const modules = path.join(this.#options.source, 'node_modules')
    if (existsSync(modules)) {
      linkFiles(modules, path.join(clone, 'node_modules'))
    }
    return clone
  }

  /** A fix with a word about it, so that there is something to release. */
  #somethingNew(work: string): void {
    const file = path.join(work, 'CHANGELOG.md')
    const text = readFileSync(file, 'utf8')
    writeFileSync(
      file,
      text.replace('## [Unreleased]\n', '## [Unreleased]\n\n### Fixed\n\n- A slip, for the rehearsal.\n'),
    )
    // A workflow changes too: then only a token with that right can move v1 past it.
    const workflows = path.join(work, '.github/workflows/ci.yml')
    if (existsSync(workflows)) appendFileSync(workflows, '# For the rehearsal.\n')
    git(work, 'commit', '--quiet', '--all', '--message', 'A fix')
    git(work, 'push', '--quiet', 'origin', 'main')
  }

  /** As GitHub squashes a pull request. */
  #merge(work: string, branch: string): void {
    git(work, 'switch', '--quiet', 'main')
    git(work, 'merge', '--quiet', '--squash', branch)
    git(work, 'commit', '--quiet', '--message', `Release ${branch.replace('release/', '')} (#1)`)
    git(work, 'push', '--quiet', 'origin', 'main')
    this.#server.ran({ head_sha: git(work, 'rev-parse', 'HEAD'), conclusion: 'success' })
  }

  async #verify(checkout: string, version: Version): Promise<void> {
    const github = this.#as('token-of-workflow')
    const faults = [
      ...releaseFaults(checkout, version, github.repository),
      ...(await this.#answered(() => remoteFaults(github, checkout, version, 'main'))),
    ]
    expectThat(
      faults.length === 0,
      `verify finds nothing that prevents the release, but it found:\n${faults.join('\n')}`,
    )
  }

  #rebuild(checkout: string): void {
    const { status } = spawnSync('npm', ['run', '--silent', 'build'], {
      cwd: checkout,
      stdio: ['ignore', 'ignore', 'inherit'],
      shell: process.platform === 'win32',
    })
    expectThat(status === 0, 'the release can be built')
    const changed = git(checkout, 'status', '--porcelain')
    expectThat(changed === '', `dist/ is what src/ builds, but:\n${changed}`)
  }

  /** What a person does on the release's page. */
  async #publish(id: number): Promise<void> {
    const answer = await this.#send('PATCH', `/releases/${id}`, { draft: false })
    expectThat(answer === 200, 'a person can publish the draft')
  }

  async #isLocked(tag: string, id: number): Promise<void> {
    const sha = git(this.#origin, 'rev-parse', 'refs/heads/main^')
    const tries = [
      ['move the tag', 'PATCH', `/git/refs/tags/${tag}`, { sha, force: true }],
      ['delete the tag', 'DELETE', `/git/refs/tags/${tag}`, {}],
      ['make it a draft again', 'PATCH', `/releases/${id}`, { draft: true }],
      ['release it again', 'POST', '/releases', { tag_name: tag, target_commitish: sha }],
    ] as const
    for (const [what, method, call, body] of tries) {
      expectThat((await this.#send(method, call, body)) === 422, `nobody can ${what}`)
    }
  }

  async #send(method: string, call: string, body: object): Promise<number> {
    const { repository } = this.#as('token-of-person')
    const { status } = await fetch(`${this.#server.apiUrl}/repos/${repository}${call}`, {
      method,
      // A connection that waits for the next request may be gone by then.
      headers: { authorization: 'Bearer token-of-person', connection: 'close' },
      body: JSON.stringify(body),
    })
    return status
  }

  /** Does the work once more, and sees that nothing is written. */
  async #changesNothing(what: string, work: () => Promise<unknown>): Promise<void> {
    const before = this.#server.requests.length
    await work()
    const written = this.#server.requests.slice(before).filter(({ method }) => method !== 'GET')
    expectThat(written.length === 0, `${what} changes nothing`)
  }

  #as(token: Token): Github {
    const { repository } = readProject(this.#options.source)
    return new Github({ apiUrl: this.#server.apiUrl, token, repository })
  }

  async #answered<Result>(work: () => Promise<Result>): Promise<Result> {
    return untilAnswered(work, this.#options.say, () => Promise.resolve())
  }
}

/**
 * A copy of a folder that takes no room. Not a link to the folder: the bundler names modules by where they really are, so
 * the bundle would be another one.
 */
function linkFiles(from: string, to: string): void {
  mkdirSync(to)
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [path.join(from, entry.name), path.join(to, entry.name)]
    if (entry.isDirectory()) linkFiles(source, target)
    else if (entry.isSymbolicLink()) symlinkSync(readlinkSync(source), target)
    else linkFile(source, target)
  }
}

function linkFile(source: string, target: string): void {
  try {
    linkSync(source, target)
  } catch {
    // On another disk.
    copyFileSync(source, target)
  }
}

function hasNothingNew(work: string, wanted: string): boolean {
  const text = readFileSync(path.join(work, 'CHANGELOG.md'), 'utf8')
  const [newest] = changelogVersions(text)
  // A release after its candidates takes in what they had.
  const hasCandidates = newest !== undefined && isCandidate(newest) && !wanted.includes('-')
  return !hasUnreleased(text) && !hasCandidates
}

/** A candidate, its release and a patch that can be made next: of a new major version, which may change anything. */
export function nextReleases(source: string): [string, string, string] {
  const inChangelog = changelogVersions(readFileSync(path.join(source, 'CHANGELOG.md'), 'utf8'))
  const last = highest([...inChangelog, ...releasedBefore(source)])
  const { candidate = 0, ...release } = last?.candidate === undefined ? nextVersion(last, 'major') : last
  return [formatVersion({ ...release, candidate: candidate + 1 }), formatVersion(release), 'patch']
}

async function isRefused(work: () => Promise<unknown>, what: string): Promise<void> {
  const outcome = await work().then(
    () => undefined,
    (error: unknown) => error,
  )
  expectThat(outcome instanceof Error && !(outcome instanceof GithubRefusal), `${what} is refused`)
}

function expectThat(holds: boolean, what: string): void {
  if (!holds) throw new Error(`The rehearsal failed. Expected: ${what}.`)
}
