import { git, gitLines } from './git.ts'
import type { Github } from './github.ts'
import { refuseOtherPackage } from './draft.ts'
import { sha256 } from './pack.ts'
import { formatVersion, isCandidate, type Version } from './version.ts'

/**
 * Checks a published release: it is locked, its tag leads to a commit of this clone, and its files are what that
 * commit gives, byte for byte. So whoever checks the files' signatures has checked the tag. Throws if anything is
 * different. Gives the commit, and the files.
 */
export async function checkPublished(
  github: Github,
  root: string,
  version: Version,
  say: (line: string) => void,
): Promise<{ readonly commit: string; readonly files: ReadonlyMap<string, Buffer> }> {
  const tag = `v${formatVersion(version)}`
  const release = await github.release(tag)
  if (release === undefined) throw new Error(`There is no published release ${tag}.`)
  if (release.immutable !== true) {
    throw new Error(
      `The release ${tag} can be changed. Switch on "release immutability" in the repository's settings, and release the next version.`,
    )
  }
  if (release.prerelease !== isCandidate(version)) {
    throw new Error(`The release ${tag} is ${release.prerelease ? '' : 'not '}marked as a pre-release.`)
  }
  const commit = await github.commitOf(`tags/${tag}`)
  if (commit === undefined) throw new Error(`There is no tag ${tag}.`)
  if (gitLines(root, 'tag', '--list', tag).length === 0) {
    throw new Error(`This clone has no tag ${tag}: git fetch --tags --force`)
  }
  const here = git(root, 'rev-parse', `refs/tags/${tag}^{commit}`)
  if (here !== commit) throw new Error(`The tag ${tag} is ${commit} at GitHub, and ${here} in this clone.`)
  const files = new Map<string, Buffer>()
  for (const asset of release.assets) {
    const content = await github.download(asset)
    if (asset.digest !== `sha256:${sha256(content)}`) {
      throw new Error(`${asset.name}: what was downloaded is not what GitHub says it is.`)
    }
    files.set(asset.name, content)
  }
  refuseOtherPackage(root, commit, files)
  say(`${tag} is locked, and its ${files.size} files are what the commit ${commit} gives.`)
  return { commit, files }
}
