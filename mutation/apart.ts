import type { Mutant } from './mutants.ts'

/** A mutant that no test can or need see, and why. */
interface Apart {
  /** As in the report. */
  readonly file: string
  readonly original: string
  readonly replacement: string
  readonly kind: 'changes nothing' | 'only words'
  readonly why: string
}

/** Found by looking at survivors, each one by hand. */
const APART: readonly Apart[] = []

/** Why a mutant does not count; undefined if it does. */
export function setApart(mutant: Mutant): Apart | undefined {
  return APART.find(
    ({ file, original, replacement }) =>
      file === mutant.file && original === mutant.original && replacement === mutant.replacement,
  )
}
