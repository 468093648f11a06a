import { labelOf, type Target } from './target.ts'

/** How one case ended on one server. */
export interface Outcome {
  readonly target: Target
  readonly name: string
  readonly seconds: number
  /** What went wrong; undefined if it passed. */
  readonly error: string | undefined
}

/** One line for each case on each server, as Markdown. */
export function list(outcomes: readonly Outcome[]): string {
  return table(
    ['server', 'case', 'result', 'seconds'],
    outcomes.map((outcome) => [labelOf(outcome.target), outcome.name, resultOf(outcome), seconds(outcome)]),
  )
}

/** One line for each server, one column for each case: the seconds it took, as Markdown. */
export function grid(outcomes: readonly Outcome[]): string {
  const names = [...new Set(outcomes.map(({ name }) => name))]
  return table(
    ['server', ...names],
    byServer(outcomes).map(([label, own]) => [
      label,
      ...names.map((name) => {
        const outcome = own.find((each) => each.name === name)
        if (outcome === undefined) return '–'
        return outcome.error === undefined ? seconds(outcome) : 'FAILED'
      }),
    ]),
  )
}

/** What went wrong in full, the time of each server, and the closing line. */
export function closing(outcomes: readonly Outcome[]): string {
  const lines = outcomes.flatMap(({ target, name, error }) =>
    error === undefined ? [] : ['', `${labelOf(target)}: ${name}`, error.replaceAll(/^/gm, '    ')],
  )
  lines.push('')
  for (const [label, own] of byServer(outcomes)) {
    const total = own.reduce((sum, outcome) => sum + outcome.seconds, 0)
    lines.push(`${label}: ${own.length} cases in ${Math.round(total)} s`)
  }
  const failed = outcomes.filter(({ error }) => error !== undefined).length
  lines.push('', `${outcomes.length - failed} passed, ${failed} failed`)
  return lines.join('\n')
}

export function resultOf({ error }: Outcome): string {
  return error === undefined ? 'passed' : 'FAILED'
}

function byServer(outcomes: readonly Outcome[]): [string, Outcome[]][] {
  const labels = new Set(outcomes.map(({ target }) => labelOf(target)))
  return [...labels].map((label) => [label, outcomes.filter(({ target }) => labelOf(target) === label)])
}

function seconds(outcome: Outcome): string {
  return outcome.seconds.toFixed(1)
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}
