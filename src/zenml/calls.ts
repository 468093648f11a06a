import type { JsonObject } from '../base/json.ts'
import { pathSegment } from '../http/path-segment.ts'
import type { Call, Read } from './api.ts'
import type { DefinitionKind, Run, ServerInfo } from './model.ts'

/* What lists are asked for, and what a part of one holds. */

/** Where templates and snapshots are. */
export const ROUTES: Readonly<Record<DefinitionKind, string>> = {
  template: '/run_templates',
  snapshot: '/pipeline_snapshots',
}

/** What a run is started from: a template, a snapshot, or an earlier run that is replayed (from 0.95 on). */
export interface StartSource {
  readonly kind: DefinitionKind | 'run'
  readonly id: string
}

/**
 * A trigger: it must not be sent twice without a thought.
 *
 * @param configuration of the run; of a replay what differs from the configuration of the earlier run
 * @param key a UUID
 */
export function triggerCall({ kind, id }: StartSource, configuration: unknown, key: string): Call {
  const path = kind === 'run' ? `/runs/${pathSegment(id)}/replay` : `${ROUTES[kind]}/${pathSegment(id)}/runs`
  return {
    method: 'POST',
    path,
    json: kind === 'snapshot' ? { run_configuration: configuration } : configuration,
    headers: { 'idempotency-key': key },
    once: true,
  }
}

export interface DefinitionQuery {
  readonly name?: string | undefined
  /** Name or id. */
  readonly pipeline?: string | undefined
  /** Name or id. */
  readonly project?: string | undefined
  /** Only those that can be run; templates cannot be filtered so. */
  readonly runnable?: boolean
  /** Whether each says all that it says alone, but for a snapshot's parameters. */
  readonly hydrate?: boolean
  /** The most items to give, at most 10,000; newest first. */
  readonly size: number
}

/** Such a list. */
export function definitionsCall(
  kind: DefinitionKind,
  { name, pipeline, project, runnable, hydrate, size }: DefinitionQuery,
): Read {
  const query = {
    name: name === undefined ? undefined : `equals:${name}`,
    pipeline,
    project,
    named_only: kind === 'snapshot' ? 'true' : undefined,
    runnable: runnable === true && kind === 'snapshot' ? 'true' : undefined,
    sort_by: 'desc:created',
    size: String(size),
    hydrate: String(hydrate === true),
  }
  return { path: ROUTES[kind], query }
}

/** @param needsValues whether with its parameters; a template always has them */
export function definitionCall(kind: DefinitionKind, id: string, needsValues: boolean): Read {
  const query = kind === 'snapshot' && needsValues ? { include_config_schema: 'true' } : {}
  return { path: `${ROUTES[kind]}/${pathSegment(id)}`, query }
}

export const INFO: Read = { path: '/info' }
export const ACCOUNT: Read = { path: '/current-user' }

/** From 0.80 on. */
export const PROJECTS: Read = {
  path: '/projects',
  query: { size: '100', sort_by: 'asc:name', hydrate: 'false' },
}

/** A project by name or id; before 0.80 it was called workspace. */
export function projectCall(nameOrId: string, { hasProjects }: Pick<ServerInfo, 'hasProjects'>): Read {
  return { path: `/${hasProjects ? 'projects' : 'workspaces'}/${pathSegment(nameOrId)}` }
}

/** One of the first two ids, or both. */
export interface CompletedRunsQuery {
  readonly templateId?: string | undefined
  readonly pipelineId?: string | undefined
  readonly projectId: string | undefined
  /** Name of a branch, as it is noted on runs. */
  readonly branch?: string
  /** Items of a page. */
  readonly size: number
  /** From 1. */
  readonly page?: number
}

/** Only what JSON writes as it is: the server looks for it in JSON. */
const PLAIN_BRANCH = /^[\w./-]+$/

/** The parameters of such a list. */
export function completedRunsParameters({
  templateId,
  pipelineId,
  projectId,
  branch = '',
  size,
  page = 1,
}: CompletedRunsQuery): Readonly<Record<string, string | undefined>> {
  return {
    template_id: templateId,
    pipeline: pipelineId,
    project: projectId,
    status: 'completed',
    run_metadata: PLAIN_BRANCH.test(branch) ? `github_actions:contains:"branch": "${branch}"` : undefined,
    sort_by: 'desc:created',
    size: String(size),
    page: String(page),
    hydrate: 'true',
  }
}

/** The parameters of a list of runs, the newest first; `name` with its operator, as in `equals:nightly`. */
export function namedRunsParameters(
  name: string,
  projectId: string | undefined,
): Readonly<Record<string, string | undefined>> {
  return { name, project: projectId, sort_by: 'desc:created', size: '100', hydrate: 'true' }
}

/** The parameters of a list of certain runs. */
export function runsOfIdsParameters(
  ids: readonly string[],
  projectId: string | undefined,
): Readonly<Record<string, string | undefined>> {
  const id = `oneof:${JSON.stringify(ids)}`
  return { id, project: projectId, size: String(ids.length), hydrate: 'false' }
}

/** The parameters of a list of certain steps, with what each left behind. */
export function stepsOfIdsParameters(
  ids: readonly string[],
  projectId: string | undefined,
): Readonly<Record<string, string | undefined>> {
  return { ...runsOfIdsParameters(ids, projectId), hydrate: 'true' }
}

export interface RunPage {
  readonly runs: readonly Run[]
  readonly isLast: boolean
}

/** A part of a run's steps. */
export interface StepPage<Step> {
  readonly steps: readonly Step[]
  /** How many different ones the server has given so far, those that do not belong to the run included. */
  readonly received: number
  /** How many it says that there are. */
  readonly total: number
}

/** Where metadata belongs; before 0.80 a project was called workspace, and the account had to be named. */
export interface MetadataScope {
  readonly projectId: string
  readonly accountId: string
  readonly server: Pick<ServerInfo, 'hasProjects'>
}

/** Attaches mappings to a run. */
export function noteMetadataCall(
  runId: string,
  values: Readonly<Record<string, JsonObject>>,
  { projectId, accountId, server: { hasProjects } }: MetadataScope,
): Call {
  return {
    method: 'POST',
    path: hasProjects ? '/run-metadata' : `/workspaces/${pathSegment(projectId)}/run-metadata`,
    json: {
      ...(hasProjects ? { project: projectId } : { workspace: projectId, user: accountId }),
      resources: [{ id: runId, type: 'pipeline_run' }],
      values,
      types: Object.fromEntries(Object.keys(values).map((key) => [key, 'dict'])),
    },
  }
}
