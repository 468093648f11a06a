import { createHash } from 'node:crypto'
import { Instrumenter } from '@stryker-mutator/instrumenter'
import { TOPICS } from './topics.ts'

export interface Mutant {
  /** The same as long as the source is. */
  readonly id: string
  readonly topic: string
  /** From the repository's root, with its line, counted from 1. */
  readonly file: string
  readonly line: number
  /** The text of that line. */
  readonly code: string
  readonly mutator: string
  readonly original: string
  readonly replacement: string
  /** Only a message reads differently. */
  readonly isWording: boolean
}

/** A text with a blank between two words is prose. Names of states, kinds and headers, URLs and the like have none. */
const PROSE = /[\p{L}\d)}"',.:;*] [\p{L}\d({"'$*]/u

const silent = (): void => undefined
const never = (): boolean => false
const LOGGER = {
  ...{ isTraceEnabled: never, isDebugEnabled: never, isInfoEnabled: never },
  ...{ isWarnEnabled: never, isErrorEnabled: never, isFatalEnabled: never },
  ...{ trace: silent, debug: silent, info: silent, warn: silent, error: silent, fatal: silent },
}

/** All mutants of the sources (path → text), and the sources with all of them built in, each behind its switch. */
export async function instrument(
  sources: ReadonlyMap<string, string>,
): Promise<{ mutants: Mutant[]; instrumented: Map<string, string> }> {
  const files = [...sources].map(([name, content]) => ({ name, content, mutate: true }))
  const options = { plugins: null, excludedMutations: [], ignorers: [] }
  const result = await new Instrumenter(LOGGER).instrument(files, options)
  const topicOf = new Map<string, string>(
    Object.entries(TOPICS).flatMap(([topic, names]) => names.map((name) => [`src/${name}`, topic] as const)),
  )
  const mutants = result.mutants.map(
    ({ id, fileName, location: { start, end }, mutatorName, replacement }) => {
      const lines = (sources.get(fileName) ?? '').split('\n').slice(start.line, end.line + 1)
      const code = (lines[0] ?? '').trim()
      lines.push((lines.pop() ?? '').slice(0, end.column))
      const original = lines.join('\n').slice(start.column)
      return {
        id,
        topic: topicOf.get(fileName) ?? '',
        file: fileName,
        line: start.line + 1,
        code,
        mutator: mutatorName,
        original,
        replacement,
        isWording: mutatorName === 'StringLiteral' && PROSE.test(original),
      }
    },
  )
  // Types no longer fit where all variants of an expression stand side by side.
  const instrumented = new Map(result.files.map(({ name, content }) => [name, `// @ts-nocheck\n${content}`]))
  return { mutants, instrumented }
}

/**
 * `size` mutants, the same for the same seed. Each draws its own lot, from the code that it changes: a change of the
 * source exchanges few others.
 */
export function sample(mutants: readonly Mutant[], seed: number, size: number): Mutant[] {
  const seen = new Map<string, number>()
  const lots = mutants.map((mutant) => {
    const { file, mutator, original, replacement } = mutant
    const code = JSON.stringify([file, mutator, original, replacement])
    const nth = (seen.get(code) ?? 0) + 1
    seen.set(code, nth)
    const lot = createHash('sha256')
      .update(JSON.stringify([seed, code, nth]))
      .digest('hex')
    return { mutant, lot }
  })
  lots.sort((a, b) => (a.lot < b.lot ? -1 : 1))
  return lots.slice(0, size).map(({ mutant }) => mutant)
}
