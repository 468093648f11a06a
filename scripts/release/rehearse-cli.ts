/** `npm run release:rehearse`: plays the next releases of this repository, without GitHub. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { explain } from './explain.ts'
import { nextReleases, rehearse } from './rehearse.ts'

const USAGE = `npm run release:rehearse [-- WANTED…]

Plays releases of the commit HEAD: prepare, merge, verify, build again, pack, draft, publish, check, move v1, and at
the end the roll back. A bare clone stands for origin, and a server in this process for GitHub; nothing leaves this
machine, and this repository is only read. Builds twice for each release. At the end it prints the tags that it made
or moved.

WANTED is as for release:prepare, such as "minor patch". The last two have to be of the same major version.

Default: a candidate of the next major version (which may change anything), its release, and a patch of it. If the last
version is a candidate, the next candidate of it, its release, and a patch.`

const SOURCE = fileURLToPath(new URL('../..', import.meta.url))

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: { help: { type: 'boolean' } },
    allowPositionals: true,
  })
  if (values.help === true) {
    console.log(USAGE)
    return
  }
  const folder = mkdtempSync(path.join(tmpdir(), 'rehearsal-'))
  try {
    const tags = await rehearse({
      source: SOURCE,
      folder,
      releases: positionals.length === 0 ? nextReleases(SOURCE) : positionals,
      say: console.log,
    })
    for (const [tag, commit] of tags) console.log(`${tag.padEnd(12)} ${commit}`)
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

try {
  await main()
} catch (error) {
  console.error(explain(error))
  process.exitCode = 1
}
