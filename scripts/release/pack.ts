import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileAt, git, gitBytes, gitLines } from './git.ts'
import { projectOf, type Project } from './project.ts'
import { cyclonedx } from './sbom.ts'
import { formatVersion } from './version.ts'

/** What a workflow needs, and what a person wants to read beside it. */
const SHIPPED = [
  'action.yml',
  'login',
  'wait',
  'sweep',
  'stop',
  'resolve',
  'promote',
  'dist',
  'README.md',
  'CHANGELOG.md',
  'LICENSE',
]

/** The files of a release, by name. */
export type Assets = ReadonlyMap<string, Buffer>

export const CHECKSUMS = 'SHA256SUMS'

export const SBOM = 'sbom.cdx.json'

export function archiveName({ name, version }: Pick<Project, 'name' | 'version'>): string {
  return `${name}-${formatVersion(version)}.tar`
}

/**
 * Makes the assets of a commit: the archive, the list of what is in its bundle, and the checksums of both and of each
 * file in the archive. The same commit gives the same bytes everywhere. The archive is not compressed, because
 * compressors differ: anybody can make it again.
 */
export function pack(root: string, commit = 'HEAD'): Assets {
  const project = projectOf(textAt(root, commit, 'package.json'))
  const sbom = cyclonedx({
    project,
    licenses: textAt(root, commit, 'dist/licenses.txt'),
    lock: textAt(root, commit, 'package-lock.json'),
  })
  const made = new Map([
    [archiveName(project), archiveOf(root, commit, project)],
    [SBOM, Buffer.from(sbom)],
  ])
  const files = shippedFiles(root, commit).map(
    (file) => [file, gitBytes(root, 'show', `${commit}:${file}`)] as const,
  )
  const sums = [...made, ...files].map(([name, content]) => `${sha256(content)}  ${name}\n`).join('')
  return made.set(CHECKSUMS, Buffer.from(sums))
}

/** Writes the assets into a folder, which must be empty or not there yet. */
export function writeAssets(folder: string, assets: Assets): void {
  mkdirSync(folder, { recursive: true })
  if (readdirSync(folder).length > 0) throw new Error(`The folder ${folder} is not empty.`)
  for (const [name, content] of assets) writeFileSync(path.join(folder, name), content)
}

/** What a folder holds. */
export function readAssets(folder: string): Assets {
  return new Map(readdirSync(folder).map((name) => [name, readFileSync(path.join(folder, name))]))
}

/** The shipped files of a commit, sorted. */
export function shippedFiles(root: string, commit: string): string[] {
  return gitLines(root, 'ls-tree', '-r', '--name-only', '--full-tree', commit, '--', ...SHIPPED).sort()
}

export function sha256(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex')
}

function archiveOf(root: string, commit: string, project: Project): Buffer {
  const prefix = `${archiveName(project).replace(/\.tar$/, '')}/`
  // Modes and line ends as in the commit, whatever the settings of who runs it.
  const settings = ['-c', 'tar.umask=0022', '-c', 'core.autocrlf=false', '-c', 'core.attributesFile=']
  const id = git(root, 'rev-parse', `${commit}^{commit}`)
  return gitBytes(root, ...settings, 'archive', '--format=tar', `--prefix=${prefix}`, id, '--', ...SHIPPED)
}

function textAt(root: string, commit: string, file: string): string {
  const text = fileAt(root, commit, file)
  if (text === undefined)
    throw new Error(`${file} is not in the commit ${commit}: is it built and committed?`)
  return text
}
