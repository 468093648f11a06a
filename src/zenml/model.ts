import type { z } from 'zod'
import { isDeeperThan, isJsonObject, member, type JsonObject } from '../base/json.ts'
import { codeOfDefinition, codeOfRun, type CodeSource } from './code-source.ts'
import { isAtLeast } from './version.ts'
import type { dagSchema, definitionSchema, infoSchema, runSchema, stepSchema } from './schemas.ts'

/** What a server says of itself, without a credential. */
export interface ServerInfo {
  readonly version: string
  /** True for ZenML Pro, whose dashboard has its own addresses. */
  readonly isPro: boolean
  readonly dashboardUrl: string | undefined
  /** Of the management API that a ZenML Pro workspace belongs to, as it says itself. */
  readonly proApiUrl: string | undefined
  /** Runs are in projects, and lists need one to be named: from 0.80 on. Before, projects were called workspaces. */
  readonly hasProjects: boolean
}

export interface Named {
  readonly id: string
  readonly name: string | undefined
}

export interface Project {
  readonly id: string
  readonly name: string
}

export interface Account extends Named {
  /** What ZenML's own client works in; the server itself does not look at it. */
  readonly defaultProjectId: string | undefined
}

/** A run, and the project without which the server lists nothing of it; undefined before 0.80. */
export interface RunReference {
  readonly id: string
  readonly projectId: string | undefined
}

export type DefinitionKind = 'template' | 'snapshot'

/** What a person calls each. */
export const DEFINITION_NOUNS: Readonly<Record<DefinitionKind, string>> = {
  template: 'run template',
  snapshot: 'snapshot',
}

/** A run template or a snapshot: something that can be triggered. */
export interface Definition {
  readonly kind: DefinitionKind
  readonly id: string
  readonly name: string | undefined
  /** Undefined if the account may not see it. */
  readonly runnable: boolean | undefined
  readonly pipeline: Named | undefined
  readonly project: Named | undefined
  /** A template's snapshot, or the one that a run's own snapshot was made from; from 0.90 on. */
  readonly sourceSnapshotId: string | undefined
  /** All steps' parameters with their values; only in a hydrated template. */
  readonly stepParameters: Readonly<Record<string, JsonObject>> | undefined
  /** Whether the pipeline decides its steps while it runs; undefined where the server does not say. */
  readonly isDynamic: boolean | undefined
  /** Whether its stack is hidden from the account; a template does not say, nor a list. */
  readonly hidesStack: boolean
  readonly code: CodeSource
  readonly documents: DefinitionDocuments
}

/** The same without what it says of configurations, which can take tens of megabytes. */
export type KnownDefinition = Omit<Definition, 'documents' | 'stepParameters'>

/** What a definition says about the configurations that it takes, as the server writes it; only when hydrated. */
export interface DefinitionDocuments {
  /** A run configuration with all values. */
  readonly configTemplate: JsonObject | undefined
  /** The JSON schema of a run configuration, stricter than the server itself. */
  readonly configSchema: JsonObject | undefined
  /** The pipeline's steps and, in newer servers (from 0.94.1 on), the types of all parameters. */
  readonly pipelineSpec: JsonObject | undefined
}

/** A pipeline run. Times are milliseconds since the epoch. */
export interface Run {
  readonly id: string
  readonly name: string | undefined
  /** True if the account may not see more of it than that it is there. */
  readonly permissionDenied: boolean
  /** As ZenML writes it; "unknown" if the account may not see it. */
  readonly status: string
  readonly statusReason: string | undefined
  /** Undefined where the server does not say (0.74). It can stay true for ever. */
  readonly inProgress: boolean | undefined
  readonly created: number | undefined
  /** When the server last changed it. */
  readonly updated: number | undefined
  readonly endTime: number | undefined
  readonly templateId: string | undefined
  readonly sourceSnapshotId: string | undefined
  /** Whether its pipeline decides its steps while it runs, and may call others: from 0.90 on, and where that is hidden. */
  readonly isDynamic: boolean
  /** What this action puts into the configuration of a run under a name of the user's own; only when hydrated. */
  readonly startMark: string | undefined
  readonly pipeline: Named | undefined
  readonly projectId: string | undefined
  /** Of the pipeline's own model; only when hydrated. */
  readonly modelVersionId?: string | undefined
  /** Only when hydrated. */
  readonly code: CodeSource | undefined
  /** What was logged of the run; only when hydrated. */
  readonly metadata: JsonObject | undefined
}

export interface StepState {
  /** Undefined for a step that has not started. */
  readonly id: string | undefined
  readonly name: string
  /** Undefined for a step that has not started. */
  readonly status: string | undefined
  /** Names of the steps whose success this one waits for; undefined where the server does not say (0.74), or too many. */
  readonly upstream: readonly string[] | undefined
  /** Milliseconds since the epoch; undefined where it has not started, or the server does not say. */
  readonly startTime: number | undefined
  /** Milliseconds; undefined while it runs. */
  readonly durationMs: number | undefined
}

/** What a run asks a person, and nobody has answered yet. */
export interface Question {
  /** Of the wait condition. */
  readonly id: string
  /** As the pipeline gave it, or ZenML. */
  readonly name: string
  readonly text: string
}

/** A run that a dynamic pipeline started as a part of itself. */
export interface ChildRun {
  readonly id: string
  readonly name: string
  /** As ZenML writes it. */
  readonly status: string
}

/** What there is of a run at one moment. Older servers have neither questions nor child runs. */
export interface RunParts {
  readonly steps: readonly StepState[]
  readonly questions: readonly Question[]
  readonly childRuns: readonly ChildRun[]
}

/** A run's state and its parts at one moment. */
export interface RunGraph extends RunParts {
  /** As ZenML writes it. */
  readonly status: string
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** True for what ZenML takes as an id; anything else in an id's place answers 422. */
export function isUuid(text: string): boolean {
  return UUID.test(text)
}

/** Ids are UUIDs, in whichever case; an answer that has none is about what was asked for. */
export function isAbout(id: string): (answer: { readonly id?: string | null | undefined }) => boolean {
  return (answer) => answer.id == null || answer.id.toLowerCase() === id.toLowerCase()
}

export function toInfo(info: z.infer<typeof infoSchema>): ServerInfo {
  return {
    version: info.version,
    isPro: info.deployment_type === 'cloud',
    dashboardUrl: info.dashboard_url ?? undefined,
    proApiUrl: info.pro_api_url ?? undefined,
    hasProjects: isAtLeast(info.version, 0, 80),
  }
}

export function toDefinition(kind: DefinitionKind, from: z.infer<typeof definitionSchema>): Definition {
  const projectId = from.body?.project_id
  const documents = toDocuments(from.metadata)
  return {
    kind,
    id: from.id,
    name: from.name ?? undefined,
    runnable: from.body?.runnable ?? undefined,
    pipeline: toNamed(from.resources?.pipeline),
    project:
      toNamed(from.metadata?.project ?? from.metadata?.workspace) ??
      (projectId == null ? undefined : { id: projectId, name: undefined }),
    sourceSnapshotId: from.resources?.source_snapshot?.id ?? from.metadata?.source_snapshot_id ?? undefined,
    stepParameters: toStepParameters(documents.configTemplate),
    isDynamic: toDynamic(from),
    hidesStack: from.resources?.stack?.permission_denied === true,
    code: codeOfDefinition(kind, from),
    documents,
  }
}

function toDynamic({ body, resources }: z.infer<typeof definitionSchema>): boolean | undefined {
  return body?.is_dynamic ?? resources?.source_snapshot?.body?.is_dynamic ?? undefined
}

function toDocuments(from: z.infer<typeof definitionSchema>['metadata']): DefinitionDocuments {
  return {
    configTemplate: flatEnough(from?.config_template),
    configSchema: flatEnough(from?.config_schema),
    pipelineSpec: flatEnough(from?.pipeline_spec),
  }
}

/** Deeper than any that ZenML makes; whatever walks a document later may do so recursively. */
const MAX_DEPTH = 100

/** What is nested too deeply counts as not understood. */
function flatEnough(document: JsonObject | null | undefined): JsonObject | undefined {
  return document == null || isDeeperThan(MAX_DEPTH, document) ? undefined : document
}

function toStepParameters(configTemplate: JsonObject | undefined): Definition['stepParameters'] {
  const steps = member(configTemplate, 'steps')
  if (!isJsonObject(steps)) return undefined
  return Object.fromEntries(
    Object.entries(steps).map(([name, step]) => {
      const parameters = member(step, 'parameters')
      return [name, isJsonObject(parameters) ? parameters : {}]
    }),
  )
}

export function toRun(from: z.infer<typeof runSchema>): Run {
  const { id, name, body, metadata, resources } = from
  return {
    id,
    name: name ?? undefined,
    permissionDenied: from.permission_denied === true,
    ...stateOf(body),
    endTime: metadata?.end_time ?? undefined,
    templateId: metadata?.template_id ?? undefined,
    ...madeFromAndFor(resources),
    startMark: metadata?.config?.extra.github_actions.start,
    pipeline: toNamed(resources?.pipeline ?? body?.pipeline),
    projectId: body?.project_id ?? from.project_id ?? (metadata?.project ?? metadata?.workspace)?.id,
    code: codeOfRun(from),
    metadata: metadata?.run_metadata ?? undefined,
  }
}

function madeFromAndFor(
  resources: z.infer<typeof runSchema>['resources'],
): Pick<Run, 'sourceSnapshotId' | 'isDynamic' | 'modelVersionId'> {
  const { source_snapshot: source, snapshot, model_version: version } = resources ?? {}
  const isDynamic = snapshot != null && snapshot.body?.is_dynamic !== false
  return { sourceSnapshotId: source?.id, isDynamic, modelVersionId: version?.id }
}

function stateOf(
  body: z.infer<typeof runSchema>['body'],
): Pick<Run, 'status' | 'statusReason' | 'inProgress' | 'created' | 'updated'> {
  return {
    status: body?.status ?? 'unknown',
    statusReason: body?.status_reason ?? undefined,
    inProgress: body?.in_progress ?? undefined,
    created: body?.created ?? undefined,
    updated: body?.updated ?? undefined,
  }
}

/** What an object is called. */
export function toNamed(
  from: { id: string; name?: string | null | undefined } | null | undefined,
): Named | undefined {
  return from == null ? undefined : { id: from.id, name: from.name ?? undefined }
}

/** What was logged of a step; empty where the account may not see it. */
export interface StepMetadata {
  readonly step: string
  readonly metadata: JsonObject
}

export function toStep(from: z.infer<typeof stepSchema>): StepState {
  const startTime = from.body?.start_time ?? undefined
  const endTime = from.body?.end_time ?? undefined
  return {
    id: from.id,
    name: from.name ?? from.id,
    status: from.body?.status ?? 'unknown',
    upstream: undefined,
    startTime,
    durationMs:
      startTime === undefined || endTime === undefined ? undefined : durationOf(endTime - startTime),
  }
}

/** Milliseconds; undefined for what is no length of time, or so long that a sum of some would be no number. */
function durationOf(ms: number): number | undefined {
  return ms >= 0 && ms <= Number.MAX_SAFE_INTEGER ? ms : undefined
}

/**
 * Of all steps together. In ZenML an artifact has one step that writes it, so the names are no more than the edges; one
 * with many of both sides would make their product.
 */
const MOST_UPSTREAM = 200_000

/** Reads the steps out of a graph in which artifacts stand between them. */
export function toGraph(dag: z.infer<typeof dagSchema>): RunGraph {
  const steps = new Map(dag.nodes.filter(({ type }) => type === 'step').map((node) => [node.node_id, node]))
  const sources = new Map<string, string[]>()
  for (const { source, target } of dag.edges) {
    const known = sources.get(target)
    if (known === undefined) sources.set(target, [source])
    else known.push(source)
  }
  let room = MOST_UPSTREAM
  const upstream = (nodeId: string): string[] | undefined => {
    const names = new Set<string>()
    for (const source of sources.get(nodeId) ?? []) {
      const writers = steps.has(source) ? [source] : (sources.get(source) ?? [])
      room -= writers.length
      if (room < 0) return undefined
      for (const name of writers.flatMap((writer) => steps.get(writer)?.name ?? [])) names.add(name)
    }
    return [...names]
  }
  const states = [...steps.values()].map((node) => ({
    id: node.id ?? undefined,
    name: node.name,
    status: node.id == null ? undefined : (node.metadata?.status ?? 'unknown'),
    upstream: upstream(node.node_id),
    startTime: node.metadata?.start_time ?? undefined,
    durationMs: node.metadata?.duration == null ? undefined : durationOf(node.metadata.duration * 1_000),
  }))
  return { status: dag.status, steps: states, questions: questionsOf(dag), childRuns: childRunsOf(dag) }
}

/** From 0.94 on. */
function questionsOf({ nodes }: z.infer<typeof dagSchema>): Question[] {
  return nodes.flatMap(({ type, id, name, metadata }) =>
    type === 'wait_condition' && id != null && metadata?.status === 'pending'
      ? [{ id, name, text: metadata.question ?? name }]
      : [],
  )
}

/** From 0.94 on; servers up to 0.98 give them the type of a run that a step triggered, which is none of ours. */
function childRunsOf({ nodes }: z.infer<typeof dagSchema>): ChildRun[] {
  return nodes.flatMap(({ node_id: node, type, id, name, metadata }) => {
    const isChild = type === 'child_run' || (type === 'triggered_run' && node.startsWith('child_run/'))
    return isChild && id != null ? [{ id, name, status: metadata?.status ?? 'unknown' }] : []
  })
}
