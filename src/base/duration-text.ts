const SECONDS_A_MINUTE = 60
const MINUTES_AN_HOUR = 60
const MINUTES_A_DAY = 24 * MINUTES_AN_HOUR
/** From here on nobody asks for the seconds. */
const LONG_MINUTES = 10

/** Whole seconds that have passed: the one rule by which the output, the log's times and all texts shorten a duration. */
export function wholeSeconds(ms: number): number {
  return Math.floor(Math.max(0, ms) / 1000)
}

/** Milliseconds as a person says them: `0.3 s`, `12 s`, `2 min 5 s`, `12 min`, `1 h 5 min`, `2 d 3 h`; never more than it was. */
export function shownDuration(ms: number): string {
  const seconds = wholeSeconds(ms)
  const tenths = Math.floor(Math.max(0, ms) / 100)
  if (seconds === 0 && tenths > 0) return `0.${tenths} s`
  if (seconds < SECONDS_A_MINUTE) return `${seconds} s`
  if (seconds < LONG_MINUTES * SECONDS_A_MINUTE) return inUnits(seconds, SECONDS_A_MINUTE, 'min', 's')
  const minutes = Math.floor(seconds / SECONDS_A_MINUTE)
  if (minutes < MINUTES_AN_HOUR) return `${minutes} min`
  if (minutes < MINUTES_A_DAY) return inUnits(minutes, MINUTES_AN_HOUR, 'h', 'min')
  return inUnits(Math.floor(minutes / MINUTES_AN_HOUR), 24, 'd', 'h')
}

function inUnits(amount: number, size: number, large: string, small: string): string {
  const rest = amount % size
  return `${Math.floor(amount / size)} ${large}${rest === 0 ? '' : ` ${rest} ${small}`}`
}

/** Milliseconds as a stopwatch shows them: `0:12`, `12:05`, `1:02:03`. */
export function stopwatch(ms: number): string {
  const seconds = wholeSeconds(ms)
  const hours = Math.floor(seconds / 3600)
  const minutes = Math.floor(seconds / SECONDS_A_MINUTE) % MINUTES_AN_HOUR
  const twoDigits = (part: number): string => part.toString().padStart(2, '0')
  const shown = `${twoDigits(minutes)}:${twoDigits(seconds % SECONDS_A_MINUTE)}`
  return hours === 0 ? shown.replace(/^0/, '') : `${hours}:${shown}`
}

/**
 * A day in UTC, such as `5 Oct 2026`; undefined for what is no moment.
 *
 * @param ms since the epoch
 */
export function shownDay(ms: number | undefined): string | undefined {
  const [, day, month, year] = /0?(\d+) (\w{3}) (-?\d+)/.exec(new Date(ms ?? NaN).toUTCString()) ?? []
  return day === undefined ? undefined : `${day} ${month} ${year}`
}

const TO_THE_SECOND = 'YYYY-MM-DD hh:mm:ss'.length

/**
 * Such as `2026-01-31 12:05:10 UTC`; undefined for what is no moment: a server may write anything.
 *
 * @param ms since the epoch
 */
export function shownMoment(ms: number | undefined, length = TO_THE_SECOND): string | undefined {
  const date = new Date(ms ?? NaN)
  return Number.isNaN(date.getTime())
    ? undefined
    : `${date.toISOString().slice(0, length).replace('T', ' ')} UTC`
}
