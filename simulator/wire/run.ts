import { executionMode, hasSnapshots } from '../definition.ts'
import { derivedUuid } from '../ids.ts'
import type { Json, JsonObject } from '../json.ts'
import type { Run } from '../run.ts'
import type { RunState } from '../run-state.ts'
import type { PipelineEntry, World } from '../world.ts'
import {
  base,
  build,
  codeReference,
  entity,
  environment,
  ownerOf,
  pipelineReference,
  snapshotReference,
  stack,
  utc,
  workspace,
} from './common.ts'
import { chosenVisualizations } from './artifact.ts'
import { logReference } from './logs.ts'
import { ownVersion } from './model.ts'
import { exceptionInfo, stepModel } from './step.ts'
import { activeCondition } from './wait.ts'

/** A run as the server shows it now; `withSteps`: hydrated, with the metadata of its steps (from 0.84 on). */
export function runModel(world: World, run: Run, hydrate: boolean, withSteps = false): JsonObject {
  const entry = world.entryOf(run)
  const state = run.state(world.now())
  return entity({
    id: run.facts.id,
    name: run.facts.name,
    body: runBody(world, run, entry, state),
    metadata: hydrate ? runMetadata(world, run, entry, state, withSteps) : null,
    resources: runResources(world, run, entry),
  })
}

/** As it stands within another run's answer. */
function runReference(world: World, run: Run): JsonObject {
  const { id, name } = run.facts
  return entity({
    id,
    name,
    body: runBody(world, run, world.entryOf(run), run.state(world.now())),
    resources: null,
  })
}

function runBody(world: World, run: Run, entry: PipelineEntry, state: RunState): JsonObject {
  const common = base(world, run.createdAt, state.updated, entry.project.id)
  const { status } = state
  if (hasSnapshots(world.version)) {
    return {
      ...common,
      status,
      in_progress: state.inProgress,
      status_reason: state.reason,
      index: run.facts.index,
      pipeline_id: entry.id,
      child_key: run.parent === undefined ? null : `pipeline:${run.facts.pipeline.name}`,
      root_run_id: run.parent?.facts.id ?? null,
    }
  }
  const newer =
    world.version === '0.74.0' ? {} : { in_progress: state.inProgress, status_reason: state.reason }
  return {
    ...common,
    status,
    ...newer,
    stack: stack(world),
    pipeline: pipelineReference(world, entry),
    build: build(world, entry),
    schedule: null,
    code_reference: codeReference(world, entry),
    deployment_id: run.facts.ownSnapshotId,
    trigger_execution: null,
    model_version_id: world.models.of(run)?.id ?? null,
  }
}

function runResources(world: World, run: Run, entry: PipelineEntry): JsonObject {
  const owner = ownerOf(world)
  const tags = tagModels(world, run)
  if (world.version === '0.74.0') return { model_version: ownVersion(world, run), tags }
  if (world.version === '0.85.0')
    return { ...owner, model_version: ownVersion(world, run), tags, logs: null, log_collection: [] }
  const own = { id: run.facts.ownSnapshotId, at: run.createdAt, owned: run.owned }
  return {
    ...owner,
    snapshot: snapshotReference(world, entry, own),
    source_snapshot: snapshotReference(world, entry),
    stack: stack(world),
    pipeline: pipelineReference(world, entry),
    build: build(world, entry),
    schedule: null,
    code_reference: codeReference(world, entry),
    model_version: ownVersion(world, run),
    tags,
    log_collection: [
      logReference(world, {
        id: run.facts.runnerLogId,
        at: run.createdAt,
        source: 'runner',
        project: entry.project.id,
        run: run.facts.id,
      }),
    ],
    visualizations: chosenVisualizations(world, run),
    trigger: null,
    original_run: run.original === undefined ? null : runReference(world, run.original),
    parent_run: null,
    active_wait_condition: activeCondition(world, run),
    outputs: {},
  }
}

function runMetadata(
  world: World,
  run: Run,
  entry: PipelineEntry,
  state: RunState,
  withSteps: boolean,
): JsonObject {
  const { version } = world
  const old = version === '0.74.0'
  const codePath = old ? `/srv/artifacts/code_uploads/${derivedUuid(entry.id)}.tar.gz` : null
  return {
    ...(old ? { workspace: workspace(world) } : {}),
    run_metadata: metadataOf(world, run, state, old || withSteps),
    ...(old ? { steps: stepsOf(world, run, state) } : {}),
    config: runConfig(world, run, entry),
    start_time: utc(run.createdAt),
    end_time: state.end === undefined ? null : utc(state.end),
    client_environment: {},
    orchestrator_environment: state.begun ? environment(world) : {},
    orchestrator_run_id: state.begun ? run.facts.orchestratorRunId : null,
    code_path: codePath,
    template_id: run.facts.templateId ?? null,
    is_templatable: true,
    ...(old ? { step_substitutions: substitutionsOf(run, state) } : {}),
    ...(hasSnapshots(version)
      ? {
          trigger_info: null,
          enable_heartbeat: true,
          exception_info: ownException(world, run, state),
          trigger_execution_info: null,
        }
      : {}),
  }
}

/** Of the pipeline's own code: before any step, or where a pipeline that it called failed. */
function ownException(world: World, run: Run, state: RunState): Json {
  const early = run.facts.plan.failsBeforeSteps?.exception
  const exception =
    early ?? run.childAt(world.now())?.facts.steps.find(({ fails }) => fails !== undefined)?.fails
  return exception !== undefined && state.status === 'failed' ? exceptionInfo(world, exception) : null
}

/**
 * The run's own metadata, and that of its steps as `step::key`, which 0.74 always repeats: of failed steps too, and
 * of all attempts at a step together, where a later one's value wins.
 */
function metadataOf(world: World, run: Run, state: RunState, withSteps: boolean): JsonObject {
  const own = Object.fromEntries(run.metadata)
  const now = world.now()
  for (const span of withSteps ? state.spans : []) {
    if (span.end > now) continue
    const { name, metadata } = run.stepOf(span)
    for (const [key, value] of Object.entries(metadata)) own[`${name}::${key}`] = value
  }
  return own
}

function stepsOf(world: World, run: Run, state: RunState): JsonObject {
  return Object.fromEntries(
    state.spans.map((span) => [span.step.name, { ...stepModel(world, run, span, false), resources: null }]),
  )
}

function substitutionsOf(run: Run, state: RunState): JsonObject {
  return Object.fromEntries(state.spans.map((span) => [span.step.name, { ...run.facts.substitutions }]))
}

function runConfig(world: World, run: Run, entry: PipelineEntry): JsonObject {
  const sent = run.facts.configuration
  const { version } = world
  const modern = hasSnapshots(version)
  const dynamic = entry.spec.dynamic
  return {
    enable_cache: sent['enable_cache'] ?? (version === '0.74.0' ? null : false),
    enable_artifact_metadata: null,
    enable_artifact_visualization: null,
    enable_step_logs: null,
    ...(modern ? { enable_heartbeat: null, environment: {}, secrets: [] } : {}),
    ...(version === '0.74.0' ? {} : { enable_pipeline_logs: null, execution_mode: modeOf(sent, entry) }),
    settings: sent['settings'] ?? {},
    tags: run.tags,
    extra: sent['extra'] ?? {},
    failure_hook_source: null,
    success_hook_source: null,
    ...(modern ? laterHooks : {}),
    model: sent['model'] ?? null,
    parameters: modern ? { ...(dynamic ? run.facts.pipelineParameters : {}) } : null,
    retry: null,
    substitutions: { ...run.facts.substitutions },
    ...(version === '0.74.0' ? {} : { cache_policy: null }),
    name: entry.spec.name,
    ...(modern
      ? {
          steps_to_skip: [],
          skip_successful_steps: sent['skip_successful_steps'] ?? false,
          step_input_overrides: {},
          step_default_input_overrides: {},
        }
      : {}),
  }
}

const laterHooks: JsonObject = {
  start_hook_source: null,
  end_hook_source: null,
  pause_hook_source: null,
  resume_hook_source: null,
  init_hook_source: null,
  init_hook_kwargs: null,
  cleanup_hook_source: null,
}

function modeOf(sent: JsonObject, entry: PipelineEntry): Json {
  return sent['execution_mode'] ?? executionMode(entry.spec)
}

function tagModels(world: World, run: Run): Json[] {
  if (!Array.isArray(run.tags)) return []
  return run.tags
    .filter((tag): tag is string => typeof tag === 'string')
    .map((name) => {
      const body = { ...base(world, run.createdAt, run.createdAt), color: 'orange', exclusive: false }
      const old = { created: utc(run.createdAt), updated: utc(run.createdAt), color: 'red', tagged_count: 1 }
      return entity({ id: derivedUuid('tag', name), name, body: world.version === '0.74.0' ? old : body })
    })
}
