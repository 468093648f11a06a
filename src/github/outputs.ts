import * as core from '@actions/core'

import { PAIR_VARIABLE, pairOf } from './inputs/connection.ts'
import { VARIABLES } from './workflow/input-variables.ts'
import type { ActionName } from './inputs/table.ts'
import type { Redactor } from './secrets/redactor.ts'
import type { Environment } from './workflow/environment.ts'

const RUN = ['run-id', 'run-name', 'run-url', 'status', 'conclusion'] as const
const RESULTS = [
  'pipeline',
  'failed-step',
  'error',
  'steps',
  'metadata',
  'artifacts',
  'comparison',
  'report',
] as const

/** Every output of each action, in the order of the action's file. */
export const actionOutputs = {
  main: [...RUN, 'duration', 'template-id', 'snapshot-id', ...RESULTS],
  login: ['access-token', 'expires-at'],
  wait: [...RUN, 'duration', ...RESULTS],
  sweep: [
    'runs',
    'best-run-id',
    'best-run-name',
    'best-run-url',
    'best-parameters',
    'best-value',
    'completed',
    'failed',
    'conclusion',
    'pipeline',
    'error',
    'comparison',
  ],
  stop: [...RUN, 'error'],
  resolve: [...RUN, 'error'],
  promote: ['model', 'version', 'stage', 'previous-version', 'conclusion', 'error'],
} as const satisfies Readonly<Record<ActionName, readonly string[]>>

/** An output of any of the actions. */
export type OutputName = (typeof actionOutputs)[ActionName][number]

/**
 * Hands a value to the later steps of the job at once; calling it again replaces the value.
 *
 * The value may hold any text: the runner's file command takes it between random delimiters.
 * @throws {Error} when the runner's output file cannot be written.
 */
export function setOutput(name: OutputName, value: string | number, redactor: Redactor): void {
  core.setOutput(name, redactor.redact(String(value)))
}

/**
 * Hands over the one value that is a secret, as it is; mask it before.
 *
 * @throws {Error} when the runner's output file cannot be written.
 */
export function setTokenOutput(token: string): void {
  const name: OutputName = 'access-token'
  core.setOutput(name, token)
}

/**
 * Gives the later steps of the job server and token in the variables of ZenML's own client; mask the token before. A key
 * in the environment would be taken in place of the token, and may be for another server.
 *
 * @throws {Error} when the runner's file for variables cannot be written.
 */
export function exportConnection(serverUrl: string, token: string, env: Environment): void {
  // The address last: where the file cannot be written to its end, no earlier credential meets the new server.
  if (env[VARIABLES['api-key']] !== undefined) core.exportVariable(VARIABLES['api-key'], '')
  core.exportVariable(PAIR_VARIABLE, pairOf(serverUrl, token))
  core.exportVariable(VARIABLES['access-token'], token)
  core.exportVariable(VARIABLES['server-url'], serverUrl)
}

/**
 * Keeps a value for this step's own post step, which sees it even if this process is killed afterwards. It must find
 * names and addresses as they are, also where the password of a proxy is a word in them.
 *
 * @throws {Error} when the runner's state file cannot be written.
 */
export function saveState(name: string, value: string, redactor: Redactor): void {
  core.saveState(name, redactor.redact(value, { passwords: false }))
}
