/** A version of the action: `1.2.3`, or `1.2.3-rc.1` for a candidate of it. */
export interface Version {
  readonly major: number
  readonly minor: number
  readonly patch: number
  /** Number of the release candidate; undefined for a release. */
  readonly candidate?: number
}

/** How much a version changes, the smallest first. */
export const LEVELS = ['patch', 'minor', 'major'] as const

export type Level = (typeof LEVELS)[number]

const PATTERN = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-rc\.([1-9]\d*))?$/

/** Undefined if the text is no version; a tag has to lose its `v` before. */
export function parseVersion(text: string): Version | undefined {
  const [found, major, minor, patch, candidate] = PATTERN.exec(text) ?? []
  if (found === undefined) return undefined
  const numbers = { major: Number(major), minor: Number(minor), patch: Number(patch) }
  return candidate === undefined ? numbers : { ...numbers, candidate: Number(candidate) }
}

/** The version of a tag such as `v1.2.3`; undefined for all other tags, `v1` among them. */
export function versionOfTag(tag: string): Version | undefined {
  return tag.startsWith('v') ? parseVersion(tag.slice(1)) : undefined
}

export function formatVersion({ major, minor, patch, candidate }: Version): string {
  return `${major}.${minor}.${patch}${candidate === undefined ? '' : `-rc.${candidate}`}`
}

/** Negative if `a` comes before `b`, as Semantic Versioning orders them: candidates before their release. */
export function compareVersions(a: Version, b: Version): number {
  return (
    a.major - b.major ||
    a.minor - b.minor ||
    a.patch - b.patch ||
    (a.candidate ?? Infinity) - (b.candidate ?? Infinity) ||
    0
  )
}

/** The highest of the versions; undefined if there are none. */
export function highest(versions: readonly Version[]): Version | undefined {
  return [...versions].sort(compareVersions).at(-1)
}

/** Says of a version whether it is none of these. */
export function isNoneOf(versions: readonly Version[]): (version: Version) => boolean {
  return (version) => versions.every((each) => compareVersions(each, version) !== 0)
}

export function isCandidate({ candidate }: Version): boolean {
  return candidate !== undefined
}

/** The next release after `last`; the first one is 1.0.0. */
export function nextVersion(last: Version | undefined, level: Level): Version {
  if (last === undefined) return { major: 1, minor: 0, patch: 0 }
  if (level === 'major') return { major: last.major + 1, minor: 0, patch: 0 }
  if (level === 'minor') return { major: last.major, minor: last.minor + 1, patch: 0 }
  return { major: last.major, minor: last.minor, patch: last.patch + 1 }
}

/** How much changes from one version to a higher one. */
export function levelBetween(from: Version, to: Version): Level {
  if (to.major !== from.major) return 'major'
  return to.minor === from.minor ? 'patch' : 'minor'
}

export function isBelow(level: Level, needed: Level): boolean {
  return LEVELS.indexOf(level) < LEVELS.indexOf(needed)
}
