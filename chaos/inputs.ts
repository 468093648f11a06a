import type { Case } from './draw.ts'
import type { ServerUnderTest } from './server-under-test.ts'

/** The inputs of the case, as under `with:`. What only matters while waiting must not be given without a wait. */
export function inputsOf(
  drawn: Case,
  server: Pick<ServerUnderTest, 'simulator' | 'target'>,
): Record<string, string> {
  const { wait, dryRun, runName, onCancel, onTimeout, onLost, timeoutMs, triggerTimeoutMs, pollIntervalMs } =
    drawn
  const { url, apiKey } = server.simulator
  const target = server.target()
  return {
    'server-url': url,
    'api-key': apiKey,
    [target.kind]: target.kind === 'pipeline' ? target.pipeline : target.reference,
    'trigger-timeout': seconds(triggerTimeoutMs),
    'on-cancel': onCancel,
    ...(runName !== undefined && { 'run-name': runName }),
    ...(dryRun && { 'dry-run': 'true' }),
    ...(wait
      ? {
          'on-timeout': onTimeout,
          'on-lost': onLost,
          'lost-after': '10m',
          ...(timeoutMs !== undefined && { timeout: seconds(timeoutMs) }),
          ...(pollIntervalMs !== undefined && { 'poll-interval': seconds(pollIntervalMs) }),
        }
      : { wait: 'false' }),
  }
}

function seconds(ms: number): string {
  return `${String(ms / 1000)}s`
}

/** As the runner hands them over. */
export function variablesOf(inputs: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]),
  )
}
