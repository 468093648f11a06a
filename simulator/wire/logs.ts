import { derivedUuid } from '../ids.ts'
import type { Json, JsonObject } from '../json.ts'
import type { ConfiguredStep } from '../attempts.ts'
import type { StepSpan } from '../timeline.ts'
import type { StepFailure } from '../types.ts'
import type { World } from '../world.ts'
import { base, entity, utc } from './common.ts'

interface Line {
  readonly at: number
  readonly message: string
  readonly level: number
  /** Who wrote it; the user's own code prints. */
  readonly by: 'print' | 'launcher' | 'exception'
}

const INFO = 20
const ERROR = 40

/** The frames of ZenML itself that stand before the user's own. */
const LIBRARY_FRAMES =
  '  File "/srv/lib/python3.11/site-packages/zenml/orchestrators/step_runner.py", line 259, in run\n' +
  '    return_values = step_instance.call_entrypoint(\n'

/**
 * What `/steps/{id}/logs` answers now: from 0.85 on a list of entries, on 0.74 one string.
 */
export function stepLogs(world: World, step: ConfiguredStep, span: StepSpan): Json {
  const now = world.now()
  switch (world.version) {
    case '0.74.0':
      return oldText(step, span, now)
    case '0.85.0':
      return linesOf(step, span, now).map((line, index) => olderEntry(line, step.id, index))
    case '0.98.0':
      return newLines(step, span, now).map((line, index) => entry(line, step.id, index))
  }
}

/** What the run's own process wrote before any step. */
export function runnerLogs(world: World, runId: string, begin: number, log: readonly string[]): Json {
  const newest = world.version === '0.98.0'
  return log.map((message, index) => {
    const line: Line = { at: begin, message, level: INFO, by: 'print' }
    return newest ? entry(line, runId, index) : olderEntry(line, runId, index)
  })
}

/** A log in an object's log_collection (from 0.90 on). */
export function logReference(
  world: World,
  log: { id: string; at: number; source: string; project: string; run?: string; step?: string },
): JsonObject {
  const uri = log.step === undefined ? null : `/srv/artifacts/logs/${log.id}.log`
  const body = {
    ...base(world, log.at, log.at, log.project),
    uri,
    source: log.source,
    step_run_id: log.step ?? null,
    pipeline_run_id: log.run ?? null,
    artifact_store_id: uri === null ? null : derivedUuid('artifact-store'),
    log_store_id: null,
    hook_invocation_id: null,
  }
  return entity({ id: log.id, body })
}

function userLines(step: ConfiguredStep, span: StepSpan, now: number): Line[] {
  const length = Number.isFinite(span.end) ? span.end - span.start : step.durationMs
  return step.log
    .map((message, i): Line => {
      const at = span.start + (length * i) / Math.max(1, step.log.length)
      return { at, message, level: INFO, by: 'print' }
    })
    .filter((line) => line.at <= now && line.at <= span.end)
}

function newLines(step: ConfiguredStep, span: StepSpan, now: number): Line[] {
  const lines = userLines(step, span, now)
  const failure = failureAt(step, span, now)
  if (failure === undefined) return lines
  const named = `${failure.type}: ${failure.message}`
  const message = `An exception has occurred.\n${named}\n${traceOf(failure)}`
  return [...lines, { at: span.end, message, level: ERROR, by: 'print' }]
}

function linesOf(step: ConfiguredStep, span: StepSpan, now: number): Line[] {
  const started: Line = {
    at: span.start,
    message: `Step \`${step.name}\` has started.`,
    level: INFO,
    by: 'launcher',
  }
  const lines = [started, ...userLines(step, span, now)]
  const failure = failureAt(step, span, now)
  if (failure === undefined) return lines
  const failed: Line = {
    at: span.end,
    message: `Failed to run step \`${step.name}\`: ${failure.message}`,
    level: ERROR,
    by: 'launcher',
  }
  const printed = (message: string): Line => ({ at: span.end, message, level: INFO, by: 'print' })
  return [
    ...lines,
    failed,
    printed('Traceback (most recent call last):'),
    printed(LIBRARY_FRAMES.trimEnd()),
    printed(failure.traceback.trimEnd()),
    printed(`${failure.type}: ${failure.message}`),
    {
      at: span.end,
      message: `An exception has occurred.\n${traceOf(failure)}`,
      level: ERROR,
      by: 'exception',
    },
  ]
}

function failureAt(step: ConfiguredStep, span: StepSpan, now: number): StepFailure | undefined {
  const hasFailed = span.outcome === 'failed' || span.outcome === 'retried'
  return hasFailed && span.end <= now ? step.fails : undefined
}

function entry(line: Line, owner: string, index: number): JsonObject {
  return {
    message: line.message,
    name: 'unknown',
    level: line.level,
    timestamp: `${utc(line.at)}Z`,
    module: null,
    filename: null,
    lineno: null,
    chunk_index: 0,
    total_chunks: 1,
    id: derivedUuid(owner, 'log', String(index)),
  }
}

function olderEntry(line: Line, owner: string, index: number): JsonObject {
  const printed = line.by !== 'launcher'
  return {
    message: line.message,
    name: printed ? line.by : 'zenml.orchestrators.step_launcher',
    level: line.level,
    timestamp: utc(line.at),
    module: printed ? '' : 'step_launcher',
    filename: printed ? '' : 'step_launcher.py',
    lineno: printed ? 0 : 319,
    chunk_index: 0,
    total_chunks: 1,
    id: derivedUuid(owner, 'log', String(index)),
  }
}

/** 0.74 writes one text, the exception with its whole traceback as one record of it. */
function oldText(step: ConfiguredStep, span: StepSpan, now: number): string {
  const stamped = (at: number, message: string) =>
    `[${utc(at).slice(0, 19).replace('T', ' ')} UTC] ${message}\n`
  const lines = userLines(step, span, now).map((line) => stamped(line.at, line.message))
  const text = `${stamped(span.start, `Step ${step.name} has started.`)}\n${lines.join('')}`
  const failure = failureAt(step, span, now)
  if (failure === undefined) return text
  const gaveUp = stamped(span.end, `Failed to run step ${step.name} after 1 retries. Exiting.`)
  return `${text}${gaveUp}\n${stamped(span.end, `${failure.message}\n${traceOf(failure)}`)}`
}

/** As Python prints it, without a newline at its end. */
function traceOf({ type, message, traceback }: StepFailure): string {
  return `Traceback (most recent call last):\n${LIBRARY_FRAMES}${withNewline(traceback)}${type}: ${message}`
}

function withNewline(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`
}
