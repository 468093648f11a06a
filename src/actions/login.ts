import type { Environment } from '../github/workflow/environment.ts'
import { readFile } from '../github/workflow/files.ts'
import { InputFaults } from '../github/inputs/faults.ts'
import { readLoginInputs } from '../github/inputs/read.ts'
import type { WorkflowLog } from '../github/log/workflow-log.ts'
import { exportConnection, setOutput, setTokenOutput } from '../github/outputs.ts'
import { RunLog } from '../github/log/run-log.ts'
import { isZenmlError } from '../zenml/errors.ts'
import { parseServerUrl } from '../zenml/server-url.ts'
import { systemClock } from '../base/system-clock.ts'
import { openClient, openHttp } from './connect.ts'

/** The last moment that a date of four digits can say; a server may name any number of seconds. */
const LAST_MOMENT_MS = Date.UTC(9999, 11, 31)

/**
 * Exchanges an API key for a token, and hands that to the later steps. Gives whether the step succeeded; all that
 * a person should know has been said then.
 *
 * @throws whatever nobody foresaw
 */
export async function login(env: Environment, log: WorkflowLog): Promise<boolean> {
  const mask = (secret: string): void => {
    log.mask(secret)
  }
  try {
    const { inputs, notices, warnings, source } = await readLoginInputs({
      env,
      readFile,
      mask,
      parseServerUrl,
    })
    if (source !== undefined) log.info(source)
    for (const notice of notices) log.notice(notice)
    for (const warning of warnings) log.warning(warning)
    const reporter = new RunLog(log, systemClock)
    const http = openHttp(inputs.authorities)
    const connection = await openClient({ inputs, http, clock: systemClock, log, reporter })
    try {
      const token = await connection.session.token()
      const { serverUrl } = connection.client
      handOver(serverUrl, token, connection.session.expiresAt, log)
      if (inputs.exportEnv) {
        exportConnection(serverUrl, token, env)
        log.info('Later steps of this job can use ZENML_STORE_URL and ZENML_STORE_API_TOKEN')
      }
    } finally {
      await connection.close()
    }
    return true
  } catch (error) {
    if (error instanceof InputFaults) {
      for (const { input, line } of error.faults) log.error(line, { title: `Input ${input}` })
    } else if (isZenmlError(error)) {
      log.error(error.message, { title: 'ZenML login failed' })
    } else {
      throw error
    }
    return false
  }
}

/** @param expiresAt milliseconds since the epoch; undefined: never. */
function handOver(serverUrl: string, token: string, expiresAt: number | undefined, log: WorkflowLog): void {
  const end = expiresAt === undefined ? '' : timeOf(expiresAt)
  setTokenOutput(token)
  setOutput('expires-at', end, log)
  log.info(`Logged in at ${serverUrl}; the token ${end === '' ? 'does not expire' : `is valid until ${end}`}`)
}

/** Whole seconds, cut off: a token must not be taken for valid after its end. */
function timeOf(ms: number): string {
  return `${new Date(Math.min(Math.max(0, ms), LAST_MOMENT_MS)).toISOString().slice(0, 19)}Z`
}
