import { randomUUID } from 'node:crypto'
import { accessSync, appendFileSync, constants } from 'node:fs'
import { appendFile } from 'node:fs/promises'
import { EOL } from 'node:os'
import { PAIR_VARIABLE, pairOf, VARIABLES } from './inputs/connection.ts'
import type { ActionName } from './inputs/table.ts'
import type { Gate } from './secrets/known-secrets.ts'
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
export function setOutput(name: OutputName, value: string | number, gate: Gate): void {
  handOver('OUTPUT', name, gate.cover(String(value)))
}

/**
 * Hands over the one value that is a secret, as it is; mask it before.
 *
 * @throws {Error} when the runner's output file cannot be written.
 */
export function setTokenOutput(token: string): void {
  const name: OutputName = 'access-token'
  handOver('OUTPUT', name, token)
}

/**
 * Gives the later steps of the job server and token in the variables of ZenML's own client; mask the token before. A key
 * in the environment would be taken in place of the token, and may be for another server.
 *
 * @throws {Error} when the runner's file for variables cannot be written.
 */
export function exportConnection(serverUrl: string, token: string, env: Environment): void {
  // The address last: where the file cannot be written to its end, no earlier credential meets the new server.
  if (env[VARIABLES['api-key']] !== undefined) handOver('ENV', VARIABLES['api-key'], '')
  handOver('ENV', PAIR_VARIABLE, pairOf(serverUrl, token))
  handOver('ENV', VARIABLES['access-token'], token)
  handOver('ENV', VARIABLES['server-url'], serverUrl)
}

/**
 * Keeps a value for this step's own post step, which sees it even if this process is killed afterwards. It must find
 * names and addresses as they are, also where the password of a proxy is a word in them.
 *
 * @throws {Error} when the runner's state file cannot be written.
 */
export function saveState(name: string, value: string, gate: Gate): void {
  handOver('STATE', name, gate.cover(value, { passwords: false }))
}

/**
 * Appends Markdown to the job summary.
 *
 * @throws {Error} when the runner gave no file for it that can be written to.
 */
export async function appendSummary(markdown: string, gate: Gate): Promise<void> {
  await appendFile(fileOf('STEP_SUMMARY'), gate.cover(markdown))
}

/** Appends one value to a file that the runner reads, between lines that cannot stand in it. */
function handOver(file: 'OUTPUT' | 'STATE' | 'ENV', name: string, value: string): void {
  const delimiter = `ghadelimiter_${randomUUID()}`
  const text = [`${name}<<${delimiter}`, value, delimiter, ''].join(EOL)
  appendFileSync(fileOf(file), text)
}

/** The runner made the file; one that is not there would not be read. */
function fileOf(name: string): string {
  const file = process.env[`GITHUB_${name}`] ?? ''
  if (file === '') throw new Error(`the runner has set no GITHUB_${name}`)
  accessSync(file, constants.W_OK)
  return file
}
