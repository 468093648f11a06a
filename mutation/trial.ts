import path from 'node:path'
import { runJest, type RedTest } from './jest-run.ts'
import type { Mutant } from './mutants.ts'
import type { Reach } from './reach.ts'

export type Fate = 'killed' | 'timed out' | 'survived' | 'not reached'

/** What became of one mutant. */
export interface Trial {
  readonly id: string
  readonly fate: Fate
  /** The test that saw it first. */
  readonly by?: RedTest
}

/** So many test files, and so many seconds of them, share one start of jest. */
const FILES_AT_ONCE = 12
const MS_AT_ONCE = 25_000

/** A machine that has other things to do takes longer than it did without the mutant. */
const patienceMs = (ms: number): number => 3 * ms + 20_000

/** The tests that most likely see the mutant come first: those named after its file, then the quickest. */
function inOrder(mutant: Mutant, reaches: readonly Reach[]): Reach[] {
  const subject = `/${path.posix.basename(mutant.file, '.ts')}.`
  const rank = ({ file }: Reach): number => (file.includes(subject) ? 0 : 1)
  return reaches
    .filter(({ mutants }) => mutants.includes(mutant.id))
    .sort((a, b) => rank(a) - rank(b) || a.ms - b.ms)
}

/** The test files that reach the mutant, as they are run: all of a batch in one process. */
export function batchesFor(mutant: Mutant, reaches: readonly Reach[]): Reach[][] {
  const made: Reach[][] = []
  let ms = Infinity
  for (const reach of inOrder(mutant, reaches)) {
    const last = made.at(-1)
    if (last === undefined || last.length === FILES_AT_ONCE || ms + reach.ms > MS_AT_ONCE) {
      made.push([reach])
      ms = reach.ms
    } else {
      last.push(reach)
      ms += reach.ms
    }
  }
  return made
}

/** Runs tests until one is red, twice: a test that is red by chance sees nothing. */
export async function tryMutant({ id }: Mutant, batches: readonly Reach[][], tree: string): Promise<Trial> {
  if (batches.length === 0) return { id, fate: 'not reached' }
  const left = [...batches]
  for (let batch = left.shift(); batch !== undefined; batch = left.shift()) {
    const files = batch.map(({ file }) => file)
    const ms = batch.reduce((sum, reach) => sum + reach.ms, 0)
    const end = await runJest({ tree, files, mutant: id, timeoutMs: patienceMs(ms) })
    if (end.kind === 'timed-out') return { id, fate: 'timed out' }
    if (end.kind === 'green') continue
    const { file, test } = end.red
    const again = await runJest({ tree, files: [file], test, mutant: id, timeoutMs: patienceMs(ms) })
    if (again.kind !== 'green') return { id, fate: 'killed', by: end.red }
    left.unshift(batch.slice(files.indexOf(file) + 1))
    if (left[0]?.length === 0) left.shift()
  }
  return { id, fate: 'survived' }
}
