import { hasSnapshots, stepSpec } from '../definition.ts'
import { derivedUuid } from '../ids.ts'
import type { JsonObject } from '../json.ts'
import { attemptsAt, type ConfiguredStep } from '../attempts.ts'
import type { Run } from '../run.ts'
import { RETRY_MS, type StepSpan } from '../timeline.ts'
import type { StepFailure, StepSpec } from '../types.ts'
import type { World } from '../world.ts'
import { MATERIALIZER, artifactsOf } from './artifact.ts'
import { base, entity, ownerOf, utc, workspace } from './common.ts'
import { logReference } from './logs.ts'

/** A step as the server shows it now; hydrated it has its configuration, metadata and failure. */
export function stepModel(world: World, run: Run, span: StepSpan, hydrate: boolean): JsonObject {
  const step = run.stepOf(span)
  const ended = span.end <= world.now()
  return entity({
    id: step.id,
    name: step.name,
    body: stepBody(world, run, step, span, ended),
    metadata: hydrate ? stepMetadata(world, run, step, span, ended) : null,
    resources: stepResources(world, run, step, span, ended),
  })
}

/** The step's state now; a failed attempt is `retrying` until the next one starts. */
export function stepStatus(span: StepSpan, now: number): string {
  if (span.end > now) return 'running'
  return span.outcome === 'retried' && now < span.end + RETRY_MS ? 'retrying' : span.outcome
}

function stepBody(world: World, run: Run, step: ConfiguredStep, span: StepSpan, ended: boolean): JsonObject {
  const { version } = world
  const created = span.start
  const common = base(world, created, ended ? span.end : created, world.entryOf(run).project.id)
  const status = stepStatus(span, world.now())
  const times = { start_time: utc(span.start), end_time: ended ? utc(span.end) : null }
  if (version === '0.74.0') {
    const { inputs, outputs } = artifactsOf(world, run, step, ended)
    return { ...common, status, ...times, inputs, outputs, model_version_id: null }
  }
  const substitutions = { ...run.facts.substitutions }
  const attempt = attemptOf(run, step)
  if (version === '0.85.0') {
    return { ...common, status, ...attempt, ...times, model_version_id: null, substitutions }
  }
  return {
    ...common,
    type: null,
    status,
    ...attempt,
    ...times,
    latest_heartbeat: null,
    model_version_id: null,
    resource_request_id: null,
    substitutions,
    heartbeat_threshold: null,
  }
}

function stepResources(
  world: World,
  run: Run,
  step: ConfiguredStep,
  span: StepSpan,
  ended: boolean,
): JsonObject {
  if (world.version === '0.74.0') return { model_version: null }
  const artifacts = artifactsOf(world, run, step, ended)
  if (world.version === '0.85.0') return { ...ownerOf(world), model_version: null, ...artifacts }
  const log = (source: string) =>
    logReference(world, {
      id: derivedUuid(step.id, source),
      at: span.start,
      source,
      project: world.entryOf(run).project.id,
      step: step.id,
    })
  const log_collection = [log('prepare_step'), log('step')]
  return { ...ownerOf(world), log_collection, model_version: null, ...artifacts, resource_request: null }
}

function stepMetadata(
  world: World,
  run: Run,
  step: ConfiguredStep,
  span: StepSpan,
  ended: boolean,
): JsonObject {
  const { version } = world
  const hasFailed = span.outcome === 'failed' || span.outcome === 'retried'
  const failure = ended && hasFailed ? step.fails : undefined
  const parents = run.facts.steps.filter(({ name }) => step.upstream.includes(name)).map(({ id }) => id)
  const entry = world.entryOf(run)
  const log = entity({
    id: derivedUuid(step.id, 'logs'),
    body: {
      created: utc(span.start),
      updated: utc(span.start),
      uri: `/srv/artifacts/${step.name}/logs/${step.id}.log`,
      ...(version === '0.85.0' ? { source: 'execution' } : {}),
    },
  })
  return {
    ...(version === '0.74.0' ? { workspace: workspace(world) } : {}),
    config: stepConfig(world, run, step),
    spec: stepSpec(step.spec, run.specs, entry.spec.definitions, version),
    cache_key: derivedUuid(step.id, 'cache').replaceAll('-', ''),
    ...(version === '0.98.0' ? { cache_expires_at: null } : {}),
    code_hash: null,
    docstring: null,
    source_code: `@step\ndef ${step.spec.function ?? step.name}(): ...\n`,
    ...(version === '0.74.0' ? {} : { exception_info: failure ? exceptionInfo(world, failure) : null }),
    ...(hasSnapshots(version)
      ? { snapshot_id: run.facts.ownSnapshotId }
      : { logs: log, deployment_id: run.facts.ownSnapshotId }),
    pipeline_run_id: run.facts.id,
    original_step_run_id: step.original?.id ?? null,
    parent_step_ids: version === '0.74.0' ? [] : parents,
    run_metadata: ended ? step.metadata : {},
  }
}

/** Which attempt it is; all but the last may be followed by another one. */
function attemptOf(run: Run, step: ConfiguredStep): JsonObject {
  const attempts = run.facts.steps.map(attemptsAt).find((all) => all.includes(step)) ?? [step]
  const index = attempts.indexOf(step)
  return { version: index + 1, is_retriable: index < (step.spec.retries ?? attempts.length - 1) }
}

/** Why it failed: 0.85 knows the traceback and the line, not the exception itself. */
export function exceptionInfo(world: World, failure: StepFailure): JsonObject {
  if (world.version === '0.85.0')
    return { traceback: failure.traceback, step_code_line: failure.userCodeLine }
  return {
    traceback: `${failure.traceback}${failure.type}: ${failure.message}\n`,
    source: failure.type.includes('.') ? failure.type : `builtins.${failure.type}`,
    message: failure.message,
    user_code_line: failure.userCodeLine,
  }
}

function stepConfig(world: World, run: Run, step: ConfiguredStep): JsonObject {
  const { version } = world
  const modern = hasSnapshots(version)
  return {
    enable_cache: version === '0.74.0' ? (run.facts.configuration['enable_cache'] ?? null) : false,
    enable_artifact_metadata: null,
    enable_artifact_visualization: null,
    enable_step_logs: null,
    step_operator: null,
    experiment_tracker: null,
    parameters: step.parameters,
    settings: {},
    ...(modern ? { environment: {}, secrets: [] } : {}),
    extra: {},
    failure_hook_source: null,
    success_hook_source: null,
    ...(modern ? { start_hook_source: null, end_hook_source: null } : {}),
    model: null,
    retry: null,
    substitutions: { ...run.facts.substitutions },
    ...(version === '0.74.0' ? {} : { cache_policy: cachePolicy(modern) }),
    ...(modern ? { runtime: null, heartbeat_healthy_threshold: 30, group: null } : {}),
    outputs: outputConfig(step.spec),
    name: step.name,
    ...(modern ? { step_type: null, template: null } : {}),
    caching_parameters: { step_source: derivedUuid(step.spec.function ?? step.name).replaceAll('-', '') },
    external_input_artifacts: {},
    model_artifacts_or_metadata: {},
    client_lazy_loaders: {},
    ...(modern ? { command: null } : {}),
  }
}

function cachePolicy(modern: boolean): JsonObject {
  const policy = {
    include_step_code: true,
    include_step_parameters: true,
    include_artifact_values: true,
    include_artifact_ids: true,
    ignored_inputs: null,
  }
  const later = { file_dependencies: null, source_dependencies: null, cache_func: null, expires_after: null }
  return modern ? { ...policy, ...later } : policy
}

function outputConfig(step: StepSpec): JsonObject {
  const artifact_config = { version: null, tags: null, run_metadata: null, artifact_type: null }
  return Object.fromEntries(
    Object.keys(step.outputs ?? {}).map((name) => [
      name,
      {
        materializer_source: [MATERIALIZER],
        default_materializer_source: null,
        artifact_config: { name, ...artifact_config },
      },
    ]),
  )
}
