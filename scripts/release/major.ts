import type { Github } from './github.ts'
import { compareVersions, formatVersion, isCandidate, versionOfTag, type Version } from './version.ts'

export interface MajorOptions {
  /** The published version that the tag is to lead to. */
  readonly version: Version
  /** Whether the tag may go back to an older version than it leads to. */
  readonly allowOlder: boolean
  readonly say: (line: string) => void
}

/**
 * Moves `v1` to a version of 1.x.y; needs a token that may move a tag past changes of workflows. Changes nothing if it
 * is there already, or if the version is a candidate. Throws if there is a newer version, unless that is what is
 * wanted.
 */
export async function moveMajor(github: Github, { version, allowOlder, say }: MajorOptions): Promise<void> {
  const tag = `v${formatVersion(version)}`
  const major = `v${version.major}`
  if (isCandidate(version)) {
    say(`${tag} is a candidate: ${major} stays where it is.`)
    return
  }
  const tags = await github.tags(major)
  const wanted = tags.get(tag)
  if (wanted === undefined) throw new Error(`There is no tag ${tag}.`)
  const newer = newerReleases(tags, version)
  if (newer.length > 0 && !allowOlder) {
    throw new Error(
      `${newer.join(', ')} came after ${tag}. To move ${major} back to it, allow older versions.`,
    )
  }
  const before = tags.get(major)
  if (before === wanted) {
    say(`${major} points to ${tag} already.`)
    return
  }
  if (before === undefined) await github.createTag(major, wanted)
  else await github.moveTag(major, wanted)
  const now = await github.commitOf(`tags/${major}`)
  if (now !== wanted) throw new Error(`${major} points to ${now ?? 'nothing'}, and not to ${tag}, ${wanted}.`)
  say(`${major} points to ${tag}, ${wanted}.`)
  const [old] = [...tags].flatMap(([name, commit]) => (commit === before ? (versionOfTag(name) ?? []) : []))
  if (old === undefined) return
  const flag = newerReleases(tags, old).length > 0 ? ' -f allow-older=true' : ''
  say(`To undo it: gh workflow run published.yml -f tag=v${formatVersion(old)}${flag}`)
}

/** The tags of releases of the same major version that came after it. */
function newerReleases(tags: ReadonlyMap<string, string>, version: Version): string[] {
  return [...tags.keys()].filter((tag) => {
    const other = versionOfTag(tag)
    if (other === undefined || isCandidate(other) || other.major !== version.major) return false
    return compareVersions(other, version) > 0
  })
}
