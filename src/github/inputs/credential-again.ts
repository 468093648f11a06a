import { readAuthorities } from './ca-certificate.ts'
import { credentialOf, readGivenInputs, readServer, type ConnectionInputs } from './connection.ts'
import { readWorkflowContext } from '../workflow/context.ts'
import type { InputSources } from './read-checked.ts'
import { connectionFaults } from './rules-between-inputs.ts'
import { inputTables } from './table.ts'
import { InputSecrets } from '../secrets/input-secrets.ts'

/**
 * Reads once more where to connect and with what, for a post step: the runner evaluates inputs again, and
 * everything else may have become something else. Undefined if it is no longer there.
 */
export async function readConnectionAgain(sources: InputSources): Promise<ConnectionInputs | undefined> {
  const { env, readFile, mask, parseServerUrl } = sources
  const { names, secrets } = inputTables.main
  const { raw, faults } = readGivenInputs(env, names, parseServerUrl)
  for (const secret of new InputSecrets(secrets.flatMap((name) => raw[name] ?? [])).values) mask(secret)
  const { server } = readServer(raw, parseServerUrl)
  const credential = credentialOf(raw)
  const isWrong = [...faults, ...connectionFaults(raw, names, undefined)].length > 0
  if (server === undefined || credential === undefined || isWrong) return undefined
  const { workspace } = readWorkflowContext(env)
  const { authorities } = await readAuthorities(raw['ca-certificate'], { workspace, readFile })
  return { server, credential, authorities }
}
