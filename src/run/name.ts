/** The longest name that ZenML takes. */
export const MAX_RUN_NAME_LENGTH = 255

/**
 * Fills `{date}` and `{time}` the way ZenML does (`2026_11_22`, `21_47_25_741000`), but here, so that the name
 * is known before the run is.
 *
 * @param now milliseconds since the epoch; the text is in UTC
 */
export function expandRunName(pattern: string, now: number): string {
  const [date = '', time = ''] = new Date(now).toISOString().replace('Z', '').split('T')
  return pattern
    .replaceAll('{date}', date.replaceAll('-', '_'))
    .replaceAll('{time}', `${time.replaceAll(/[:.]/g, '_')}000`)
}

/** The step of a workflow that a run belongs to. */
export interface RunOrigin {
  readonly workflowRunId: string
  /** 1 for the first attempt of a workflow run, 0 where there is no workflow. */
  readonly attempt: number
  /** 8 hex digits that tell this step of the workflow from others. */
  readonly stepIdentity: string
}

/** The part of a default name that all attempts of a workflow run share. */
export function runNamePrefix({ workflowRunId }: Pick<RunOrigin, 'workflowRunId'>, pipeline: string): string {
  // What follows takes some 50 characters, and must never be cut.
  return `${pipeline.slice(0, MAX_RUN_NAME_LENGTH - 80)}-gh${workflowRunId}-`
}

/**
 * A name that no other step, attempt or workflow run uses, and that a person can read.
 *
 * @param key the first idempotency key, a UUID: its digits make the name unique
 */
export function defaultRunName(origin: RunOrigin, pipeline: string, key: string): string {
  const unique = key.replaceAll('-', '').slice(0, 12)
  return `${runNamePrefix(origin, pipeline)}${origin.attempt}-${origin.stepIdentity}-${unique}`
}

/** Which step and attempt gave a run its default name; undefined for any other name. */
export function readDefaultRunName(
  name: string,
  prefix: string,
): Pick<RunOrigin, 'attempt' | 'stepIdentity'> | undefined {
  if (!name.startsWith(prefix)) return undefined
  const [, attempt, stepIdentity] =
    /^(\d{1,9})-([0-9a-f]{8})-[0-9a-f]{12}$/.exec(name.slice(prefix.length)) ?? []
  return attempt === undefined || stepIdentity === undefined
    ? undefined
    : { attempt: Number(attempt), stepIdentity }
}
