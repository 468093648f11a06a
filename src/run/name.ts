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

/** Where a default name comes from. */
export interface RunNameParts {
  readonly pipeline: string
  readonly workflowRunId: string
  readonly attempt: string
  /** 8 hex digits that tell this step of the workflow from others. */
  readonly stepIdentity: string
  /** The first idempotency key, a UUID. */
  readonly key: string
}

/** The part of a default name that all attempts of a step share with the workflow run. */
export function runNamePrefix({
  pipeline,
  workflowRunId,
}: Pick<RunNameParts, 'pipeline' | 'workflowRunId'>): string {
  return `${pipeline.slice(0, 120).trim()}-gh${workflowRunId}-`
}

/** A name that no other step, attempt or workflow run uses, and that a person can read. */
export function defaultRunName(parts: RunNameParts): string {
  const unique = parts.key.replaceAll('-', '').slice(0, 12)
  return `${runNamePrefix(parts)}${parts.attempt}-${parts.stepIdentity}-${unique}`.slice(
    0,
    MAX_RUN_NAME_LENGTH,
  )
}
