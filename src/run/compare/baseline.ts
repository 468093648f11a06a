import { Deadline } from '../../base/deadline.ts'
import { isJsonObject, type JsonValue } from '../../base/json.ts'
import type { ZenmlClient } from '../../zenml/client.ts'
import { isNotFound } from '../../zenml/errors.ts'
import { isUuid, type Run, type RunReference, type ServerInfo, type Named } from '../../zenml/model.ts'
import { runUrl } from '../../zenml/run-link.ts'
import { runPhase } from '../../zenml/status.ts'
import { collectDetails, type CollectDependencies } from '../outcome/collect.ts'
import type { LoggedMetadata } from '../outcome/evaluate-expectations.ts'
import { originNotedOn } from '../origin.ts'
import { runOfId } from '../start/own-run.ts'
import { readBestEffort } from '../best-effort-read.ts'
import { insisting } from '../failure-tolerance.ts'

/** The run that another is compared with. */
export type BaselineChoice =
  /** The newest good run of a branch of this repository; not one of this workflow run, nor of the compared run's own. */
  | {
      readonly kind: 'branch'
      readonly branch: string
      readonly repository: string
      /** Of any attempt; empty if not known. */
      readonly workflowRunUrl: string
    }
  /** Id or exact name. */
  | { readonly kind: 'run'; readonly reference: string }
  /** It was read already. */
  | { readonly kind: 'known'; readonly name: string; readonly baseline: Baseline }

/** As the input has it. */
export function nameOfBaseline(choice: BaselineChoice): string {
  if (choice.kind === 'known') return choice.name
  return choice.kind === 'run' ? `run:${choice.reference}` : choice.branch
}

/** The run that a baseline is wanted for. */
export interface ComparedRun extends RunReference {
  readonly pipelineId: string | undefined
  readonly server: ServerInfo
  readonly project: Named | undefined
  /** Address of the workflow run that started it, as it is noted on it; undefined if nothing is. */
  readonly startedBy?: JsonValue | undefined
}

/** What a baseline run logged; or why there is none. */
export type Baseline =
  | {
      readonly kind: 'found'
      readonly id: string
      readonly name: string
      readonly url: string | undefined
      readonly values: LoggedMetadata
    }
  /** The server was asked, and there is no such run yet. */
  | { readonly kind: 'none'; readonly why: string }
  /** `why` is a clause. */
  | { readonly kind: 'unread'; readonly why: string }

/** What a branch is worked on by: no pull request, whose branch may have any name, and no workflow that follows another. */
const EVENTS: readonly unknown[] = ['push', 'schedule', 'workflow_dispatch']

const PAGE_SIZE = 50
/** Beyond it nobody can say that there is none. */
const MOST_PAGES = 20
const TIME_LIMIT_MS = 60_000

/**
 * Finds the run to compare with and reads what it logged. A branch's is the newest completed run of the same pipeline
 * that says of itself that this repository started it on that very branch, by a push, a schedule or a person, and that
 * its step ended well: one that missed its expectations is never one, else the bar would sink with each merge.
 *
 * @throws the signal's reason if it was aborted, and nothing else that a server can cause
 */
export async function readBaseline(
  choice: BaselineChoice,
  compared: ComparedRun,
  deps: CollectDependencies,
): Promise<Baseline> {
  if (choice.kind === 'known') return choice.baseline
  const mostMs = Math.max(TIME_LIMIT_MS, deps.lostAfterMs ?? 0)
  const limit = deps.timeLimit(mostMs)
  const read = await readBestEffort(async (client) => find(choice, compared, client), deps, limit, {
    retries: insisting(deps.clock, new Deadline(deps.clock, mostMs), isNotFound),
  })
  if ('missing' in read) return { kind: 'unread', why: read.missing }
  const found = read.value
  if ('why' in found) return found
  const { id, name = id, projectId = compared.projectId } = found
  const { details, unread } = await collectDetails(
    { id, projectId },
    { ended: found, thoroughly: true },
    deps,
  )
  if (unread !== undefined) return { kind: 'unread', why: `the run "${name}" could not be read: ${unread}` }
  const url = runUrl(deps.client.serverUrl, compared.server, id, compared.project)
  return { kind: 'found', id, name, url, values: details }
}

type Found = Run | Exclude<Baseline, { kind: 'found' }>

async function find(
  choice: Exclude<BaselineChoice, { kind: 'known' }>,
  compared: ComparedRun,
  client: ZenmlClient,
): Promise<Found> {
  return choice.kind === 'run'
    ? findNamed(choice.reference, compared, client)
    : findOnBranch(choice, compared, client)
}

async function findNamed(
  reference: string,
  { id, projectId }: ComparedRun,
  client: ZenmlClient,
): Promise<Found> {
  const [run, ...others] = isUuid(reference)
    ? [await runOfId(client, reference)]
    : await client.runsByName(reference, projectId)
  const unread = (why: string): Found => ({ kind: 'unread', why })
  if (run === undefined) {
    return unread(`there is no run "${reference}", or the account has no permission to read it`)
  }
  if (others.length > 0) return unread(`several projects have a run named "${reference}"; use its ID`)
  if (run.id === id) return unread('a run cannot be compared with itself')
  return runPhase(run.status) === 'succeeded'
    ? run
    : unread(`the run "${reference}" is ${run.status}, and only a completed one can be compared with`)
}

async function findOnBranch(
  choice: Extract<BaselineChoice, { kind: 'branch' }>,
  { id, projectId, pipelineId, startedBy }: ComparedRun,
  client: ZenmlClient,
): Promise<Found> {
  if (pipelineId === undefined) {
    return { kind: 'unread', why: 'the server does not say which pipeline the run is of' }
  }
  let isHidden = false
  const { branch } = choice
  const own = [choice.workflowRunUrl, startedBy].map(workflowRunOf).filter((url) => url !== undefined)
  const query = { pipelineId, projectId, size: PAGE_SIZE, branch }
  for (let page = 1; page <= MOST_PAGES; page += 1) {
    const { runs, isLast } = await client.completedRuns({ ...query, page })
    for (const run of runs) {
      isHidden ||= run.metadata === undefined
      if (run.id !== id && isGoodRun(run, choice, own)) return run
    }
    if (!isLast) continue
    return isHidden
      ? { kind: 'unread', why: 'the account has no permission to read the metadata of earlier runs' }
      : { kind: 'none', why: `no other workflow run on the branch ${branch} has passed with this action yet` }
  }
  return {
    kind: 'unread',
    why: `none of the last ${MOST_PAGES * PAGE_SIZE} runs is a good run of ${branch}`,
  }
}

function isGoodRun(
  { metadata }: Run,
  { branch, repository }: Extract<BaselineChoice, { kind: 'branch' }>,
  own: readonly string[],
): boolean {
  const noted = originNotedOn(metadata)
  return (
    isJsonObject(noted) &&
    noted['repository'] === repository &&
    noted['branch'] === branch &&
    noted['conclusion'] === 'completed' &&
    EVENTS.includes(noted['event']) &&
    // A re-run of a job would be compared with its own earlier attempt.
    !own.includes(workflowRunOf(noted['workflow_run']) ?? '')
  )
}

/** The address without its attempt. */
function workflowRunOf(url: JsonValue | undefined): string | undefined {
  return typeof url === 'string' && url !== '' ? url.replace(/\/attempts\/\d+$/, '') : undefined
}
