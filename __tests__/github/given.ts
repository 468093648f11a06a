import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

import type { Environment } from '../../src/github/environment.ts'
import { readFile } from '../../src/github/files.ts'
import { InputFaults } from '../../src/github/input-faults.ts'
import { readInputs, type Inputs } from '../../src/github/inputs.ts'
import { parseServerUrl } from '../../src/zenml/server-url.ts'

export type With = Readonly<Record<string, string>>

export const KEY = 'ZENKEY_c2VjcmV0LXNlY3JldC1zZWNyZXQ'

/** The least that a step needs. */
export const least: With = {
  'server-url': 'https://zenml.example.com',
  'api-key': KEY,
  snapshot: 'nightly',
}

/** `with:` of a workflow as the runner hands it over. */
export function variables(given: With): Environment {
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => [`INPUT_${name.replaceAll(' ', '_').toUpperCase()}`, value]),
  )
}

export type Outcome =
  | {
      readonly ok: true
      readonly inputs: Inputs
      readonly notices: readonly string[]
      readonly masked: string[]
    }
  | { readonly ok: false; readonly faults: InputFaults; readonly masked: string[] }

/** Reads inputs as the action does; anything thrown but faults is thrown on. */
export async function read(env: Environment): Promise<Outcome> {
  const masked: string[] = []
  const mask = (secret: string): void => void masked.push(secret)
  try {
    return { ok: true, masked, ...(await readInputs({ env, readFile, mask, parseServerUrl })) }
  } catch (error) {
    if (!(error instanceof InputFaults)) throw error
    return { ok: false, faults: error, masked }
  }
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
