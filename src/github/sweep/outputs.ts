import type { JsonObject, JsonValue } from '../../base/json.ts'
import type { CellResult, SweepResult } from '../../run/sweep/cell.ts'
import { cut, showOnOneLine } from '../../base/printable.ts'
import { shownJson, shownList } from '../json-outputs.ts'

/** Characters of the output `runs`; GitHub gives all outputs of a job 1 MB together, and counts two bytes a character. */
const MAX_LENGTH = 300_000
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
export function sweepOutputs({ cells, completed, best }: SweepResult): Readonly<Record<SweepOutput, string>> {
  return {
    runs: shownList(cells.map(entryOf), MAX_LENGTH),
    'best-run-id': best?.run?.id ?? '',
    'best-run-name': showOnOneLine(best?.run?.name ?? '', MAX_TEXT_LENGTH),
    'best-run-url': best?.run?.url ?? '',
    'best-parameters': best === undefined ? '{}' : (shownJson(best.cell.values) ?? '{}'),
    'best-value': best === undefined ? '' : String(best.rank.value),
    completed: String(completed),
    failed: String(cells.length - completed),
  }
}

function entryOf({ cell, run, outcome, reason, durationMs, rank, verdicts }: CellResult): JsonObject {
  return {
    cell: cell.number,
    parameters: cell.values,
    'run-id': run?.id ?? null,
    'run-name': run?.name ?? null,
    'run-url': run?.url ?? null,
    status: outcome?.status ?? null,
    conclusion: outcome?.conclusion ?? 'not-started',
    duration: durationMs === undefined ? null : Math.round(durationMs) / 1000,
    value: rank !== undefined && 'value' in rank ? rank.value : null,
    unranked: cutOrNull(rank !== undefined && 'problem' in rank ? rank.problem : undefined),
    expectations: verdicts.map(({ wanted, got, held }) => ({
      expected: cut(wanted, MAX_TEXT_LENGTH),
      got: cut(got, MAX_TEXT_LENGTH),
      met: held,
    })),
    error: cutOrNull(outcome === undefined ? reason : outcome.error),
  }
}

function cutOrNull(text: string | undefined): JsonValue {
  return text === undefined ? null : cut(text, MAX_TEXT_LENGTH)
}
