import type { Deadline } from '../../base/deadline.ts'
import type { JsonObject } from '../../base/json.ts'
import type { Definition } from '../../zenml/model.ts'
import { runUrl } from '../../zenml/run-link.ts'
import { ageOf } from '../run-duration.ts'
import type { Configuration } from '../configure/merge.ts'
import { completeFor } from '../configure/older-servers.ts'
import type { FoundTarget } from '../find/target.ts'
import type { Begun, RunDependencies } from '../run-supervisor.ts'
import type { RunIdentity } from '../recovery-journal.ts'
import { stopReason } from '../stop/stop-reason.ts'
import { kinOfDefinition } from '../watch/usual-duration.ts'
import { showsHandOver } from './confirm-run-begins.ts'
import { factsOf, noteOrigin, type Provenance } from '../origin.ts'
import { defaultRunName, expandRunName, pipelineOf, type Requester } from './run-name.ts'
import { triggerRun } from './trigger.ts'

export interface StartRequest {
  /** May hold `{date}` and `{time}`; undefined: a configuration's `run_name`, or one of ours. */
  readonly runName?: string | undefined
  /** Where this step runs, for a name of ours. */
  readonly requester: Requester
  /** Where this step comes from, to be noted on the run; undefined: nothing is noted. */
  readonly provenance: Provenance | undefined
  /** Page of the workflow run, or empty. */
  readonly workflowRunUrl: string
  /** The run that is replayed, without the steps that it completed; it has had the same configuration. */
  readonly replayed?: RunIdentity | undefined
}

/**
 * Starts exactly one run of what was found, and notes on it where it came from if that is wished.
 *
 * @throws as `triggerRun` does
 */
export async function startRun(
  request: StartRequest,
  { server, account, definition, project }: FoundTarget,
  configuration: Configuration,
  deadline: Deadline,
  deps: RunDependencies,
): Promise<Begun> {
  const { client, clock, reporter, journal } = deps
  const { replayed } = request
  const key = deps.newKey()
  const named = nameRun(request, definition, configuration, key, clock.now())
  reporter.tell({ kind: 'triggering', name: named.name, server, project })
  const askedAt = clock.elapsed()
  const { run, name, adopted } = await triggerRun(
    {
      definition,
      replayed,
      configuration:
        replayed === undefined
          ? completeFor(server.version, definition, configuration.body)
          : ONLY_WHAT_FAILED,
      ...named,
      key,
      deadline,
      showsHandOver: showsHandOver(server.version),
      endReason: stopReason('The server never began this run', request.workflowRunUrl),
    },
    deps,
  )
  const url = runUrl(client.serverUrl, server, run.id, project)
  // Undefined only in an answer of an unknown shape; the run is where its definition is.
  const projectId = run.projectId ?? definition.project?.id
  const { id, status, isDynamic } = run
  const started = { id, projectId, name, url, status, isDynamic }
  journal.started(started)
  // Whatever the server's clocks say: it was not there before it was asked for.
  const ageMs = Math.min(ageOf(run, client.serverNow), clock.elapsed() - askedAt)
  reporter.tell({ kind: 'started', run, url, ageMs, adopted })
  const begun: Begun = {
    started,
    kin: kinOfDefinition(definition),
    ageMs,
    server,
    project,
    // How long whole runs take says nothing about a part of one.
    ...(replayed === undefined ? {} : { usual: { known: undefined } }),
  }
  const { provenance } = request
  if (provenance === undefined) return begun
  const facts = factsOf(provenance)
  const origin = { runId: run.id, facts, server, account, project: definition.project ?? project }
  return { ...begun, origin, beside: noteOrigin(origin, deps) }
}

/** Of a replay: all else is in the snapshot that ZenML made of the earlier run. */
const ONLY_WHAT_FAILED: JsonObject = { skip_successful_steps: true }

function nameRun(
  { runName, requester }: StartRequest,
  definition: Definition,
  configuration: Configuration,
  key: string,
  now: number,
): { name: string; nameIsOurs: boolean } {
  const pattern = runName ?? configuration.runName
  if (pattern !== undefined) return { name: expandRunName(pattern, now), nameIsOurs: false }
  return { name: defaultRunName(requester, pipelineOf(definition), key), nameIsOurs: true }
}
