import * as core from '@actions/core'

import type { ActionName } from './input-schema.ts'

/** Every output of each action, in the order of the action's file. */
export const actionOutputs = {
  main: [
    'run-id',
    'run-name',
    'run-url',
    'status',
    'conclusion',
    'duration',
    'template-id',
    'snapshot-id',
    'pipeline',
    'failed-step',
    'error',
    'steps',
    'metadata',
    'artifacts',
  ],
  login: ['access-token', 'expires-at'],
  wait: [
    'run-id',
    'run-name',
    'run-url',
    'status',
    'conclusion',
    'duration',
    'pipeline',
    'failed-step',
    'error',
    'steps',
    'metadata',
    'artifacts',
  ],
  stop: ['status', 'conclusion', 'error'],
} as const satisfies Readonly<Record<ActionName, readonly string[]>>

/** An output of any of the actions. */
export type OutputName = (typeof actionOutputs)[ActionName][number]

/**
 * Hands a value to the later steps of the job at once; calling it again replaces the value.
 *
 * The value may hold any text: the runner's file command takes it between random delimiters.
 * @throws {Error} when the runner's output file cannot be written.
 */
export function setOutput(name: OutputName, value: string | number): void {
  core.setOutput(name, String(value))
}

/**
 * Keeps a value for this step's own post step, which sees it even if this process is killed afterwards.
 *
 * @throws {Error} when the runner's state file cannot be written.
 */
export function saveState(name: string, value: string): void {
  core.saveState(name, value)
}
