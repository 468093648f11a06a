import type { StepState } from '../../zenml/model.ts'
import { amount, blocks, fence } from './markdown.ts'
import { cut, escapeUnprintable } from '../../base/printable.ts'
import { inOrderOfStart } from './steps.ts'

/** More bars than these are not read; GitHub's Mermaid refuses a text of 50,000 characters. */
const MOST_BARS = 50
const MAX_LABEL_LENGTH = 40

/** A shorter bar is not seen. */
const SMALLEST_PART = 0.002

/** More labels than these at the axis lie over one another on a phone. */
const MOST_TICKS = 4

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** Beyond it the times are no times of a run, or nobody could read them. */
const LONGEST_SPAN_MS = 366 * DAY

/** In Mermaid's words, the shortest first. */
const TICKS: readonly { readonly ms: number; readonly interval: string; readonly format: string }[] = [
  ...[1, 2, 5, 10, 15, 30].map((n) => ({ ms: n * SECOND, interval: `${n}second`, format: '%H:%M:%S' })),
  ...[1, 2, 5, 10, 15, 30].map((n) => ({ ms: n * MINUTE, interval: `${n}minute`, format: '%H:%M' })),
  ...[1, 2, 3, 6, 12].map((n) => ({ ms: n * HOUR, interval: `${n}hour`, format: '%H:%M' })),
  ...[1, 2, 7].map((n) => ({ ms: n * DAY, interval: `${n}day`, format: '%m-%d' })),
]

const MARKS: ReadonlyMap<string, string> = new Map([
  ['completed', 'done, '],
  ['cached', 'done, '],
  ['skipped', 'done, '],
  ['failed', 'crit, '],
  ['running', 'active, '],
])

export interface Bar {
  readonly name: string
  readonly status: string
  readonly from: number
  readonly to: number
}

/**
 * When each step ran, as a Mermaid chart; of a great many the longest, and it says so. Empty if fewer than two steps
 * have started.
 *
 * @param now milliseconds since the epoch: where the bars of steps that still run end; undefined if that is not known
 */
export function timelineText(steps: readonly StepState[], now: number | undefined): string {
  const { bars: shown, spanMs, left } = timelineBars(steps, now)
  if (shown.length === 0) return ''
  const ticks = TICKS.find(({ ms }) => spanMs / ms <= MOST_TICKS) ?? TICKS.at(-1)
  const lines = [
    'gantt',
    '  dateFormat x',
    ...(ticks === undefined ? [] : [`  axisFormat ${ticks.format}`, `  tickInterval ${ticks.interval}`]),
    ...shown.map((bar, index) => {
      const to = Math.max(bar.to, bar.from + Math.ceil(spanMs * SMALLEST_PART))
      return `  ${label(bar.name)} :${MARKS.get(bar.status) ?? ''}s${index}, ${bar.from}, ${to}`
    }),
  ]
  return blocks(fence(lines, 'mermaid'), left)
}

export interface TimelineBars {
  readonly bars: readonly Bar[]
  /** Where the first one begins, and how long all of them take: milliseconds. */
  readonly from: number
  readonly spanMs: number
  /** Of a great many the longest are there, and it says so; else empty. */
  readonly left: string
}

/** The bars of a timeline; none if fewer than two steps have started, or where the times are none of a run. */
export function timelineBars(steps: readonly StepState[], now: number | undefined): TimelineBars {
  const all = barsOf(steps, now)
  const bars = longest(all)
  const from = Math.min(...bars.map((bar) => bar.from))
  const spanMs = Math.max(...bars.map(({ to }) => to)) - from
  const isTime = bars.length >= 2 && spanMs > 0 && spanMs <= LONGEST_SPAN_MS
  if (!isTime) return { bars: [], from: 0, spanMs: 0, left: '' }
  const left =
    all.length === bars.length
      ? ''
      : `The timeline shows the ${bars.length} longest of ${amount(all.length, 'step')} that were started.`
  return { bars, from, spanMs, left }
}

function barsOf(steps: readonly StepState[], now: number | undefined): Bar[] {
  const started = inOrderOfStart(steps).flatMap(({ name, status = '', startTime, durationMs }) =>
    startTime === undefined ? [] : [{ name, status, from: Math.round(startTime), durationMs }],
  )
  const ends = started.map(({ from, durationMs }) => from + Math.max(0, durationMs ?? 0))
  const end = ends.reduce((last, each) => Math.max(last, each), now ?? 0)
  return started.map(({ name, status, from, durationMs }) => {
    return {
      name,
      status,
      from,
      to: durationMs === undefined ? end : Math.round(from + Math.max(0, durationMs)),
    }
  })
}

/** In their order. */
function longest(bars: readonly Bar[]): Bar[] {
  if (bars.length <= MOST_BARS) return [...bars]
  const kept = new Set(bars.toSorted((a, b) => b.to - b.from - (a.to - a.from)).slice(0, MOST_BARS))
  return bars.filter((bar) => kept.has(bar))
}

/**
 * A name in Mermaid's entity codes. The first character is always one, so that no name is a word of Mermaid's, such
 * as `section`.
 */
function label(name: string): string {
  const shown = cut(escapeUnprintable(cut(name, MAX_LABEL_LENGTH)), MAX_LABEL_LENGTH)
  const codes = Array.from(shown, (character, index) =>
    index > 0 && /[A-Za-z0-9 ]/.test(character) ? character : `#${character.codePointAt(0) ?? 0};`,
  )
  return codes.length === 0 ? '#63;' : codes.join('')
}
