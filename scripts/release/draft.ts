import { changelogNotes } from './changelog.ts'
import { fileAt } from './git.ts'
import type { Github, Release } from './github.ts'
import { CHECKSUMS, pack, sha256, type Assets } from './pack.ts'
import { formatVersion, isCandidate, type Version } from './version.ts'

export interface DraftOptions {
  readonly version: Version
  readonly commit: string
  /** The branch that the release is made from; it must still lead to the commit. */
  readonly branch: string
  readonly notes: string
  readonly assets: Assets
  readonly say: (line: string) => void
}

/**
 * Makes a draft of a release with all its assets, which nobody but the maintainers sees. Does what is missing: it can
 * be begun again at any time, and changes nothing if all is there. Throws, before anything is made, if the branch
 * moved on, or if there is a release or another draft of the version.
 */
export async function makeDraft(github: Github, options: DraftOptions): Promise<Release> {
  const { version, commit, branch, assets, say } = options
  const tag = `v${formatVersion(version)}`
  const head = await github.commitOf(`heads/${branch}`)
  if (head !== commit) {
    throw new Error(
      `${branch} is at ${head ?? 'no commit'} by now, not at ${commit}: start the release again there.`,
    )
  }
  const draft = (await findDraft(github, tag, commit)) ?? (await createDraft(github, tag, options))
  const stranger = draft.assets.find(({ name }) => !assets.has(name))
  if (stranger !== undefined) {
    throw new Error(
      `The draft of ${tag} has a file ${stranger.name}, which is not of this release. Delete it by hand.`,
    )
  }
  for (const [name, content] of assets) {
    const there = draft.assets.find((asset) => asset.name === name)
    if (there?.digest === `sha256:${sha256(content)}`) continue
    // What remains of an upload that broke off keeps the name taken.
    if (there !== undefined) await github.deleteAsset(there)
    await github.upload(draft, name, content)
    say(`${name}: uploaded`)
  }
  const complete = await github.releaseById(draft.id)
  refuseOtherAssets(complete, assets)
  say(`The draft of ${tag} is complete: ${complete.html_url}`)
  return complete
}

async function findDraft(github: Github, tag: string, commit: string): Promise<Release | undefined> {
  const found = await github.releasesAndDrafts(tag)
  const used = (await github.commitOf(`tags/${tag}`)) !== undefined || found.some(({ draft }) => !draft)
  if (used) throw new Error(`${tag} exists already. A version is never used twice: prepare the next one.`)
  if (found.length > 1)
    throw new Error(`There are ${found.length} drafts of ${tag}. Delete all but one by hand.`)
  const [draft] = found
  if (draft !== undefined && draft.target_commitish !== commit) {
    throw new Error(
      `There is a draft of ${tag} for the commit ${draft.target_commitish}. Delete it by hand first.`,
    )
  }
  return draft
}

async function createDraft(
  github: Github,
  tag: string,
  { version, commit, notes }: DraftOptions,
): Promise<Release> {
  return github.createDraft({
    tag_name: tag,
    target_commitish: commit,
    name: tag,
    body: notes,
    prerelease: isCandidate(version),
  })
}

/** Throws unless the release has exactly these files. */
export function refuseOtherAssets({ tag_name: tag, assets: there }: Release, assets: Assets): void {
  const has = new Map(there.map(({ name, digest }) => [name, digest]))
  const missing = [...assets].filter(([name, content]) => has.get(name) !== `sha256:${sha256(content)}`)
  const strangers = there.filter(({ name }) => !assets.has(name))
  const faults = [
    ...missing.map(([name]) => `${name} is ${has.has(name) ? 'another file' : 'missing'}`),
    ...strangers.map(({ name }) => `${name} does not belong to it`),
  ]
  if (faults.length > 0) throw new Error(`The release ${tag} is not what was packed: ${faults.join('; ')}.`)
}

/** What stands on the release's page: the changelog's words, and how to use exactly this version. */
export function releaseNotes(root: string, commit: string, repository: string, version: Version): string {
  const changes = changelogNotes(fileAt(root, commit, 'CHANGELOG.md') ?? '', version)
  const tag = `v${formatVersion(version)}`
  return `${changes}

## Use it

\`\`\`yaml
- uses: ${repository}@${commit} # ${tag}
\`\`\`

[How to check what you run](https://github.com/${repository}/blob/${tag}/docs/verify.md)
`
}

/** Throws unless the files are what the commit gives, whoever made them; signatures of them may lie beside. */
export function refuseOtherPackage(root: string, commit: string, files: Assets): void {
  const expected = pack(root, commit)
  for (const [name, content] of expected) {
    if (files.get(name)?.equals(content) !== true) {
      throw new Error(
        `${name} is not what the commit ${commit} gives. ${CHECKSUMS} and all files come from one commit.`,
      )
    }
  }
  const strangers = [...files.keys()].filter((name) => !expected.has(name) && !isSignature(name))
  if (strangers.length > 0) throw new Error(`Not of this release: ${strangers.join(', ')}.`)
}

/** The attestations of the files, named as tools look for them. */
export function isSignature(name: string): boolean {
  return name.endsWith('.intoto.jsonl')
}
