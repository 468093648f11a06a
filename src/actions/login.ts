import type { Environment } from '../github/workflow/environment.ts'
import { systemCode } from '../github/workflow/files.ts'
import { isOtherServer } from '../github/inputs/connection.ts'
import { InputFaults } from '../github/inputs/faults.ts'
import { readLoginInputs } from '../github/inputs/read.ts'
import type { WorkflowLog } from '../github/log/workflow-log.ts'
import { exportConnection, setOutput, setTokenOutput } from '../github/outputs.ts'
import { RunLog } from '../github/log/run-log.ts'
import { isZenmlError } from '../zenml/errors.ts'
import { parseServerUrl } from '../zenml/server-url.ts'
import { systemClock } from '../base/system-clock.ts'
import type { Http } from '../http/http.ts'
import { openClient, openHttp } from './open-client.ts'
import { readAndTell } from './read-inputs.ts'

const FAILED = 'ZenML login failed'

/** Their post steps see the variables as they are at the job's end. */
const OTHER_SERVER =
  'ZENML_STORE_URL named another server before, so earlier steps cannot look after their runs at the end; give them the inputs server-url and api-key'

/** The last moment that a date of four digits can say; a server may name any number of seconds. */
const LAST_MOMENT_MS = Date.UTC(9999, 11, 31)

/**
 * Exchanges an API key for a token, and hands that to the later steps. Gives whether the step succeeded; all that
 * a person should know has been said then.
 *
 * @throws whatever nobody foresaw
 */
export async function login(env: Environment, log: WorkflowLog, first?: Http): Promise<boolean> {
  try {
    const inputs = await readAndTell(readLoginInputs, env, log)
    const reporter = new RunLog(log, systemClock)
    const http = first ?? openHttp(inputs.authorities)
    const connection = await openClient({ inputs, http, clock: systemClock, log, reporter })
    try {
      const token = await connection.session.token()
      const { serverUrl } = connection.client
      return handOver(
        { serverUrl, token, expiresAt: connection.session.expiresAt },
        inputs.exportEnv,
        env,
        log,
      )
    } finally {
      connection.close()
    }
  } catch (error) {
    if (error instanceof InputFaults) {
      for (const { input, line } of error.faults) log.error(line, { title: `Input ${input}` })
    } else if (isZenmlError(error)) {
      log.error(error.message, { title: FAILED })
    } else {
      throw error
    }
    return false
  }
}

interface Login {
  readonly serverUrl: string
  readonly token: string
  /** Milliseconds since the epoch; undefined: never. */
  readonly expiresAt: number | undefined
}

/** Gives false, and says why, if the later steps could not be given what they need. */
function handOver(
  { serverUrl, token, expiresAt }: Login,
  exportEnv: boolean,
  env: Environment,
  log: WorkflowLog,
): boolean {
  const end = expiresAt === undefined ? '' : timeOf(expiresAt)
  try {
    setTokenOutput(token)
    setOutput('expires-at', end, log)
    log.info(
      `Logged in at ${serverUrl}; the token ${end === '' ? 'does not expire' : `is valid until ${end}`}`,
    )
    if (!exportEnv) return true
    const isOther = isOtherServer(serverUrl, env, parseServerUrl)
    exportConnection(serverUrl, token, env)
    log.info('Later steps of this job can use ZENML_STORE_URL and ZENML_STORE_API_TOKEN')
    if (isOther) log.warning(OTHER_SERVER)
    return true
  } catch (error) {
    const code = systemCode(error)
    const line = `The token could not be passed to later steps: the runner's file for it cannot be written${code === '' ? '' : ` (${code})`}. Check disk space and permissions on the runner`
    log.error(line, { title: FAILED })
    return false
  }
}

/** Whole seconds, cut off: a token must not be taken for valid after its end. */
function timeOf(ms: number): string {
  return `${new Date(Math.min(Math.max(0, ms), LAST_MOMENT_MS)).toISOString().slice(0, 19)}Z`
}
