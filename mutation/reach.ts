import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { runJest } from './jest-run.ts'
import { forEach, Journal } from './journal.ts'
import type { Sandbox } from './sandbox.ts'

/** What one test file reaches without a mutant, in its own process and in those that it starts. */
export interface Reach {
  readonly file: string
  readonly hash: string
  readonly surroundings: string
  readonly ms: number
  readonly mutants: readonly string[]
}

/** The longest that a test file takes without a mutant. */
const LONGEST_MS = 600_000

/** Runs every test file once; what is known from an earlier time is not run again. Says what it does. */
export async function reachOfTests(
  sandbox: Sandbox,
  atOnce: number,
  say: (line: string) => void,
): Promise<Reach[]> {
  const { folder, tests, surroundings } = sandbox
  const journal = new Journal<Reach>(path.join(folder, 'reach.jsonl'))
  const isFresh = (reach: Reach): boolean =>
    reach.hash === tests.get(reach.file) && reach.surroundings === surroundings
  const known = new Set(journal.entries.filter(isFresh).map(({ file }) => file))
  const missing = [...tests.keys()].filter((file) => !known.has(file))
  if (missing.length > 0) say(`what ${String(missing.length)} test files reach, without a mutant:`)
  await forEach(missing, atOnce, async (file) => {
    const reach = (await reachOf(sandbox, file)) ?? (await reachOf(sandbox, file))
    if (reach !== undefined) journal.add(reach)
    const found = reach && `${(reach.ms / 1000).toFixed(1)} s, ${String(reach.mutants.length)} mutants`
    say(`${file}: ${found ?? 'red without a mutant, so it is left out'}`)
  })
  return journal.entries.filter(isFresh)
}

async function reachOf({ tree, tests, surroundings }: Sandbox, file: string): Promise<Reach | undefined> {
  const folder = mkdtempSync(path.join(tmpdir(), 'reached-'))
  const reached = path.join(folder, 'ids')
  try {
    const end = await runJest({ tree, files: [file], reached, timeoutMs: LONGEST_MS })
    if (end.kind !== 'green') return undefined
    const ids = existsSync(reached) ? readFileSync(reached, 'utf8').split('\n') : []
    const mutants = [...new Set(ids.filter((id) => id !== ''))]
    return { file, hash: tests.get(file) ?? '', surroundings, ms: Math.round(end.ms), mutants }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
