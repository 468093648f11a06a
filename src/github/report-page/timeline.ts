import { shownDuration } from '../../base/duration-text.ts'
import { timelineBars } from '../page/timeline.ts'
import type { RunRecord } from '../run-record.ts'
import { shown } from './to-html.ts'

const ROW_HEIGHT = 34
const BAR_HEIGHT = 10
const MAX_LABEL_LENGTH = 80

const COLOURS: ReadonlyMap<string, string> = new Map([
  ['completed', 'done'],
  ['cached', 'cached'],
  ['skipped', 'cached'],
  ['failed', 'failed'],
  ['running', 'running'],
])

/**
 * When each step ran, as a picture whose bars grow with the page while its words do not. Empty where the job summary
 * has no timeline either.
 */
export function timelineSvg({ steps, asOf }: Pick<RunRecord, 'steps' | 'asOf'>): string {
  const { bars, from, spanMs, left } = timelineBars(steps, asOf)
  if (bars.length === 0) return ''
  const percent = (ms: number): string => `${((100 * ms) / spanMs).toFixed(2)}%`
  const rows = bars.map(({ name, status, from: start, to }, index) => {
    const y = index * ROW_HEIGHT
    const label = `${shown(name.slice(0, MAX_LABEL_LENGTH))}, ${shown(status)} in ${shown(shownDuration(to - start))}`
    const place = `x="${percent(start - from)}" y="${y + 20}" width="${percent(to - start)}" height="${BAR_HEIGHT}"`
    return (
      `<text x="0" y="${y + 14}">${label}</text><rect class="track" x="0" y="${y + 20}" width="100%" height="${BAR_HEIGHT}" rx="3"/>` +
      `<rect class="${COLOURS.get(status) ?? 'other'}" ${place} rx="3"/>`
    )
  })
  const height = bars.length * ROW_HEIGHT
  const title = `<title>When each step ran, in ${shown(shownDuration(spanMs))}</title>`
  return `<svg class="timeline" role="img" width="100%" height="${height}">${title}${rows.join('\n')}</svg>${left === '' ? '' : `<p>${shown(left)}</p>`}`
}
