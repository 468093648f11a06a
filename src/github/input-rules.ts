import type { InputFault } from './input-faults.ts'
import type { InputName, RawInputs } from './input-schema.ts'

/**
 * Rules about inputs together: what is missing, and what contradicts what. They look at the texts as given,
 * so they hold also while single values have faults of their own.
 *
 * @param missingSecrets why GitHub passes no secrets here, if that is so.
 */
export function ruleFaults(raw: RawInputs, missingSecrets: string | undefined): InputFault[] {
  return [
    ...serverFaults(raw, missingSecrets),
    ...credentialFaults(raw, missingSecrets),
    ...targetFaults(raw),
    ...waitFaults(raw),
  ]
}

function serverFaults(raw: RawInputs, missingSecrets: string | undefined): InputFault[] {
  if (raw['server-url'] !== undefined) return []
  return missingSecrets === undefined
    ? fault(
        'server-url',
        'missing; write the address of your ZenML server or workspace, such as https://zenml.example.com',
      )
    : fault('server-url', `empty; if it comes from a secret: ${missingSecrets}`)
}

function credentialFaults(raw: RawInputs, missingSecrets: string | undefined): InputFault[] {
  const hasKey = raw['api-key'] !== undefined
  const hasToken = raw['access-token'] !== undefined
  if (hasKey && hasToken) return fault('access-token', 'contradicts api-key; give only one of the two')
  if (hasKey || hasToken) return []
  return missingSecrets === undefined
    ? fault(
        'api-key',
        'missing, or its secret does not exist; write api-key: ${{ secrets.ZENML_API_KEY }} with the key of a ' +
          'ZenML service account, or give an access-token',
      )
    : fault('api-key', `empty: ${missingSecrets}`)
}

function targetFaults(raw: RawInputs): InputFault[] {
  if (raw.snapshot !== undefined && raw.template !== undefined) {
    return fault('template', 'contradicts snapshot; give only one of the two')
  }
  if (raw.snapshot !== undefined || raw.template !== undefined || raw.pipeline !== undefined) return []
  return fault(
    'snapshot',
    'missing, so there is nothing to run; give a snapshot, a template (servers before 0.90), or a pipeline for its newest one',
  )
}

function waitFaults(raw: RawInputs): InputFault[] {
  if (!/^\s*false\s*$/i.test(raw.wait ?? '')) return []
  const limitsWait = (name: InputName, neutral: string): boolean =>
    raw[name] !== undefined && raw[name].trim() !== neutral
  return [
    ...(limitsWait('timeout', 'none')
      ? fault('timeout', 'contradicts wait: false, as it limits the wait; remove one of the two')
      : []),
    ...(limitsWait('poll-interval', 'adaptive')
      ? fault('poll-interval', 'contradicts wait: false, as nothing is polled; remove one of the two')
      : []),
  ]
}

function fault(input: InputName, problem: string): [InputFault] {
  return [{ input, line: `${input}: ${problem}` }]
}
