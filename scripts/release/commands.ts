import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Github, untilAnswered } from './github.ts'
import { parseVersion, type Version } from './version.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

interface Command {
  readonly usage: string
  /** Fewest and most arguments. */
  readonly takes: readonly [number, number]
  /** Switches besides --help. */
  readonly flags?: readonly 'allow-older'[]
  readonly run: (args: readonly string[], flags: Flags) => Promise<void> | void
}

type Flags = Readonly<Record<string, unknown>>

const COMMANDS: Readonly<Record<string, Command>> = {
  prepare: {
    usage: `npm run release:prepare -- major|minor|patch|VERSION

Writes a release into CHANGELOG.md, package.json and its copies, the examples and dist/, and commits that on the
branch release/vVERSION. Pushes nothing; needs neither a network nor a credential.

Refuses: changes that are not committed, commits that are not pushed, another branch than main (or release/v1.2.x for
a fix), nothing new in CHANGELOG.md, a version that is not above the last one, one that skips a major version, and one
that is too low for what changed in the action.yml files since the last release:
  major: an input or output that is gone or renamed, another default, an input that has to be given, another using
  minor: a new input, output or action

VERSION is like 1.3.0, or 1.3.0-rc.1 for a candidate. Without any release yet, the first one is 1.0.0.`,
    takes: [1, 1],
    run: async ([wanted = '']) => {
      const { prepare } = await import('./prepare.ts')
      prepare(ROOT, wanted, { date: new Date().toISOString().slice(0, 10), say: console.log })
    },
  },
  pack: {
    usage: `npm run release:pack -- FOLDER

Writes the assets of the commit HEAD into an empty folder: the archive, a list of the packages in the bundle
(CycloneDX), and the checksums of both and of each file in the archive.`,
    takes: [1, 1],
    run: async ([folder = '']) => {
      const { pack, writeAssets } = await import('./pack.ts')
      const assets = pack(ROOT)
      writeAssets(folder, assets)
      console.log([...assets.keys()].join('\n'))
    },
  },
  verify: {
    usage: `npm run release:verify -- VERSION

Lists what prevents a release of the commit HEAD as this version. With GITHUB_TOKEN, it also asks GitHub whether
the branch is still there, CI passed, and the version is free.`,
    takes: [1, 1],
    run: async ([text = '']) => {
      const { releaseFaults, remoteFaults } = await import('./verify.ts')
      const { readProject } = await import('./project.ts')
      const version = versionFrom(text)
      const { GITHUB_REPOSITORY, GITHUB_REF_NAME = 'main', GITHUB_TOKEN } = process.env
      const local = releaseFaults(ROOT, version, GITHUB_REPOSITORY ?? readProject(ROOT).repository)
      const remote =
        (GITHUB_TOKEN ?? '') === ''
          ? []
          : await onGithub((github) => remoteFaults(github, ROOT, version, GITHUB_REF_NAME))
      // A file may name another version many times.
      const faults = [...new Set([...local, ...remote])]
      if (faults.length > 0) throw new Error(`${text} cannot be released:\n${faults.join('\n')}`)
      console.log(`Found nothing that prevents the release of ${text}.`)
    },
  },
  draft: {
    usage: `node scripts/release/cli.ts draft VERSION FOLDER

Makes a draft of the release with the files of the folder, which have to be what HEAD gives. It can be begun again at
any time. Needs GITHUB_TOKEN with contents: write, and GITHUB_REPOSITORY, GITHUB_REF_NAME.`,
    takes: [2, 2],
    run: async ([text = '', folder = '']) => {
      const { makeDraft, refuseOtherPackage, releaseNotes } = await import('./draft.ts')
      const { readAssets } = await import('./pack.ts')
      const { git } = await import('./git.ts')
      const [version, commit, assets] = [
        versionFrom(text),
        git(ROOT, 'rev-parse', 'HEAD'),
        readAssets(folder),
      ]
      refuseOtherPackage(ROOT, commit, assets)
      await onGithub(async (github) => {
        const notes = releaseNotes(ROOT, commit, github.repository, version)
        const branch = needed('GITHUB_REF_NAME')
        await makeDraft(github, { version, commit, branch, notes, assets, say: console.log })
      })
    },
  },
  check: {
    usage: `node scripts/release/cli.ts check VERSION FOLDER

Checks a published release: it is locked, and its files are what its tag gives. Writes them into an empty folder, for
whoever checks their signatures. Needs GITHUB_TOKEN, GITHUB_REPOSITORY, and a clone with the tag.`,
    takes: [2, 2],
    run: async ([text = '', folder = '']) => {
      const { checkPublished } = await import('./check.ts')
      const { writeAssets } = await import('./pack.ts')
      const { files } = await onGithub((github) =>
        checkPublished(github, ROOT, versionFrom(text), console.log),
      )
      writeAssets(folder, files)
    },
  },
  move: {
    usage: `node scripts/release/cli.ts move VERSION [--allow-older]

Points the tag of the major version, such as v1, to a published version. Needs GITHUB_TOKEN with contents and
workflows: write, and GITHUB_REPOSITORY.`,
    takes: [1, 1],
    flags: ['allow-older'],
    run: async ([text = ''], flags) => {
      const { moveMajor } = await import('./major.ts')
      const options = {
        version: versionFrom(text),
        allowOlder: flags['allow-older'] === true,
        say: console.log,
      }
      await onGithub((github) => moveMajor(github, options))
    },
  },
  owner: {
    usage: `npm run release:owner -- OWNER/NAME

Writes the repository's owner into package.json and all files that name it.`,
    takes: [1, 1],
    run: async ([repository = '']) => {
      const { writeRepository } = await import('./project.ts')
      const files = writeRepository(ROOT, repository)
      console.log(
        files.length === 0
          ? `All files name ${repository} already.`
          : `Wrote ${repository} into these files. Read them (git diff), and commit them:\n${files.join('\n')}`,
      )
    },
  },
}

function versionFrom(text: string): Version {
  const version = parseVersion(text.replace(/^v/, ''))
  if (version === undefined) throw new Error(`"${text}" is not a version like 1.2.3 or 1.2.3-rc.1.`)
  return version
}

/** A variable of the environment that has to be there. */
function needed(name: string): string {
  const value = process.env[name]
  if (value === undefined || value === '') throw new Error(`${name} is not set.`)
  return value
}

/** Works with GitHub's API, and begins again while it does not answer. */
async function onGithub<Result>(work: (github: Github) => Promise<Result>): Promise<Result> {
  const github = new Github({
    apiUrl: process.env['GITHUB_API_URL'] ?? 'https://api.github.com',
    token: needed('GITHUB_TOKEN'),
    repository: needed('GITHUB_REPOSITORY'),
  })
  return untilAnswered(() => work(github), console.log)
}

/** What the words after `cli.ts` ask for, ready to run; throws if that is nothing that there is. */
export function parseCommand(words: readonly string[]): () => Promise<void> | void {
  const [name = '', ...rest] = words
  if (name === '--help') {
    const all = Object.values(COMMANDS).map(({ usage }) => usage)
    return () => console.log(all.join('\n\n'))
  }
  const command = COMMANDS[name]
  if (command === undefined) throw new Error(`Which of ${Object.keys(COMMANDS).join(', ')}? See --help.`)
  const flags = ['help', ...(command.flags ?? [])].map((flag) => [flag, { type: 'boolean' }] as const)
  const { values, positionals } = parseArgs({
    args: rest,
    options: Object.fromEntries(flags),
    allowPositionals: true,
  })
  if (values['help'] === true) return () => console.log(command.usage)
  const [least, most] = command.takes
  if (positionals.length < least || positionals.length > most) throw new Error(command.usage)
  return () => command.run(positionals, values)
}
