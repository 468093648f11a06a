import type { Environment } from '../github/workflow/environment.ts'
import { readFile } from '../github/workflow/files.ts'
import type { InputSources, ReadInputs } from '../github/inputs/read-checked.ts'
import type { WorkflowLog } from '../github/log/workflow-log.ts'
import { parseServerUrl } from '../zenml/server-url.ts'

/**
 * Reads an action's inputs, secrets masked first, and says what is worth knowing about them.
 *
 * @throws InputFaults
 */
export async function readAndTell<T>(
  read: (sources: InputSources) => Promise<ReadInputs<T>>,
  env: Environment,
  log: WorkflowLog,
): Promise<T> {
  const mask = (secret: string): void => {
    log.mask(secret)
  }
  const { inputs, notices, warnings, source } = await read({ env, readFile, mask, parseServerUrl })
  if (source !== undefined) log.info(source)
  for (const notice of notices) log.notice(notice)
  for (const warning of warnings) log.warning(warning)
  return inputs
}
