/**
 * The commands of a release, in the order in which they are used; RELEASING.md tells the story. A command loads only
 * what it needs: those that get a token with rights run without any installed package, on Node 24 alone.
 */
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { explain } from './explain.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

interface Command {
  readonly usage: string
  /** Fewest and most arguments. */
  readonly takes: readonly [number, number]
  readonly run: (args: readonly string[]) => Promise<void> | void
}

const COMMANDS: Readonly<Record<string, Command>> = {
  prepare: {
    usage: `npm run release:prepare -- major|minor|patch|VERSION

Writes a release into CHANGELOG.md, package.json and its copies, the examples and dist/, and commits that on the
branch release/vVERSION. Pushes nothing; needs neither a network nor a credential.

Refuses: changes that are not committed, another branch than main (or release/v1.2.x for a fix), nothing under
Unreleased, a version that is not above the last one, and one that is too low for what changed in the action.yml
files since the last release:
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
  owner: {
    usage: `npm run release:owner -- OWNER/zenml-run-action

Writes the repository's owner into package.json and all files that name it.`,
    takes: [1, 1],
    run: async ([repository = '']) => {
      const { writeRepository } = await import('./project.ts')
      const files = writeRepository(ROOT, repository)
      console.log(files.length === 0 ? `All files name ${repository} already.` : files.join('\n'))
    },
  },
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: { help: { type: 'boolean' } },
    allowPositionals: true,
  })
  const [name = '', ...args] = positionals
  const command = COMMANDS[name]
  if (command === undefined) {
    const all = Object.values(COMMANDS).map(({ usage }) => usage)
    if (values.help === true) {
      console.log(all.join('\n\n'))
      return
    }
    throw new Error(`Which of ${Object.keys(COMMANDS).join(', ')}? --help tells.`)
  }
  if (values.help === true) {
    console.log(command.usage)
    return
  }
  const [least, most] = command.takes
  if (args.length < least || args.length > most) throw new Error(command.usage)
  await command.run(args)
}

try {
  await main()
} catch (error) {
  console.error(explain(error))
  process.exitCode = 1
}
