const SECONDS_A_MINUTE = 60
const MINUTES_AN_HOUR = 60
const MINUTES_A_DAY = 24 * MINUTES_AN_HOUR
/** From here on nobody asks for the seconds. */
const LONG_MINUTES = 10

/** Milliseconds as a person says them: `0.3 s`, `12 s`, `2 min 5 s`, `12 min`, `1 h 5 min`, `2 d 3 h`. */
export function shownDuration(ms: number): string {
  const exact = Math.max(0, ms) / 1000
  if (exact >= 0.05 && exact < 0.95) return `${exact.toFixed(1)} s`
  const seconds = Math.round(exact)
  if (seconds < SECONDS_A_MINUTE) return `${seconds} s`
  if (seconds < LONG_MINUTES * SECONDS_A_MINUTE) return inUnits(seconds, SECONDS_A_MINUTE, 'min', 's')
  const minutes = Math.round(seconds / SECONDS_A_MINUTE)
  if (minutes < MINUTES_AN_HOUR) return `${minutes} min`
  if (minutes < MINUTES_A_DAY) return inUnits(minutes, MINUTES_AN_HOUR, 'h', 'min')
  return inUnits(Math.round(minutes / MINUTES_AN_HOUR), 24, 'd', 'h')
}

function inUnits(amount: number, size: number, large: string, small: string): string {
  const rest = amount % size
  return `${Math.floor(amount / size)} ${large}${rest === 0 ? '' : ` ${rest} ${small}`}`
}

/** Milliseconds as a stopwatch shows them: `0:12`, `12:05`, `1:02:03`. */
export function stopwatch(ms: number): string {
  const seconds = Math.floor(Math.max(0, ms) / 1000)
  const hours = Math.floor(seconds / 3600)
  const minutes = Math.floor(seconds / SECONDS_A_MINUTE) % MINUTES_AN_HOUR
  const twoDigits = (part: number): string => part.toString().padStart(2, '0')
  const shown = `${twoDigits(minutes)}:${twoDigits(seconds % SECONDS_A_MINUTE)}`
  return hours === 0 ? shown.replace(/^0/, '') : `${hours}:${shown}`
}
