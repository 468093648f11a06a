import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { changelogVersions, hasUnreleased, releaseInChangelog } from './changelog.ts'
import { fileAt, git, gitLines } from './git.ts'
import { interfaceChanges, neededLevel } from './interface.ts'
import { ACTION_FILES } from '../action-files.mjs'
import { pageOf, readProject, writePublished, writeReferences, writeVersion } from './project.ts'
import {
  compareVersions,
  formatVersion,
  highest,
  isBelow,
  isCandidate,
  isNoneOf,
  LEVELS,
  levelBetween,
  nextVersion,
  parseVersion,
  versionOfTag,
  type Version,
} from './version.ts'

export interface PrepareOptions {
  /** As 2026-01-31. */
  readonly date: string
  readonly say: (line: string) => void
}

/**
 * Writes a release into CHANGELOG, version, examples and dist/, and commits that on a branch of its own. Needs neither
 * a network nor a credential. Throws if something is in the way; nothing has changed then.
 *
 * @param wanted major, minor, patch, or a version such as 1.3.0-rc.1
 */
export function prepare(root: string, wanted: string, { date, say }: PrepareOptions): Version {
  const base = refuseWrongPlace(root)
  const earlier = releasedBefore(root)
  const version = chooseVersion(wanted, earlier)
  refuseOtherLine(base, version)
  refuseWrongVersion(root, version, earlier)
  const tag = `v${formatVersion(version)}`
  const branch = `release/${tag}`
  if (gitLines(root, 'branch', '--list', branch).length > 0) {
    throw new Error(
      `There is a branch ${branch} already. To prepare it again, delete it: gh pr close ${branch} --delete-branch, or, if it is merged or there is no pull request: git branch -D ${branch}, and git push origin --delete ${branch} if it is there.`,
    )
  }
  const before = readFileSync(path.join(root, 'CHANGELOG.md'), 'utf8')
  const published = publishedVersions(root)
  const page = pageOf(readProject(root))
  const changelog = releaseInChangelog(before, { version, date, page, published })
  const unpublished = changelogVersions(before)
    .filter(isNoneOf([version, ...published]))
    .map(formatVersion)
  if (unpublished.length > 0) {
    const lacking =
      unpublished.length === 1 ? 'has no tag, so what it says' : 'have no tags, so what they say'
    say(
      `CHANGELOG.md: ${unpublished.join(', ')} ${lacking} becomes a part of ${tag}. If that is wrong: git fetch --tags --force, and begin again.`,
    )
  }
  try {
    writeFileSync(path.join(root, 'CHANGELOG.md'), changelog)
    writeVersion(root, version)
    writePublished(root)
    // Examples never lead to a candidate once there is a release.
    if (!isCandidate(version) || !earlier.some((each) => !isCandidate(each))) writeReferences(root, version)
    say(`Building ${tag} …`)
    build(root)
    git(root, 'switch', '--quiet', '--create', branch)
    git(root, 'add', '--all')
    git(root, 'commit', '--quiet', '--message', `Release ${tag}`)
  } catch (error) {
    // The tree was clean: what is different now is ours.
    git(root, 'reset', '--quiet', '--hard')
    git(root, 'clean', '--quiet', '--force', '-d')
    if (currentBranch(root) === branch) {
      git(root, 'switch', '--quiet', base)
      git(root, 'branch', '--quiet', '-D', branch)
    }
    throw new Error(`${tag} was not prepared, and all files are as they were.`, { cause: error })
  }
  say(`${tag} is committed on the branch ${branch}. Read it (git show), then:`)
  say(`  git push -u origin ${branch}`)
  say(`  gh pr create --base ${base} --title "Release ${tag}" --body "See CHANGELOG.md."`)
  return version
}

/** All versions that this commit is a successor of, as its tags say. */
export function releasedBefore(root: string, commit = 'HEAD'): Version[] {
  return gitLines(root, 'tag', '--merged', commit, '--list', 'v*').flatMap((tag) => versionOfTag(tag) ?? [])
}

/** The same of all branches. */
export function publishedVersions(root: string): Version[] {
  return gitLines(root, 'tag', '--list', 'v*').flatMap((tag) => versionOfTag(tag) ?? [])
}

function currentBranch(root: string): string {
  return git(root, 'branch', '--show-current')
}

/** Gives the branch that the release is for. */
function refuseWrongPlace(root: string): string {
  const branch = currentBranch(root)
  if (branch !== 'main' && !/^release\/v\d+\.\d+\.x$/.test(branch)) {
    throw new Error(
      `This is the branch ${branch || '(none)'}. Releases are made from main, and fixes of older ones from release/v1.2.x.`,
    )
  }
  if (git(root, 'rev-parse', '--is-shallow-repository') === 'true') {
    throw new Error('This clone is shallow, so it may lack tags: git fetch --unshallow --tags')
  }
  const dirty = gitLines(root, 'status', '--porcelain')
  if (dirty.length > 0) {
    throw new Error(
      `There are changes that are not committed:\n${dirty.join('\n')}\nCommit or stash them first.`,
    )
  }
  const [track = ''] = gitLines(root, 'for-each-ref', '--format=%(upstream:track)', `refs/heads/${branch}`)
  if (track.includes('ahead')) {
    throw new Error(
      `${branch} has commits that are not pushed, which would become a part of the release: push them, or move them to another branch.`,
    )
  }
  return branch
}

/** Throws on a branch of fixes, such as release/v1.2.x, for anything but a fix: it would lack what is on main. */
function refuseOtherLine(base: string, version: Version): void {
  const [, line] = /^release\/v(\d+\.\d+)\.x$/.exec(base) ?? []
  if (line === undefined || formatVersion(version).startsWith(`${line}.`)) return
  throw new Error(
    `${formatVersion(version)} cannot be made from ${base}: it has only ${line}.1 and the like.`,
  )
}

function chooseVersion(wanted: string, earlier: readonly Version[]): Version {
  const level = LEVELS.find((each) => each === wanted)
  const version =
    level === undefined
      ? parseVersion(wanted)
      : nextVersion(highest(earlier.filter((each) => !isCandidate(each))), level)
  if (version === undefined) {
    throw new Error(`"${wanted}" is neither major, minor or patch nor a version like 1.3.0 or 1.3.0-rc.1.`)
  }
  return version
}

function refuseWrongVersion(root: string, version: Version, earlier: readonly Version[]): void {
  const text = formatVersion(version)
  const last = highest(earlier)
  if (last !== undefined && compareVersions(version, last) <= 0) {
    throw new Error(`${text} is not above ${formatVersion(last)}, the last version.`)
  }
  if (gitLines(root, 'tag', '--list', `v${text}`).length > 0) {
    throw new Error(`There is a tag v${text} already. A version is never used twice: choose the next one.`)
  }
  const changelog = readFileSync(path.join(root, 'CHANGELOG.md'), 'utf8')
  const inChangelog = changelogVersions(changelog)
  const [newest] = inChangelog
  const major = highest([...earlier, ...inChangelog].filter((each) => !isCandidate(each)))?.major ?? 0
  if (version.major > major + 1) {
    throw new Error(`${text} skips a major version: the next one is ${major + 1}.0.0.`)
  }
  if (newest !== undefined && compareVersions(newest, version) === 0 && !hasUnreleased(changelog)) {
    throw new Error(
      `${text} is prepared already, and nothing is new. Begin again with the same number: delete its draft, if there is one, wait for CI, and then: gh workflow run release.yml -f version=${text}`,
    )
  }
  refuseTooLow(root, version, earlier)
}

/** Throws, with the reasons, if workflows that use the last release would notice more than the version says. */
export function refuseTooLow(root: string, version: Version, earlier: readonly Version[]): void {
  const release = highest(earlier.filter((each) => !isCandidate(each)))
  if (release === undefined) return
  const before = actionFilesAt(root, `v${formatVersion(release)}`)
  const changes = interfaceChanges(before, actionFilesAt(root, 'HEAD'))
  const needed = neededLevel(changes)
  if (!isBelow(levelBetween(release, version), needed)) return
  const reasons = changes
    .filter(({ level }) => level === needed)
    .map(({ file, text }) => `  ${file}: ${text}`)
  const least = formatVersion(nextVersion(release, needed))
  throw new Error(
    `${formatVersion(version)} is too low: since ${formatVersion(release)} there are changes that need a ${needed} version, at least ${least}.\n${reasons.join('\n')}`,
  )
}

function actionFilesAt(root: string, commit: string): Map<string, string> {
  const texts = ACTION_FILES.map((file) => [file, fileAt(root, commit, file)] as const)
  return new Map(texts.flatMap(([file, text]) => (text === undefined ? [] : [[file, text] as const])))
}

function build(root: string): void {
  // npm is a script on Windows, which only a shell can start.
  const { status } = spawnSync('npm', ['run', '--silent', 'build'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: process.platform === 'win32',
  })
  if (status !== 0) throw new Error('npm run build failed.')
}
