import { createHash } from 'node:crypto'

import type { Environment } from './environment.ts'

/** Where this step runs. Every text is empty, and every number 0, when a person runs it by hand. */
export interface WorkflowContext {
  /** GitHub's own address, without a trailing slash; differs on GitHub Enterprise Server. */
  readonly serverUrl: string
  /** REST API address, without a trailing slash. */
  readonly apiUrl: string
  /** `owner/name`. */
  readonly repository: string
  /** Stays the same when the repository is renamed. */
  readonly repositoryId: string
  /** Name of the workflow. */
  readonly workflow: string
  /** `owner/name/.github/workflows/file.yml@ref`. */
  readonly workflowRef: string
  /** Id of the job in the workflow file; equal in all cells of a matrix. */
  readonly job: string
  /** Id of the step, or a name that the runner made; equal for all steps inside one composite action. */
  readonly action: string
  readonly runId: string
  /** 1 for the first attempt of a workflow run. */
  readonly runAttempt: number
  /** Page of this workflow run's attempt, or empty. */
  readonly workflowRunUrl: string
  readonly eventName: string
  /** File that holds the event's payload as JSON. */
  readonly eventPath: string
  readonly actor: string
  readonly sha: string
  /** Full name, such as `refs/heads/main`. */
  readonly ref: string
  /** Branch a pull request comes from; empty for other events. */
  readonly headRef: string
  /** Branch it would be merged into; empty for other events. */
  readonly baseRef: string
  /** Folder that actions/checkout fills; relative paths start here. */
  readonly workspace: string
}

/** Reads what the runner's default variables say about this step; a missing variable is an empty text. */
export function readWorkflowContext(env: Environment): WorkflowContext {
  const read = (name: string): string => env[name]?.trim() ?? ''
  const serverUrl = read('GITHUB_SERVER_URL').replace(/\/+$/, '') || 'https://github.com'
  const repository = read('GITHUB_REPOSITORY')
  const runId = read('GITHUB_RUN_ID')
  const attempt = read('GITHUB_RUN_ATTEMPT')
  const runAttempt = /^\d{1,9}$/.test(attempt) ? Number(attempt) : 0
  const runPage = `${serverUrl}/${repository}/actions/runs/${runId}`
  return {
    serverUrl,
    apiUrl: read('GITHUB_API_URL').replace(/\/+$/, '') || 'https://api.github.com',
    repository,
    repositoryId: read('GITHUB_REPOSITORY_ID'),
    workflow: read('GITHUB_WORKFLOW'),
    workflowRef: read('GITHUB_WORKFLOW_REF'),
    job: read('GITHUB_JOB'),
    action: read('GITHUB_ACTION'),
    runId,
    runAttempt,
    workflowRunUrl:
      repository === '' || runId === '' ? '' : runAttempt > 1 ? `${runPage}/attempts/${runAttempt}` : runPage,
    eventName: read('GITHUB_EVENT_NAME'),
    eventPath: read('GITHUB_EVENT_PATH'),
    actor: read('GITHUB_ACTOR'),
    sha: read('GITHUB_SHA'),
    ref: read('GITHUB_REF'),
    headRef: read('GITHUB_HEAD_REF'),
    baseRef: read('GITHUB_BASE_REF'),
    workspace: read('GITHUB_WORKSPACE'),
  }
}

/**
 * Names one step of one workflow, the same in every run and every attempt: 8 hex digits.
 *
 * GitHub's own variables are equal in all cells of a matrix and for all steps inside a composite action, so
 * `stepKey` (the input `step-key`) tells those apart.
 */
export function stepIdentity(
  context: Pick<WorkflowContext, 'repositoryId' | 'workflowRef' | 'action'>,
  stepKey: string,
): string {
  const parts = [context.repositoryId, context.workflowRef, context.action, stepKey]
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 8)
}
