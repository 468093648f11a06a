import type { AnswerError } from '../../zenml/errors.ts'
import { DEFINITION_NOUNS, type Definition } from '../../zenml/model.ts'
import { twoSentences } from '../../base/sentences.ts'
import type { RunIdentity } from '../recovery-journal.ts'

/** What ZenML's refusals of a trigger mean for a person, by their text; most are in pipeline_execution/utils.py (0.98). */
const ADVICE: readonly { readonly pattern: RegExp; readonly advice: (noun: string) => string }[] = [
  {
    pattern: /has been updated since/i,
    advice: (noun) => `The stack was changed after the ${noun} was made: create the ${noun} again`,
  },
  {
    pattern: /does not have an associated build|no associated build/i,
    advice: (noun) =>
      `The ${noun} was made without a container build: create it again on a remote stack with a container registry`,
  },
  {
    pattern: /no source snapshot|no source deployment/i,
    advice: (noun) => `What the ${noun} was made from is gone: create the ${noun} again`,
  },
  {
    pattern: /missing the following required parameters/i,
    advice: () => 'Give these parameters in configuration',
  },
  {
    pattern: /unknown parameters for step/i,
    advice: () => 'Correct or remove these parameters in configuration',
  },
  {
    pattern: /pipeline parameters when running a static|can't set parameters when running/i,
    advice: () => 'Move them to steps.<step>.parameters in configuration',
  },
]

/**
 * One line: what the server said, and what to do about it.
 *
 * @param replayed the run that was to be replayed, of that definition
 */
export function explainRefusal(
  error: AnswerError,
  definition: Definition,
  replayed: RunIdentity | undefined,
): string {
  if (error.missingPermission !== undefined) return error.message
  const noun = DEFINITION_NOUNS[definition.kind]
  const known = ADVICE.find(({ pattern }) => pattern.test(error.detail))
  const source = {
    noun: replayed === undefined ? noun : `run "${replayed.name ?? replayed.id}"`,
    isReplay: replayed !== undefined,
    isMissing: saysMissing(error, definition, replayed),
  }
  return twoSentences(error.message, known === undefined ? adviceFor(error, source) : known.advice(noun))
}

/**
 * Whether ZenML surely said no before it made a run: to the request as such, to what it checks first, or because what
 * was to be run is not there.
 */
export function precedesRun(
  error: AnswerError,
  definition: Definition,
  replayed: RunIdentity | undefined,
): boolean {
  const { exception, status, detail } = error
  if (exception === undefined || status === 401 || status === 501) return true
  return ADVICE.some(({ pattern }) => pattern.test(detail)) || saysMissing(error, definition, replayed)
}

/** Whether what was to be run is not there; a 404 may also be about something that it or its configuration names. */
function saysMissing(
  { status, detail }: AnswerError,
  definition: Definition,
  replayed: RunIdentity | undefined,
): boolean {
  return status === 404 && detail.includes(replayed?.id ?? definition.id)
}

function adviceFor(
  error: AnswerError,
  {
    noun,
    isReplay,
    isMissing,
  }: { readonly noun: string; readonly isReplay: boolean; readonly isMissing: boolean },
): string {
  if (!error.fromZenml)
    return 'Check server-url, and any proxy or firewall between this runner and the server'
  switch (error.status) {
    case 402:
      return "The ZenML subscription does not allow this run: see its limits in the organization's settings"
    case 403:
      return `Give the account permission to read the ${noun}, and to create pipeline snapshots and pipeline runs`
    case 404:
      if (error.exception === undefined) return NO_WORKLOAD_MANAGER
      return isMissing
        ? `The ${noun} was deleted, or the account can no longer read it`
        : `The configuration or the ${noun} names it: create it, or name another one`
    case 405:
    case 501:
      return NO_WORKLOAD_MANAGER
    case 422:
      return isReplay
        ? `The ${noun} cannot be replayed: start a new workflow run`
        : 'Correct the configuration'
    default:
      return 'The server refused the request; retrying would not help'
  }
}

const NO_WORKLOAD_MANAGER =
  'This server cannot start runs: it has no workload manager. On an open-source server, set ZENML_SERVER_WORKLOAD_MANAGER_IMPLEMENTATION_SOURCE; on a hybrid or self-hosted ZenML Pro, enable the workload manager'
