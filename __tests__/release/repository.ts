import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll } from '@jest/globals'
import { ACTION_FILES } from '../../scripts/action-files.mjs'
import { git } from '../../scripts/release/git.ts'

const ROOT = path.join(import.meta.dirname, '../..')

/** A small repository with all that a release touches, and a build that takes no time. */
export interface Repository {
  readonly root: string
  read(file: string): string
  write(file: string, text: string): void
  /** Replaces a part of a file, which has to be there. */
  change(file: string, from: string | RegExp, to: string): void
  commit(message: string): string
  git(...args: readonly string[]): string
  remove(): void
}

/** What a bundle with one package says about it. */
export const LICENSES = 'yaml 2.9.1\n\nISC\n\nCopyright Eemeli Aro\n'

/** Builds dist/ from src/, as fast as can be. */
const BUILD = `
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
rmSync('dist', { recursive: true, force: true })
mkdirSync('dist')
writeFileSync('dist/index.js', readFileSync('src/http/user-agent.ts', 'utf8'))
writeFileSync('dist/licenses.txt', ${JSON.stringify(LICENSES)})
`

const FILES: Readonly<Record<string, string>> = {
  'package.json': JSON.stringify(
    {
      name: 'zenml-run-action',
      version: '0.1.0',
      repository: { type: 'git', url: 'git+https://github.com/octo-org/zenml-run-action.git' },
      type: 'module',
      scripts: { build: 'node scripts/build.mjs' },
    },
    undefined,
    2,
  ),
  'package-lock.json': JSON.stringify(
    {
      name: 'zenml-run-action',
      version: '0.1.0',
      lockfileVersion: 3,
      packages: {
        '': { name: 'zenml-run-action', version: '0.1.0' },
        'node_modules/yaml': { version: '2.9.1' },
      },
    },
    undefined,
    2,
  ),
  'scripts/build.mjs': BUILD,
  'src/http/user-agent.ts': "export const USER_AGENT = 'zenml-run-action/0.1.0'\n",
  'README.md': '- uses: octo-org/zenml-run-action@v1.0.0\n',
  LICENSE: 'MIT\n',
  'CHANGELOG.md': '# Changelog\n\n## [Unreleased]\n\n### Added\n\n- Everything.\n',
  'docs/recipes.md':
    '- uses: octo-org/zenml-run-action/wait@v1.0.0\n- uses: octo-org/zenml-run-action@v1\n- uses: actions/checkout@v7.0.1\nor `@<commit SHA> # v1.0.0`\n',
}

/** The person who commits, and nothing of the settings of the person who runs the tests. */
const SETTINGS = `
[user]
	name = Octo Cat
	email = octo@example.invalid
[commit]
	gpgSign = false
[tag]
	gpgSign = false
[core]
	autocrlf = false
`

/** Makes one on the branch main, with everything committed. */
export function makeRepository(): Repository {
  return copyOf('repository', () => {
    const repository = openRepository(mkdtempSync(path.join(tmpdir(), 'release-')))
    const { root } = repository
    git(root, 'init', '--quiet', '--initial-branch=main')
    appendFileSync(path.join(root, '.git/config'), SETTINGS)
    for (const [file, text] of Object.entries(FILES)) repository.write(file, text)
    for (const file of ACTION_FILES) {
      mkdirSync(path.dirname(path.join(root, file)), { recursive: true })
      cpSync(path.join(ROOT, file), path.join(root, file))
    }
    repository.commit('All there is')
    return repository
  })
}

const originals = new Map<string, Repository>()

afterAll(() => {
  for (const repository of originals.values()) repository.remove()
})

/** Each git command is a process, and starting one from a test takes a while: one is made, and the others are copied. */
function copyOf(name: string, make: () => Repository): Repository {
  const original = originals.get(name) ?? make()
  originals.set(name, original)
  const root = mkdtempSync(path.join(tmpdir(), 'release-'))
  cpSync(original.root, root, { recursive: true, preserveTimestamps: true })
  return openRepository(root)
}

function openRepository(root: string): Repository {
  const repository: Repository = {
    root,
    read: (file) => readFileSync(path.join(root, file), 'utf8'),
    write: (file, text) => {
      mkdirSync(path.dirname(path.join(root, file)), { recursive: true })
      writeFileSync(path.join(root, file), text)
    },
    change: (file, from, to) => {
      const before = repository.read(file)
      const after = before.replace(from, to)
      if (after === before) throw new Error(`${file} has no ${String(from)}`)
      repository.write(file, after)
    },
    commit: (message) => {
      git(root, 'add', '--all')
      git(root, 'commit', '--quiet', '--message', message)
      return git(root, 'rev-parse', 'HEAD')
    },
    git: (...args) => git(root, ...args),
    remove: () => rmSync(root, { recursive: true, force: true, maxRetries: 5 }),
  }
  return repository
}

/** The same after 1.0.0 was released, with something new under Unreleased. */
export function makeReleased(): Repository {
  return copyOf('released', () => {
    const repository = makeRepository()
    repository.change('CHANGELOG.md', '## [Unreleased]\n', '## [Unreleased]\n\n## [1.0.0] - 2026-01-01\n')
    repository.commit('Release v1.0.0')
    repository.git('tag', 'v1.0.0')
    repository.git('tag', 'v1')
    repository.change('CHANGELOG.md', '## [Unreleased]\n', '## [Unreleased]\n\n### Fixed\n\n- A slip.\n')
    repository.commit('A slip is gone')
    return repository
  })
}
