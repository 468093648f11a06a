import { summary } from '@actions/core'
import type { Redactor } from './secrets/redactor.ts'

/**
 * Appends Markdown to the job summary.
 *
 * @throws {Error} when the runner gave no file for it that can be written to.
 */
export async function appendSummary(markdown: string, redactor: Redactor): Promise<void> {
  await summary.addRaw(redactor.redact(markdown)).write()
}
