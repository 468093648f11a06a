const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** GitHub ends every workflow run after 35 days, so a longer time is a mistake. */
const MAX_DURATION_MS = 35 * DAY

/** Longer than any time in this notation; the grammar below takes its time on long texts. */
const MAX_LENGTH = 50

/** Each at most once, the largest first. */
const UNITS = { d: DAY, h: HOUR, m: MINUTE, s: SECOND }
const PARTS = Object.keys(UNITS).map((unit) => `(?:(?<${unit}>\\d{1,9}(?:\\.\\d{1,3})?)\\s*${unit})?`)
const GRAMMAR = new RegExp(`^(?=\\d)${PARTS.join('\\s*')}$`)

const ZERO = 'is zero; write a time such as 30m or 2h30m'

export type ParsedDuration =
  { readonly ok: true; readonly ms: number } | { readonly ok: false; readonly problem: string }

/**
 * Reads a time such as `90s`, `45m`, `2h30m`, `1.5h` or `1d`, in milliseconds.
 *
 * A number needs its unit; zero, negative times and more than 35 days are refused. The problem is worded to
 * stand behind the value.
 */
export function parseDuration(text: string): ParsedDuration {
  if (/^[-\u2212]\s*\d/.test(text)) return fault('is negative; write a time such as 30m or 2h30m')
  if (/^\+?0+(?:\.0+)?$/.test(text)) return fault(ZERO)
  if (/^\+?\d+(?:\.\d+)?$/.test(text)) {
    const number = text.replace('+', '').slice(0, 9)
    return fault(`has no unit; write ${number}s for seconds or ${number}m for minutes`)
  }
  const parts = text.length <= MAX_LENGTH ? GRAMMAR.exec(text)?.groups : undefined
  if (parts === undefined) {
    return fault('is not a time; write days, hours, minutes and seconds as in 1d, 2h30m, 45m or 90s')
  }
  const ms = Object.entries(UNITS).reduce((sum, [unit, size]) => sum + Number(parts[unit] ?? 0) * size, 0)
  if (ms < 1) return fault(ZERO)
  if (ms > MAX_DURATION_MS) return fault('is longer than GitHub lets a workflow run last; write at most 35d')
  return { ok: true, ms: Math.round(ms) }
}

function fault(problem: string): ParsedDuration {
  return { ok: false, problem }
}
