import type { FailurePoint } from './faults.ts'
import { expandName } from './expand-name.ts'
import { json, refusal, type Answer } from './answers.ts'
import { defaultsOf, executionMode, hasSnapshots } from './definition.ts'
import { mergeDeep, objectAt, type JsonObject } from './json.ts'
import { faultOf } from './pydantic.ts'
import { buildResource, runResource, snapshotResource } from './resources.ts'
import type { ConfiguredStep } from './attempts.ts'
import { SKIPS, withoutSuccessful } from './replay.ts'
import { Run } from './run.ts'
import type { RunFacts } from './run-state.ts'
import type { ExecutionMode } from './timeline.ts'
import type { EarlyFailure, PipelineSpec, StepEffect, StepFailure, StepSpec } from './types.ts'
import { nameTaken, nameTooLong, notRunnable, pythonSet, staticPipelineParameters } from './trigger-texts.ts'
import { runModel } from './wire/run.ts'
import type { PipelineEntry, World } from './world.ts'

export interface TriggerRequest {
  readonly entry: PipelineEntry
  readonly templateId: string | undefined
  readonly configuration: JsonObject
  readonly key: string | undefined
  /** The run that is replayed. */
  readonly original?: Run
  /** Where the server fails once the run is made, before it hands the run to its executor. */
  readonly failsAt?: FailurePoint | undefined
}

/** Milliseconds for which a run that found no free slot can be seen before it is deleted again. */
const NO_SLOT_VISIBLE_MS = 3000

/** What the server does at the moment `at`: checks the configuration, then makes the run or refuses. */
export function startRun(world: World, request: TriggerRequest, at: number): Answer {
  const { entry, configuration } = request
  checkPermissions(world, request)
  const refused = entry.spec.refusesToStart
  if (refused !== undefined) throw refusal(refused.status, refused.exception, refused.message)
  if (entry.spec.runnable === false) throw refusal(400, 'ValueError', notRunnable(world, entry))
  checkConfiguration(world, entry.spec, configuration)

  const run = makeRun(world, request, at)
  if (world.runs.some((other) => isNamesake(world, other, run, at))) {
    throw refusal(409, 'EntityExistsError', nameTaken(world, run.facts.name, entry))
  }
  if (!hasFreeSlot(world, at)) {
    reject(world, run, at)
    throw noFreeSlot(world)
  }
  world.runs.push(run, ...makeChildren(world, request, run))
  world.models.start(world, run)
  const failure = failureAt(request) ?? world.permissions.usageFailure()
  if (failure !== undefined) {
    run.forget()
    throw failure
  }
  return json(runModel(world, run, true))
}

/** Before anything is made: what is read, what is made, and whether the subscription has a run left. */
function checkPermissions(world: World, { entry, templateId, original }: TriggerRequest): void {
  const { permissions, version } = world
  const newest = hasSnapshots(version)
  if (original !== undefined) permissions.verify('read', runResource(world, original))
  if (templateId !== undefined) {
    const kind = newest ? 'PipelineSnapshotResponse' : 'PipelineDeploymentResponse'
    permissions.needs(kind, snapshotResource(world, entry))
  }
  if (original === undefined && (templateId === undefined || !newest)) {
    permissions.needs('PipelineBuildResponse', buildResource(world, entry))
  }
  const project = entry.project.id
  permissions.verify('create', { type: 'pipeline_deployment', project })
  permissions.verify('create', { type: 'pipeline_run', project })
  permissions.checkEntitlement()
}

function failureAt({ failsAt }: TriggerRequest): Error | undefined {
  if (failsAt === 'control-plane') return noControlPlane()
  // ZenML commits the run and only then attaches its tags.
  return failsAt === 'tags' ? refusal(404, 'KeyError', 'No tag with this ID found.') : undefined
}

/** What a workspace of ZenML Pro answers while the control plane is away. */
function noControlPlane(): Error {
  const why = '503 Server Error: Service Unavailable for url: https://cloudapi.example.com/usage-event'
  return refusal(500, 'RuntimeError', `Failed while trying to contact the central zenml pro service: ${why}`)
}

/** A name is taken in one project only. */
function isNamesake(world: World, other: Run, run: Run, at: number): boolean {
  if (other.facts.name !== run.facts.name || other.rejected || other.isGone(at)) return false
  return world.entryOf(other).project === world.entryOf(run).project
}

/** 429 of a server whose slots are all taken; the run made for it is deleted again. */
export function noFreeSlot(world: World): Error {
  const what = hasSnapshots(world.version) ? 'snapshot' : 'run template'
  return refusal(429, 'MaxConcurrentTasksError', `Maximum number of concurrent ${what} tasks reached.`)
}

/** Creates a run and lets it vanish, as for a trigger without a free slot; 0.74 has no slots and creates none. */
export function startAndDelete(world: World, request: TriggerRequest, at: number): void {
  if (world.version === '0.74.0') return
  reject(world, makeRun(world, request, at), at)
}

function reject(world: World, run: Run, at: number): void {
  if (world.options.keepsRunsWithoutSlot === true) {
    world.runs.push(run)
    run.setStatus(at, 'failed', 'Snapshot execution queue is full.', 'request')
    return
  }
  run.rejected = true
  run.goneFrom = at + NO_SLOT_VISIBLE_MS
  world.runs.push(run)
}

/** A slot is taken from a run's creation until its process has begun. */
function hasFreeSlot(world: World, at: number): boolean {
  const slots = world.options.maxConcurrentRuns
  if (slots === undefined || world.version === '0.74.0') return true
  return world.runs.filter((run) => !run.rejected && run.begin > at).length < slots
}

/** What the server looks at before it starts anything; all else it lets through. */
function checkConfiguration(world: World, pipeline: PipelineSpec, configuration: JsonObject): void {
  const old = world.version === '0.74.0'
  if (
    configuration['parameters'] !== undefined &&
    configuration['parameters'] !== null &&
    !pipeline.dynamic
  ) {
    throw refusal(400, 'ValueError', staticPipelineParameters(world))
  }
  const steps = objectAt(configuration, 'steps')
  for (const step of pipeline.steps) {
    const known = Object.keys(step.parameters ?? {})
    const given = Object.keys(objectAt(objectAt(steps, step.name), 'parameters'))
    const unknown = given.filter((name) => !known.includes(name))
    const missing = known.filter((name) => !given.includes(name))
    if (old && (missing.length > 0 || unknown.length > 0)) {
      const message = `Run configuration is missing missing the following required parameters for step ${step.name}: ${pythonSet(missing)}.`
      throw refusal(400, 'ValueError', message)
    }
    if (!old && unknown.length > 0) {
      const message = `Run configuration contains the following unknown parameters for step ${step.name}: ${pythonSet(unknown)}.`
      throw refusal(400, 'ValueError', message)
    }
  }
}

/** The run of the pipeline that another one calls with its own parameters, and of those below; it begins when the other's own steps are done. */
function makeChildren(world: World, request: TriggerRequest, parent: Run): readonly Run[] {
  const spec = parent.facts.pipeline.child
  if (spec === undefined) return []
  const ends = parent.state(Infinity).spans.map((span) => span.end)
  const known = Object.entries(parent.facts.pipelineParameters).filter(
    ([name]) => spec.dynamic?.parameters[name] !== undefined,
  )
  const configuration = { parameters: Object.fromEntries(known) }
  const { original: _, ...asked } = request
  const call = { ...asked, entry: { ...request.entry, spec }, configuration, key: undefined }
  const child = makeRun(world, call, Math.max(parent.begin, ...ends))
  parent.call(child)
  return [child, ...makeChildren(world, request, child)]
}

function makeRun(world: World, request: TriggerRequest, at: number): Run {
  const { entry, configuration, key } = request
  const { spec } = entry
  const substitutions = substitutionsAt(world, at)
  const pattern = configuration['run_name']
  const { storesName = (name: string) => name } = world.options
  const name = storesName(
    expandName(
      typeof pattern === 'string' && pattern !== '' ? pattern : `${spec.name}-{date}-{time}`,
      substitutions,
    ),
  )
  if (Array.from(name).length > 255) throw refusal(422, 'ValueError', nameTooLong(world, name))
  const id = world.ids.uuid()
  const pipelineParameters = spec.dynamic
    ? mergeDeep(defaultsOf(spec.dynamic.parameters), objectAt(configuration, 'parameters'))
    : {}
  const fault = dynamicFault(spec, pipelineParameters)
  const stepSpecs = spec.dynamic && fault === undefined ? spec.dynamic.expand(pipelineParameters) : spec.steps
  const index = world.runs.filter((run) => world.entryOf(run).id === entry.id).length + 1
  const { original } = request
  const all = stepSpecs.map((step) => configure(world, spec, step, configuration, index))
  const facts: RunFacts = {
    id,
    name,
    index,
    pipeline: spec,
    templateId: request.templateId,
    sourceSnapshotId: entry.snapshotId,
    ownSnapshotId: world.ids.uuid(),
    orchestratorRunId: world.ids.uuid(),
    runnerLogId: world.ids.uuid(),
    pipelineParameters,
    configuration,
    substitutions,
    key,
    steps: original && configuration[SKIPS] === true ? withoutSuccessful(all, original, at) : all,
    plan: {
      createdAt: at,
      startupMs: (spec.startupSeconds ?? world.options.startupSeconds ?? 2) * 1000,
      stopMs: (world.options.stopSeconds ?? 1) * 1000,
      mode: modeOf(world, spec, configuration),
      sequential: spec.sequential ?? false,
      isHandedOver: true,
      neverMoves: spec.neverMoves ?? false,
      diesAfterMs: spec.diesAfter === undefined ? undefined : spec.diesAfter * 1000,
      failsBeforeSteps: spec.failsBeforeSteps ?? fault,
      wait: waitPlan(spec, pipelineParameters),
    },
  }
  return new Run(facts, world.version, original)
}

function waitPlan({ wait }: PipelineSpec, parameters: JsonObject): RunFacts['plan']['wait'] {
  if (wait === undefined) return undefined
  const seconds = typeof wait.patience === 'number' ? wait.patience : wait.patience(parameters)
  return { patienceMs: seconds * 1000 }
}

/** A dynamic pipeline with a wrong parameter fails with no step and no reason, but with an exception. */
function dynamicFault(spec: PipelineSpec, parameters: JsonObject): EarlyFailure | undefined {
  const known = spec.dynamic?.parameters
  if (known === undefined) return undefined
  const wrong = Object.entries(parameters).some(([name, value]) => {
    const parameter = known[name]
    return (
      parameter === undefined || faultOf(parameter.jsonSchema, value, spec.definitions ?? {}) !== undefined
    )
  })
  return wrong ? { reason: null, exception: INVALID_ARGUMENTS } : undefined
}

const INVALID_ARGUMENTS: StepFailure = {
  type: 'ValueError',
  message:
    'Invalid or missing pipeline function entrypoint arguments. Only JSON serializable inputs are allowed as pipeline inputs. Check out the pydantic error above for more details.',
  traceback: 'Traceback (most recent call last):\n',
  userCodeLine: null,
}

/** 0.74 replaces a mapping, later servers merge it; a value of the wrong type fails the step when it starts. */
function configure(
  world: World,
  pipeline: PipelineSpec,
  spec: StepSpec,
  configuration: JsonObject,
  index: number,
): ConfiguredStep {
  const given = objectAt(objectAt(objectAt(configuration, 'steps'), spec.name), 'parameters')
  const defaults = defaultsOf(spec.parameters)
  const parameters = world.version === '0.74.0' ? { ...defaults, ...given } : mergeDeep(defaults, given)
  const wrong = parameterFault(pipeline, spec, parameters)
  const effect: StepEffect & { readonly seconds: number } =
    wrong === undefined ? { ...spec, ...spec.effect?.(parameters) } : { seconds: 0.1, fails: wrong }
  const { seconds, log, metadata, retried = [] } = effect
  const fails = index > (spec.failsUntil ?? Infinity) ? undefined : effect.fails
  const attempt = (one: Attempt): ConfiguredStep => ({
    id: world.ids.uuid(),
    spec,
    parameters,
    name: spec.name,
    upstream: spec.upstream ?? [],
    durationMs: Math.round((one.seconds ?? seconds) * 1000),
    fails: one.fails,
    cached: spec.cached === true && configuration['enable_cache'] !== false,
    preempted: spec.preempted,
    log: one.log ?? [],
    metadata: one.metadata ?? {},
    earlier: [],
  })
  const [first] = retried
  if (world.version === '0.74.0' && first !== undefined) return attempt(first)
  const last = attempt({ seconds, fails, log, metadata })
  return { ...last, earlier: retried.map(attempt) }
}

type Attempt = { readonly [Key in keyof StepEffect]: StepEffect[Key] | undefined }

function parameterFault(
  pipeline: PipelineSpec,
  spec: StepSpec,
  parameters: JsonObject,
): StepFailure | undefined {
  for (const [name, parameter] of Object.entries(spec.parameters ?? {})) {
    const fault = faultOf(parameter.jsonSchema, parameters[name] ?? null, pipeline.definitions ?? {})
    if (fault === undefined) continue
    return {
      type: 'pydantic_core._pydantic_core.ValidationError',
      message: `1 validation error for ${spec.function ?? spec.name}\n${name}\n  ${fault}`,
      traceback: '',
      userCodeLine: 1,
    }
  }
  return undefined
}

/** Before execution modes, ZenML's local orchestrator stopped at the first failure; remote ones did not. */
function modeOf(world: World, spec: PipelineSpec, configuration: JsonObject): ExecutionMode {
  if (world.version === '0.74.0') return spec.sequential ? 'stop_on_failure' : 'continue_on_failure'
  const sent = configuration['execution_mode']
  if (sent === 'stop_on_failure' || sent === 'fail_fast' || sent === 'continue_on_failure') return sent
  return executionMode(spec)
}

function substitutionsAt(world: World, at: number): RunFacts['substitutions'] {
  const [date = '', time = ''] = new Date(at).toISOString().split('T')
  // Of two runs in the same millisecond, neither takes the other's name.
  const digits = String(world.ids.next() % 1000).padStart(3, '0')
  return {
    date: date.replaceAll('-', '_'),
    time: `${time.slice(0, 8).replaceAll(':', '_')}_${time.slice(9, 12)}${digits}`,
  }
}
