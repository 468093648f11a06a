import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { gitLines } from './git.ts'
import { formatVersion, parseVersion, type Version } from './version.ts'

/** What package.json says about the project; all other places are written from it. */
export interface Project {
  /** `owner/name` on GitHub. */
  readonly repository: string
  /** The package's name, which is also that of the repository. */
  readonly name: string
  readonly version: Version
}

const REPOSITORY = /^(?:git\+)?https:\/\/github\.com\/([\w.-]+\/[\w.-]+?)(?:\.git)?$/

/** Reads package.json; throws if it lacks one of the three. */
export function readProject(root: string): Project {
  return projectOf(readFileSync(path.join(root, 'package.json'), 'utf8'))
}

/** The same of a package.json's text. */
export function projectOf(packageJson: string): Project {
  const json: unknown = JSON.parse(packageJson)
  const name = textIn(json, 'name') ?? ''
  const version = parseVersion(textIn(json, 'version') ?? '')
  const repository = REPOSITORY.exec(textIn(json, 'repository', 'url') ?? '')?.[1]
  if (version === undefined) throw new Error('package.json: version is not like 1.2.3 or 1.2.3-rc.1.')
  if (repository === undefined) {
    throw new Error('package.json: repository.url is not like git+https://github.com/owner/name.git.')
  }
  if (!repository.endsWith(`/${name}`)) {
    throw new Error(`package.json: the repository ${repository} has another name than the package, ${name}.`)
  }
  return { repository, name, version }
}

function textIn(value: unknown, ...keys: readonly string[]): string | undefined {
  let found: unknown = value
  for (const key of keys) {
    found = typeof found === 'object' && found !== null ? Reflect.get(found, key) : undefined
  }
  return typeof found === 'string' ? found : undefined
}

/** The repository's page on GitHub. */
export function pageOf({ repository }: Pick<Project, 'repository'>): string {
  return `https://github.com/${repository}`
}

/** The repository with any owner, wherever it is named: in `uses:`, in addresses, in commands. */
export function namePattern(name: string): RegExp {
  return new RegExp(String.raw`(?<![\w.-])[\w-]+/${name}(?![\w-])`, 'g')
}

/** The version in `uses: owner/name@v1.2.3`, of sub-actions too, in the comment beside a SHA, and in a line `tag=v1.2.3`. */
export function referencePattern(name: string): RegExp {
  const before = String.raw`(?<=[\w-]/${name}(?:/[a-z]+)?@|@<commit SHA> # |^tag=)`
  return new RegExp(String.raw`${before}v\d+\.\d+\.\d+(?:-rc\.\d+)?\b`, 'gm')
}

/** The tracked text files that may name the repository: not what is built, and not what tests of this need. */
export function filesWithNames(root: string): string[] {
  return gitLines(root, 'ls-files').filter(
    (file) =>
      /(?:\.(?:md|yml|ts|mjs|json)|CODEOWNERS)$/.test(file) &&
      !/^(?:dist\/|package-lock\.json$|__tests__\/(?:release|golden)\/)/.test(file) &&
      existsSync(path.join(root, file)),
  )
}

/** Writes `owner/name` everywhere; gives the files that changed. */
export function writeRepository(root: string, repository: string): string[] {
  const { name } = readProject(root)
  const [owner = '', ...rest] = repository.split('/')
  if (!/^[\w-]+$/.test(owner) || rest.join('/') !== name) {
    throw new Error(`"${repository}" is not like owner/${name}.`)
  }
  return rewrite(root, filesWithNames(root), (text) => text.replaceAll(namePattern(name), repository))
}

/** Writes the version into every `uses:` of a whole version; `@v1` stays. Gives the files that changed. */
export function writeReferences(root: string, version: Version): string[] {
  const { name } = readProject(root)
  // Of the past.
  const files = filesWithNames(root).filter((file) => file !== 'CHANGELOG.md')
  return rewrite(root, files, (text) => text.replaceAll(referencePattern(name), `v${formatVersion(version)}`))
}

/** Takes out what is true only before the first release. */
export function writePublished(root: string): string[] {
  const files = filesWithNames(root).filter((file) => file.endsWith('.md'))
  return rewrite(root, files, withoutUnpublished)
}

/** A text without the paragraphs that begin with "The action is not published yet". */
export function withoutUnpublished(text: string): string {
  return text.replaceAll(/^The action is not published yet[^]*?\n\n/gm, '')
}

/** Where the version stands besides package.json; each takes it from there. */
const COPIES = [
  { file: 'package-lock.json', pattern: /(?<=^ {2,6}"version": ")[^"]+(?=")/gm, most: 2 },
  { file: 'src/http/user-agent.ts', pattern: /(?<='[\w-]+\/)\d[^']*(?=')/g, most: 1 },
] as const

/** The versions in the files that have a copy of it. */
export function versionCopies(root: string): { readonly file: string; readonly found: string }[] {
  return COPIES.flatMap(({ file, pattern, most }) => {
    const text = readFileSync(path.join(root, file), 'utf8')
    return [...text.matchAll(pattern)].slice(0, most).map(([found]) => ({ file, found }))
  })
}

/** Writes the version into package.json, and into the files that have a copy of it. */
export function writeVersion(root: string, version: Version): void {
  const text = formatVersion(version)
  rewrite(root, ['package.json'], (json) => json.replace(/(?<=^ {2}"version": ")[^"]+(?=")/m, text))
  for (const { file, pattern, most } of COPIES) {
    let left: number = most
    rewrite(root, [file], (content) =>
      content.replaceAll(pattern, (found) => {
        left -= 1
        return left < 0 ? found : text
      }),
    )
  }
}

/** Changes the files of these that exist; gives those that are different afterwards. */
export function rewrite(root: string, files: readonly string[], change: (text: string) => string): string[] {
  return files.filter((file) => {
    const where = path.join(root, file)
    if (!existsSync(where)) return false
    const before = readFileSync(where, 'utf8')
    const after = change(before)
    if (after !== before) writeFileSync(where, after)
    return after !== before
  })
}
