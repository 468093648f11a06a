import type { Case, Sweep } from './draw.ts'
import { chaosPipelines, type PipelineName } from './pipelines.ts'
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
  const given = {
    'server-url': url,
    'api-key': apiKey,
    [target.kind]: target.kind === 'pipeline' ? target.pipeline : target.reference,
    'trigger-timeout': seconds(triggerTimeoutMs),
    'on-cancel': onCancel,
    ...(runName !== undefined && { 'run-name': runName }),
    ...(dryRun && { 'dry-run': 'true' }),
    ...(drawn.replays && { resume: 'replay' }),
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
  return drawn.sweep === undefined ? given : { ...given, ...sweepInputs(drawn.pipeline, drawn.sweep) }
}

function sweepInputs(
  pipeline: PipelineName,
  { cells, maxParallel, failFast }: Sweep,
): Record<string, string> {
  const key = `${chaosPipelines[pipeline].spec.steps[0].name}.seed`
  const numbers = Array.from({ length: cells }, (_, index) => index + 1)
  return {
    matrix: JSON.stringify({ [key]: numbers }),
    'max-parallel': String(maxParallel),
    'fail-fast': String(failFast),
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
