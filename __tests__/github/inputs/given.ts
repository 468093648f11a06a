import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

import { readSweepInputs } from '../../../src/github/sweep/inputs.ts'
import type { Environment } from '../../../src/github/workflow/environment.ts'
import { readFile } from '../../../src/github/workflow/files.ts'
import { InputFaults } from '../../../src/github/inputs/faults.ts'
import type { InputSources, ReadInputs } from '../../../src/github/inputs/read-checked.ts'
import type { ActionName } from '../../../src/github/inputs/table.ts'
import {
  readInputs,
  readLoginInputs,
  readPromoteInputs,
  readResolveInputs,
  readStopInputs,
  readWaitInputs,
  type Inputs,
} from '../../../src/github/inputs/read.ts'
import { parseServerUrl } from '../../../src/zenml/server-url.ts'

export type With = Readonly<Record<string, string>>

export const KEY = 'ZENKEY_c2VjcmV0LXNlY3JldC1zZWNyZXQ'

/** That of an organization of ZenML Pro. */
export const OTHER_KEY = 'ZENPROKEY_b3RoZXItb3RoZXItb3RoZXItb3RoZXI='

export const ACCESS_TOKEN = 'eyJhbGciOiJIUzI1NiJ9.bWFkZS11cC1mb3ItdGVzdHM.c2lnbmF0dXJl'

export const GITHUB_TOKEN = 'ghs_made0up0for0tests0made0up0for0tests'

export const RUN_ID = '0f8e5c1a-3b2d-4c6f-9a7e-1d2c3b4a5f60'

const connection: With = { 'server-url': 'https://zenml.example.com', 'api-key': KEY }

/** The least that a step of each action needs. */
export const least = {
  main: { ...connection, snapshot: 'nightly' },
  login: connection,
  wait: { ...connection, run: 'nightly-5' },
  sweep: { ...connection, snapshot: 'nightly', matrix: '{train.epochs: [1, 2]}' },
  stop: { ...connection, run: RUN_ID },
  resolve: { ...connection, run: RUN_ID },
  promote: { ...connection, run: RUN_ID, stage: 'production' },
} satisfies Readonly<Record<ActionName, With>>

/** `with:` of a workflow as the runner hands it over. */
export function variables(given: With): Environment {
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => [`INPUT_${name.replaceAll(' ', '_').toUpperCase()}`, value]),
  )
}

export type Outcome<T> =
  | {
      readonly ok: true
      readonly inputs: T
      readonly notices: readonly string[]
      readonly warnings: readonly string[]
      readonly masked: string[]
    }
  | { readonly ok: false; readonly faults: InputFaults; readonly masked: string[] }

/** Reads inputs as an action does; anything thrown but faults is thrown on. */
export async function readWith<T>(
  reader: (sources: InputSources) => Promise<ReadInputs<T>>,
  env: Environment,
): Promise<Outcome<T>> {
  const masked: string[] = []
  const mask = (secret: string): void => void masked.push(secret)
  try {
    return { ok: true, masked, ...(await reader({ env, readFile, mask, parseServerUrl })) }
  } catch (error) {
    if (!(error instanceof InputFaults)) throw error
    return { ok: false, faults: error, masked }
  }
}

const readers: Readonly<Record<ActionName, (sources: InputSources) => Promise<ReadInputs<unknown>>>> = {
  main: readInputs,
  login: readLoginInputs,
  wait: readWaitInputs,
  sweep: readSweepInputs,
  stop: readStopInputs,
  resolve: readResolveInputs,
  promote: readPromoteInputs,
}

/** {@link readWith} for whichever action. */
export function readAs(action: ActionName, env: Environment): Promise<Outcome<unknown>> {
  return readWith(readers[action], env)
}

/** {@link readWith} for the main action. */
export function read(env: Environment): Promise<Outcome<Inputs>> {
  return readWith(readInputs, env)
}

/** A folder with these files, as actions/checkout leaves them. */
export function makeWorkspace(files: Readonly<Record<string, string | Uint8Array>>): {
  path: string
  remove: () => void
} {
  const path = mkdtempSync(join(tmpdir(), 'workspace-'))
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true })
    writeFileSync(join(path, name), content)
  }
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}
