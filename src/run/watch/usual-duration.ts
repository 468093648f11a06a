import type { ZenmlClient } from '../../zenml/client.ts'
import type { Definition, Run } from '../../zenml/model.ts'
import type { Usual } from '../facts.ts'
import { readBestEffort, type ReadingDependencies } from '../best-effort-read.ts'

/** What runs that take alike have in common; ids, undefined where they are not known. */
export interface Kin {
  readonly templateId: string | undefined
  /** The snapshot that was asked for, not the copy that a trigger makes. */
  readonly snapshotId: string | undefined
  readonly pipelineId: string | undefined
  readonly projectId: string | undefined
}

const MOST_RUNS = 10

/** A history is good to have, but nothing that a step waits long for. */
const TIME_LIMIT_MS = 3_000

/** So many runs of the same snapshot say more than more runs of its pipeline. */
const ENOUGH_OF_SNAPSHOT = 3

/** Runs of one pipeline on one machine differ by some 15 %; fewer runs cannot show that they differ less. */
const LIKELY_SPREAD = 0.15
const RUNS_THAT_SHOW_SPREAD = 5
const LEAST_SPREAD = 0.05
const MOST_SPREAD = 0.6

export function kinOfDefinition({ kind, id, pipeline, project }: Definition): Kin {
  return {
    templateId: kind === 'template' ? id : undefined,
    snapshotId: kind === 'snapshot' ? id : undefined,
    pipelineId: pipeline?.id,
    projectId: project?.id,
  }
}

/** @param run hydrated: otherwise it does not say where it came from */
export function kinOfRun({ templateId, sourceSnapshotId, pipeline, projectId }: Run): Kin {
  return { templateId, snapshotId: sourceSnapshotId, pipelineId: pipeline?.id, projectId }
}

/**
 * How long the last completed runs of the same template, snapshot or pipeline took. One request, and a failure of
 * it means that there is no history.
 *
 * @throws the signal's reason if it was aborted
 */
export async function readUsual(
  client: ZenmlClient,
  { templateId, snapshotId, pipelineId, projectId }: Kin,
  { timeLimit, signal }: Omit<ReadingDependencies, 'client'>,
): Promise<Usual | undefined> {
  if (templateId === undefined && pipelineId === undefined) return undefined
  const wanted = templateId === undefined ? { pipelineId } : { templateId }
  const query = { ...wanted, projectId, size: MOST_RUNS }
  const deps = { client, timeLimit, signal }
  const read = await readBestEffort((hurried) => hurried.completedRuns(query), deps, timeLimit(TIME_LIMIT_MS))
  if ('missing' in read) return undefined
  const { runs } = read.value
  const same = runs.filter(({ sourceSnapshotId }) => sourceSnapshotId === snapshotId)
  return usualOf(snapshotId !== undefined && same.length >= ENOUGH_OF_SNAPSHOT ? same : runs)
}

/** Median and spread of how long runs took, from their creation to their end; undefined if none says so. */
export function usualOf(runs: readonly Pick<Run, 'created' | 'endTime'>[]): Usual | undefined {
  const logs = runs
    .flatMap(({ created, endTime }) =>
      created === undefined || endTime === undefined || endTime <= created ? [] : Math.log(endTime - created),
    )
    .toSorted((a, b) => a - b)
  if (logs.length === 0) return undefined
  return { medianMs: Math.round(Math.exp(medianOf(logs))), spread: spreadOf(logs), runs: logs.length }
}

/** @param sorted not empty */
function medianOf(sorted: readonly number[]): number {
  const last = sorted.length - 1
  return ((sorted[Math.floor(last / 2)] ?? 0) + (sorted[Math.ceil(last / 2)] ?? 0)) / 2
}

function spreadOf(logs: readonly number[]): number {
  const mean = logs.reduce((sum, log) => sum + log, 0) / logs.length
  const squares = logs.reduce((sum, log) => sum + (log - mean) ** 2, 0)
  const deviation = Math.sqrt(squares / Math.max(1, logs.length - 1))
  const least = logs.length < RUNS_THAT_SHOW_SPREAD ? LIKELY_SPREAD : LEAST_SPREAD
  return Math.min(MOST_SPREAD, Math.max(least, deviation))
}
