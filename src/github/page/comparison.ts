import { sum } from '../../base/decimal.ts'
import type { ComparedMetric, Comparison } from '../../run/facts.ts'
import { amount, blocks, code, link, table } from './markdown.ts'

const MOST_METRICS = 30
const MAX_NAME_LENGTH = 120

/** A run beside its baseline, as a table; what is expected of the run comes first. Empty without a comparison. */
export function comparisonText(comparison: Comparison | undefined): string {
  if (comparison === undefined) return ''
  const { input, baseline, missing, metrics } = comparison
  const name = code(input, MAX_NAME_LENGTH)
  if (baseline === undefined) return `Not compared (baseline ${name}): ${code(missing ?? '')}`
  const title = `Compared with ${link(baseline.name, baseline.url, MAX_NAME_LENGTH)} (baseline ${name})`
  if (metrics.length === 0) return `${title}: neither run logged a number.`
  const rows = metrics
    .slice(0, MOST_METRICS)
    .map((metric) => [
      code(metric.name, MAX_NAME_LENGTH),
      numberText(metric.baseline),
      numberText(metric.value),
      changeText(metric),
    ])
  const more = metrics.length - rows.length
  return blocks(
    title,
    table(['Metric', 'Baseline', 'This run', 'Change'], rows),
    more > 0 ? `${amount(more, 'more metric')} not shown.` : '',
  )
}

function numberText(value: number | undefined): string {
  return value === undefined ? 'none' : code(shownNumber(value))
}

/** As a person writes it: `0.9312`, `1,234,567`, `1.2e-7`. */
export function shownNumber(value: number): string {
  if (Number.isSafeInteger(value)) return value.toLocaleString('en-US')
  const rounded = Number(value.toPrecision(SHOWN_DIGITS))
  const isPlain = Math.abs(rounded) >= 1e-4 && Math.abs(rounded) < 1e15
  return isPlain ? rounded.toLocaleString('en-US', { maximumFractionDigits: 20 }) : String(rounded)
}

const SHOWN_DIGITS = 5

/** Such as `+0.02 (+2.2 %) ✅ better`; empty where one of both is missing, or the change is too large for a number. */
function changeText({ value, baseline, better }: ComparedMetric): string {
  if (value === undefined || baseline === undefined) return ''
  const change = Number(sum(value, -baseline).toPrecision(SHOWN_DIGITS))
  if (change === 0) return 'same'
  if (!Number.isFinite(change)) return ''
  const share = (100 * (value - baseline)) / Math.abs(baseline)
  const relative = Number.isFinite(share) ? ` (${signed(Number(share.toPrecision(2)))} %)` : ''
  return `${code(`${signed(change)}${relative}`)}${verdictText(change, better)}`
}

function signed(value: number): string {
  return `${value > 0 ? '+' : ''}${shownNumber(value)}`
}

function verdictText(change: number, better: ComparedMetric['better']): string {
  if (better === undefined) return ''
  return change > 0 === (better === 'higher') ? ' ✅ better' : ' 🔻 worse'
}
