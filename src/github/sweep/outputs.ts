import type { JsonObject, JsonValue } from '../../base/json.ts'
import type { CellResult, SweepResult } from '../../run/sweep/cell.ts'
import { cut, harmlessJson } from '../../base/printable.ts'

/** Characters of the output `runs`; GitHub gives all outputs of a job 1 MB together, and counts two bytes a character. */
const MAX_LENGTH = 300_000
const NOTE_LENGTH = 40
/** Of one text, in a list of at most 256 cells. */
const MAX_TEXT_LENGTH = 500

type SweepOutput =
  | 'runs'
  | 'best-run-id'
  | 'best-run-name'
  | 'best-run-url'
  | 'best-parameters'
  | 'best-value'
  | 'completed'
  | 'failed'

/** Before anything is known, and where nothing was started: a later `fromJSON` must not fail. */
export const EMPTY_SWEEP_OUTPUTS = {
  runs: '[]',
  'best-parameters': '{}',
  completed: '0',
  failed: '0',
} as const

/** The outputs of a sweep. */
export function sweepOutputs({ cells, best }: SweepResult): Readonly<Record<SweepOutput, string>> {
  const completed = cells.filter(hasCompleted).length
  return {
    runs: boundedList(cells.map(entryOf)),
    'best-run-id': best?.run?.id ?? '',
    'best-run-name': best?.run?.name ?? '',
    'best-run-url': best?.run?.url ?? '',
    'best-parameters': best === undefined ? '{}' : shown(best.cell.values),
    'best-value': best === undefined ? '' : String(best.rank.value),
    completed: String(completed),
    failed: String(cells.length - completed),
  }
}

function hasCompleted({ outcome }: CellResult): boolean {
  return outcome?.conclusion === 'completed' || outcome?.conclusion === 'expectation-missed'
}

function entryOf({ cell, run, outcome, notStarted, details, rank, verdicts }: CellResult): JsonObject {
  return {
    cell: cell.number,
    parameters: cell.values,
    'run-id': run?.id ?? null,
    'run-name': run?.name ?? null,
    'run-url': run?.url ?? null,
    status: outcome?.status ?? null,
    conclusion: outcome?.conclusion ?? 'not-started',
    duration: details?.durationMs === undefined ? null : Math.round(details.durationMs) / 1000,
    value: rank !== undefined && 'value' in rank ? rank.value : null,
    expectations: verdicts.map(({ wanted, got, held }) => ({
      expected: cut(wanted, MAX_TEXT_LENGTH),
      got: cut(got, MAX_TEXT_LENGTH),
      met: held,
    })),
    error: cutOrNull(outcome?.error ?? notStarted),
  }
}

function cutOrNull(text: string | undefined): JsonValue {
  return text === undefined ? null : cut(text, MAX_TEXT_LENGTH)
}

function shown(value: JsonValue): string {
  return harmlessJson(JSON.stringify(value))
}

/** What is too long loses whole entries from its end, and says in a last one how many. */
function boundedList(entries: readonly JsonObject[]): string {
  const texts: string[] = []
  let length = NOTE_LENGTH
  for (const entry of entries) {
    const text = shown(entry)
    length += text.length + 1
    if (length > MAX_LENGTH) break
    texts.push(text)
  }
  const left = entries.length - texts.length
  return `[${[...texts, ...(left > 0 ? [`{"left-out":${left}}`] : [])].join(',')}]`
}
