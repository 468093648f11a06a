import { createHash } from 'node:crypto'
import { sortedJson, type JsonObject } from '../../base/json.ts'
import { MAX_NAME_LENGTH } from '../../base/run-name.ts'
import type { Definition } from '../../zenml/model.ts'

/** So many characters of a name, as ZenML counts them: half of one is none. */
export function beginning(name: string, most = MAX_NAME_LENGTH): string {
  return Array.from(name).slice(0, most).join('')
}

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

/** Who asks for a run: a step of a workflow run, in one of its attempts. */
export interface Requester {
  readonly workflowRunId: string
  /** 1 for the first attempt of a workflow run, 0 where there is no workflow. */
  readonly attempt: number
  /** 8 hex digits that tell this step of the workflow from others. */
  readonly stepIdentity: string
}

/** The pipeline's name as it stands in a run's; what else there is where it has none. */
export function pipelineOf(definition: Definition): string {
  return definition.pipeline?.name ?? definition.name ?? 'run'
}

const DIGITS = 12

/**
 * What a run is named after, so that a later attempt of the step finds it. GitHub gives the calls of one reusable workflow
 * nothing that tells them apart, so what the run is given counts too.
 */
export function namedRequester(requester: Requester, configuration: JsonObject): Requester {
  const told = sortedJson([requester.stepIdentity, configuration])
  return { ...requester, stepIdentity: createHash('sha256').update(told).digest('hex').slice(0, 8) }
}

/**
 * Another name for a run whose first name is taken by one that never began.
 *
 * @param nameIsOurs whether the first name ends in such digits too
 * @param key a new UUID: its digits make the name unique
 */
export function otherRunName(name: string, nameIsOurs: boolean, key: string): string {
  const start = nameIsOurs ? name.slice(0, -DIGITS) : `${beginning(name, MAX_NAME_LENGTH - DIGITS - 1)}-`
  return `${start}${digitsOf(key)}`
}

function digitsOf(key: string): string {
  return key.replaceAll('-', '').slice(0, DIGITS)
}

/** The random digits that end a name of ours. */
export function uniqueDigits(name: string): string {
  return name.slice(-DIGITS)
}

/** What follows the pipeline's name takes some 50 characters, and must never be cut. */
const LONGEST_PIPELINE = MAX_NAME_LENGTH - 80

/**
 * A pipeline may have any name. ZenML fills in what stands in braces (zenml/utils/string_utils.py,
 * `format_name_template`), and a name that it changes could not be looked up.
 */
function unchangeable(pipeline: string): string {
  const plain = pipeline
    .replace(/[{}\p{Cc}\p{Cs}]/gu, '')
    .normalize('NFC')
    .trim()
  return beginning(plain, LONGEST_PIPELINE)
}

/** The part of a default name that tells step and attempt; what follows makes it unique. */
export function stepNamePrefix(
  { workflowRunId, attempt, stepIdentity }: Requester,
  pipeline: string,
): string {
  return `${unchangeable(pipeline)}-gh${workflowRunId}-${attempt}-${stepIdentity}-`
}

/**
 * A name that no other step, attempt or workflow run uses, and that a person can read.
 *
 * @param key the first idempotency key, a UUID: its digits make the name unique
 */
export function defaultRunName(requester: Requester, pipeline: string, key: string): string {
  return `${stepNamePrefix(requester, pipeline)}${digitsOf(key)}`
}
