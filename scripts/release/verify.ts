import { ACTION_FILES } from '../action-files.mjs'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { changelogVersions, hasUnreleased } from './changelog.ts'
import { git, gitLines } from './git.ts'
import type { Github } from './github.ts'
import { marketplaceFaults } from './marketplace.ts'
import { publishedVersions, releasedBefore, refuseTooLow } from './prepare.ts'
import { filesWithNames, namePattern, readProject, referencePattern, versionCopies } from './project.ts'
import { compareVersions, formatVersion, highest, isCandidate, isNoneOf, type Version } from './version.ts'

/**
 * What speaks against releasing the commit HEAD of this clone as this version; empty if nothing does. Needs the tags,
 * and no network.
 */
export function releaseFaults(root: string, version: Version, repository: string): string[] {
  const text = formatVersion(version)
  const project = readProject(root)
  const changelog = readFileSync(path.join(root, 'CHANGELOG.md'), 'utf8')
  const earlier = releasedBefore(root)
  const last = highest(earlier)
  const [newest] = changelogVersions(changelog)
  const fault = (isFault: boolean, what: string): string[] => (isFault ? [what] : [])
  return [
    ...fault(gitLines(root, 'status', '--porcelain').length > 0, 'There are changes that are not committed.'),
    ...fault(
      formatVersion(project.version) !== text,
      `package.json has the version ${formatVersion(project.version)}.`,
    ),
    ...versionCopies(root).flatMap(({ file, found }) =>
      fault(found !== text, `${file} has the version ${found}.`),
    ),
    ...fault(
      newest === undefined || formatVersion(newest) !== text,
      `The newest section of CHANGELOG.md is ${newest === undefined ? 'none' : formatVersion(newest)}.`,
    ),
    ...sectionFaults(root, changelog, earlier.filter(isNoneOf([version]))),
    ...fault(
      hasUnreleased(changelog),
      'CHANGELOG.md has more under Unreleased: prepare the release again, with the same number or a higher one.',
    ),
    ...fault(
      project.repository !== repository,
      `package.json names the repository ${project.repository}, and this is ${repository}: npm run release:owner -- ${repository}`,
    ),
    ...nameFaults(root, version, earlier),
    ...fault(gitLines(root, 'tag', '--list', `v${text}`).length > 0, `There is a tag v${text} already.`),
    ...fault(
      last !== undefined && compareVersions(version, last) <= 0,
      `It is not above ${last === undefined ? '' : formatVersion(last)}, the last version.`,
    ),
    ...tooLow(root, version, earlier),
    ...ACTION_FILES.flatMap((file) =>
      marketplaceFaults(readFileSync(path.join(root, file), 'utf8')).map((each) => `${file}: ${each}.`),
    ),
  ]
}

/** Sections of what nobody can get, whose links would lead nowhere; and none of what was released. */
function sectionFaults(root: string, changelog: string, earlier: readonly Version[]): string[] {
  const [, ...sections] = changelogVersions(changelog)
  const strangers = sections.filter(isNoneOf(publishedVersions(root)))
  const missing = earlier.filter((each) => !isCandidate(each)).filter(isNoneOf(sections))
  return [
    ...strangers.map(
      (each) =>
        `CHANGELOG.md has a section of ${formatVersion(each)}, which has no tag: prepare the release again.`,
    ),
    ...missing.map((each) => `CHANGELOG.md has no section of ${formatVersion(each)}, which was released.`),
  ]
}

/** Examples of another repository, or of another version than this one. */
function nameFaults(root: string, version: Version, earlier: readonly Version[]): string[] {
  const { name, repository } = readProject(root)
  const isNamed = !isCandidate(version) || !earlier.some((each) => !isCandidate(each))
  return filesWithNames(root).flatMap((file) => {
    const text = readFileSync(path.join(root, file), 'utf8')
    const names = [...text.matchAll(namePattern(name))].map(([found]) => found)
    const versions = isNamed && file !== 'CHANGELOG.md' ? [...text.matchAll(referencePattern(name))] : []
    return [
      ...names.filter((found) => found !== repository).map((found) => `${file} names ${found}.`),
      ...versions
        .filter(([found]) => found !== `v${formatVersion(version)}`)
        .map(([found]) => `${file} names the version ${found}.`),
    ]
  })
}

function tooLow(root: string, version: Version, earlier: readonly Version[]): string[] {
  try {
    refuseTooLow(root, version, earlier)
    return []
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)]
  }
}

/** The same of what only GitHub knows: the branch is still at HEAD, CI passed on it, the version is free. */
export async function remoteFaults(
  github: Github,
  root: string,
  version: Version,
  branch: string,
): Promise<string[]> {
  const tag = `v${formatVersion(version)}`
  const commit = git(root, 'rev-parse', 'HEAD')
  const head = await github.commitOf(`heads/${branch}`)
  const [ended] = await github.conclusions('ci.yml', commit)
  const isUsed = (await github.commitOf(`tags/${tag}`)) !== undefined
  return [
    ...(head === commit ? [] : [`${branch} is at ${head ?? 'no commit'}, and this is ${commit}.`]),
    ...(ended === 'success'
      ? []
      : [`CI did not pass on ${commit}: ${ended ?? 'it is still running, or was not started'}.`]),
    ...(isUsed ? [`GitHub has a tag ${tag} already.`] : []),
  ]
}
