import type { Version } from './servers.ts'

/** How one case ended on one server. */
export interface Outcome {
  readonly version: Version
  readonly name: string
  readonly seconds: number
  /** What went wrong; undefined if it passed. */
  readonly error: string | undefined
}

/** A Markdown table of all outcomes, what went wrong in full, and the closing line. */
export function report(outcomes: readonly Outcome[]): string {
  const lines = ['', '| server | case | result | seconds |', '| --- | --- | --- | ---: |']
  for (const { version, name, seconds, error } of outcomes) {
    lines.push(
      `| ${version} | ${name} | ${error === undefined ? 'passed' : 'FAILED'} | ${seconds.toFixed(1)} |`,
    )
  }
  for (const { version, name, error } of outcomes) {
    if (error !== undefined) lines.push('', `${version}: ${name}`, error.replaceAll(/^/gm, '    '))
  }
  const failed = outcomes.filter(({ error }) => error !== undefined).length
  lines.push('', `${outcomes.length - failed} passed, ${failed} failed`)
  return lines.join('\n')
}
