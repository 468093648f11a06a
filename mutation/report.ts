import { setApart } from './apart.ts'
import type { Mutant } from './mutants.ts'
import type { Fate, Trial } from './trial.ts'

export interface Tried {
  readonly mutant: Mutant
  readonly trial: Trial
}

const FATES: readonly Fate[] = ['killed', 'timed out', 'survived', 'not reached']
const isSeen = ({ fate }: Trial): boolean => fate === 'killed' || fate === 'timed out'

/** A mutant that is set apart and seen all the same counts like any other. */
const isApart = ({ mutant, trial }: Tried): boolean => !isSeen(trial) && setApart(mutant) !== undefined

/** How many of a hundred mutants that count turned a test red; 100 if none counts. */
export function score(tried: readonly Tried[]): number {
  const counted = tried.filter((each) => !isApart(each))
  const seen = counted.filter(({ trial }) => isSeen(trial))
  return counted.length === 0 ? 100 : (100 * seen.length) / counted.length
}

const short = (code: string): string => {
  const line = code.replaceAll(/\s+/g, ' ')
  return line.length > 160 ? `${line.slice(0, 159)}…` : line
}

/** The mutant, in two or three lines. */
export function described({ mutant, trial }: Tried): string {
  const { id, file, line, mutator, original, replacement } = mutant
  const by = trial.by && `: ${trial.by.file}, ${trial.by.test ?? 'all of it'}`
  const why = isSeen(trial) ? undefined : setApart(mutant)
  return [
    `${trial.fate}${by ?? ''}  ${file}:${String(line)}  ${mutator}  (--only ${id})`,
    `    - ${short(original)}`,
    `    + ${short(replacement)}`,
    ...(why === undefined ? [] : [`    ${why.kind}: ${why.why}`]),
  ].join('\n')
}

/** A row for each topic, then one for all. `wording` is not drawn from, and only counted. */
export function table(tried: readonly Tried[], wording: readonly Mutant[]): string {
  const topics = [...new Set(tried.map(({ mutant }) => mutant.topic))].sort()
  const row = (name: string, those: readonly Tried[], words: number): string[] => {
    const counted = those.filter((each) => !isApart(each))
    const fates = FATES.map((fate) => String(counted.filter(({ trial }) => trial.fate === fate).length))
    return [
      name,
      ...fates,
      String(those.length - counted.length),
      `${score(those).toFixed(1)} %`,
      String(words),
    ]
  }
  const rows = [
    ['', ...FATES, 'set apart', 'seen', '(words, not drawn)'],
    ...topics.map((topic) =>
      row(
        topic,
        tried.filter(({ mutant }) => mutant.topic === topic),
        wording.filter((mutant) => mutant.topic === topic).length,
      ),
    ),
    row('all', tried, wording.length),
  ]
  const widths =
    rows[0]?.map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0))) ?? []
  return rows
    .map((cells) =>
      cells
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
