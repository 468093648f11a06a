import { open, rm } from 'node:fs/promises'
import path from 'node:path'
import type { WorkflowLog } from '../log/workflow-log.ts'
import type { RunRecord } from '../run-record.ts'
import { reportPage } from './page.ts'

/**
 * Writes the report page of a run into a folder. Gives its path; undefined if it could not be written, which a warning
 * says, as it is no reason to call a run a failure.
 *
 * @param folder one that later steps of the job can read, and that the runner empties
 */
export async function writeReport(
  record: RunRecord,
  folder: string,
  log: Pick<WorkflowLog, 'warning' | 'redact'>,
): Promise<string | undefined> {
  const file = path.join(folder, `zenml-report-${record.runId ?? 'run'}.html`)
  try {
    // What is there may be a link to somewhere else.
    await rm(file, { force: true })
    const handle = await open(file, 'wx', 0o600)
    try {
      for (const part of reportPage(record, log)) await handle.writeFile(log.redact(part))
    } finally {
      await handle.close()
    }
    return file
  } catch {
    // Half a page is none. A disk that is full still lets it go.
    await rm(file, { force: true }).catch(() => undefined)
    log.warning(
      `The report page could not be written to ${folder}: the folder of RUNNER_TEMP must be writable`,
    )
    return undefined
  }
}
