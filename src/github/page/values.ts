import type { ValueChange } from '../../run/configure/difference.ts'
import type { Verdict } from '../../run/outcome/evaluate-expectations.ts'
import type { RunDetails } from '../../run/facts.ts'
import type { JsonValue } from '../../base/json.ts'
import type { RunRecord } from '../run-record.ts'
import type { DefinitionKind } from '../../zenml/model.ts'
import { amount, blocks, code, grouped, table } from './markdown.ts'

const MOST_VERDICTS = 100
/** So many are shown. */
export const MOST_UNJUDGED = 20
const MOST_CHANGES = 50
const MOST_METRICS = 100
const MAX_NAME_LENGTH = 120
const MAX_VALUE_LENGTH = 200

const HEADS: Readonly<Record<DefinitionKind, string>> = { template: 'Template', snapshot: 'Snapshot' }

/** What was expected of the run's metadata, as a table; the missed ones come first. */
export function verdictsText(verdicts: readonly Verdict[], most = MOST_VERDICTS): string {
  if (verdicts.length === 0) return ''
  const rows = verdicts
    .toSorted((a, b) => Number(a.held) - Number(b.held))
    .slice(0, most)
    .map((verdict) => [`${signOf(verdict)} ${code(verdict.wanted)}`, code(verdict.got)])
  const more = verdicts.length - rows.length
  return blocks(table(['Expected', 'Got'], rows), more > 0 ? `${grouped(more)} more not shown.` : '')
}

/** What a run is to be judged by that was handed over before its end; empty if nothing. */
export function unjudgedText(unjudged: readonly string[]): string {
  if (unjudged.length === 0) return ''
  const shown = unjudged.slice(0, MOST_UNJUDGED).map((wanted) => code(wanted))
  const more = unjudged.length - shown.length
  return `Not judged yet: ${shown.join(', ')}${more > 0 ? ` and ${grouped(more)} more` : ''}`
}

/** How to follow a run that was handed over; empty for any other. */
export function handedOverText({ conclusion, runId }: RunRecord): string {
  if (conclusion !== 'running' || runId === undefined) return ''
  return `Handed over. To keep following the run, use wait/ with ${code(`run: ${runId}`)}`
}

function signOf({ held, isUnchecked }: Verdict): string {
  if (isUnchecked === true) return '⚠️'
  return held ? '✅' : '❌'
}

/** What the run got instead of the definition's values, as a table. */
export function changesText(changes: readonly ValueChange[], kind: DefinitionKind = 'template'): string {
  if (changes.length === 0) return ''
  const rows = changes.slice(0, MOST_CHANGES).map(({ path, before, after }) => {
    const was = before === undefined ? 'none' : shownValue(before)
    return [code(path, MAX_NAME_LENGTH), `${was} → ${shownValue(after)}`]
  })
  const more = changes.length - rows.length
  return blocks(
    table(['Changed', `${HEADS[kind]} → run`], rows),
    more > 0 ? `${amount(more, 'more change')} not shown.` : '',
  )
}

/** A table must escape a bar, and in what is escaped the runner finds no secret to hide. */
function shownValue(value: string): string {
  return code(value.includes('|') ? 'a value with a vertical bar; see the log' : value, MAX_VALUE_LENGTH)
}

interface Metric {
  readonly name: string
  readonly value: JsonValue
}

type SingleValue = string | number | boolean | null

function isSingle<T extends { readonly value: JsonValue }>(
  metric: T,
): metric is T & { readonly value: SingleValue } {
  return metric.value === null || typeof metric.value !== 'object'
}

/** The single values among the metadata of a run and its steps, as a table; the run's own come first. */
export function metricsText(
  { metadata, stepMetadata }: Pick<RunDetails, 'metadata' | 'stepMetadata'>,
  most = MOST_METRICS,
): string {
  const all: Metric[] = [
    ...Object.entries(metadata).map(([name, value]) => ({ name, value })),
    ...stepMetadata.flatMap(({ step, metadata: ofStep }) =>
      Object.entries(ofStep).map(([name, value]) => ({ name: `${step}.${name}`, value })),
    ),
  ]
  const single = all.filter(isSingle)
  const rows = single.slice(0, most).map(({ name, value }) => {
    return [code(name, MAX_NAME_LENGTH), code(String(value), MAX_VALUE_LENGTH)]
  })
  const unshown = single.length - rows.length
  const structured = all.length - single.length
  const left = [
    ...(unshown > 0 ? [amount(unshown, 'more value')] : []),
    ...(structured === 1 ? ['a list or mapping'] : []),
    ...(structured > 1 ? [`${grouped(structured)} lists or mappings`] : []),
  ].join(' and ')
  return blocks(
    rows.length === 0 ? '' : table(['Metadata', 'Value'], rows),
    left === '' ? '' : `Metadata not shown: ${left}.`,
  )
}
