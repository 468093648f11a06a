import { createHash } from 'node:crypto'
import path from 'node:path'
import { runCommand } from '../scripts/command-line.ts'
import { forEach, Journal } from './journal.ts'
import { sample, type Mutant } from './mutants.ts'
import { reachOfTests, type Reach } from './reach.ts'
import { described, score, table, type Tried } from './report.ts'
import { openSandbox, type Sandbox } from './sandbox.ts'
import { batchesFor, tryMutant, type Trial } from './trial.ts'

const DEFAULTS = { seed: '1', size: '200', workers: '2', least: '90' } as const

const USAGE = `Changes the code in small ways, one at a time, and tells which changes no test sees.

  npm run mutate -- [--seed N] [--size N] [--workers N] [--least N] [--only ID]

  --seed     of the sample; the same seed draws the same mutants as long as the source is the same; default ${DEFAULTS.seed}
  --size     of the sample; default ${DEFAULTS.size}
  --workers  how many mutants are tried at once; default ${DEFAULTS.workers}
  --least    how many of a hundred must turn a test red; default ${DEFAULTS.least}
  --only     tries mutants alone, by their ids, with a comma in between
`

/** A trial, and the tests that it holds for. */
interface KeptTrial extends Trial {
  /** Of the test that saw the mutant, or of all tests if none did. */
  readonly tests: string
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** Tries each mutant once; one whose fate is known, and whose tests are the same, is not tried again. */
async function tryAll(sandbox: Sandbox, mutants: readonly Mutant[], workers: number): Promise<Tried[]> {
  const reaches = await reachOfTests(sandbox, workers, say)
  const allTests = createHash('sha256')
    .update([...sandbox.tests.values(), sandbox.surroundings].join())
    .digest('hex')
    .slice(0, 16)
  const testsOf = ({ by }: Trial): string =>
    by === undefined ? allTests : (sandbox.tests.get(by.file) ?? '')
  const journal = new Journal<KeptTrial>(path.join(sandbox.folder, 'trials.jsonl'))
  const known = new Map(
    journal.entries.filter((trial) => trial.tests === testsOf(trial)).map((trial) => [trial.id, trial]),
  )
  const missing = mutants.filter(({ id }) => !known.has(id))
  let done = mutants.length - missing.length
  const keep = (mutant: Mutant, trial: Trial): void => {
    const kept = { ...trial, tests: testsOf(trial) }
    journal.add(kept)
    known.set(mutant.id, kept)
    say(`${String(++done)}/${String(mutants.length)} ${described({ mutant, trial })}`)
  }
  // Most are seen by the first tests. The others take long, and are named early this way.
  const late: { mutant: Mutant; rest: Reach[][] }[] = []
  await forEach(missing, workers, async (mutant) => {
    const [first, ...rest] = batchesFor(mutant, reaches)
    const trial = await tryMutant(mutant, first === undefined ? [] : [first], sandbox.tree)
    if (trial.fate !== 'survived' || rest.length === 0) {
      keep(mutant, trial)
      return
    }
    late.push({ mutant, rest })
    say(`not seen by the first tests: ${described({ mutant, trial })}`)
  })
  await forEach(late, workers, async ({ mutant, rest }) => {
    keep(mutant, await tryMutant(mutant, rest, sandbox.tree))
  })
  return mutants.flatMap((mutant) => {
    const trial = known.get(mutant.id)
    return trial === undefined ? [] : [{ mutant, trial }]
  })
}

async function main(flags: Readonly<Record<keyof typeof DEFAULTS, string>>, only?: string): Promise<number> {
  const began = performance.now()
  const sandbox = await openSandbox()
  const drawable = sandbox.mutants.filter(({ isWording }) => !isWording)
  const ids = only?.split(',')
  const chosen =
    ids === undefined
      ? sample(drawable, Number(flags.seed), Number(flags.size))
      : sandbox.mutants.filter(({ id }) => ids.includes(id))
  say(`${String(chosen.length)} of ${String(drawable.length)} mutants`)
  const tried = await tryAll(sandbox, chosen, Number(flags.workers))

  const unseen = tried.filter(({ trial }) => trial.fate === 'survived' || trial.fate === 'not reached')
  say(`\nNo test sees these ${String(unseen.length)}:\n${unseen.map(described).join('\n')}\n`)
  const wording = sandbox.mutants.filter(({ isWording }) => isWording)
  say(table(tried, wording))
  say(`seed ${flags.seed}, ${((performance.now() - began) / 60_000).toFixed(1)} minutes`)
  return score(tried) >= Number(flags.least) ? 0 : 1
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    say('Broken off; the same command goes on from here.')
    process.emit('exit', 1)
    process.kill(process.pid, 'SIGKILL')
  })
}

await runCommand(USAGE, DEFAULTS, main)
