import { twoSentences } from '../../base/sentences.ts'
import { showOnOneLine } from '../../base/printable.ts'
import { sortedJson, type JsonValue } from '../../base/json.ts'
import type { Resolution, WaitCondition } from '../../zenml/answers/resolve-answer.ts'
import type { Question, Run } from '../../zenml/model.ts'
import type { AskedQuestion } from '../watch/open-questions.ts'

/** Longer ones tell nobody more of a question or a schema. */
const MAX_LENGTH = 300

/** A run, and where a person looks at it. */
export interface Place {
  readonly run: Run
  readonly url: string | undefined
}

/** Such as `The question "Deploy?" of the run "nightly-5"`. */
export function shownQuestion({ text }: Question, { run }: Place): string {
  return `The question "${showOnOneLine(text, MAX_LENGTH)}" of the run "${run.name ?? run.id}"`
}

/** What is said when the workflow is cancelled before anything was sent. */
export function notAnswered(run: string): string {
  return `Cancelled before the run "${run}" was answered; nothing was sent`
}

/** The run asks nothing. */
export function asksNothing({ run, url }: Place): string {
  return `run: the run "${run.name ?? run.id}" is not waiting for an answer; it is ${run.status}. It has ended, was answered already, or has not asked yet${see(url)}`
}

/** The open question is not the one that the answer is for. */
export function asksSomethingElse(questions: readonly Question[], { run, url }: Place): string {
  return `question: the run "${run.name ?? run.id}" asks something else: ${listed(questions)}. Nothing was answered${see(url)}`
}

function listed(questions: readonly Pick<Question, 'text'>[]): string {
  const texts = questions.map(({ text }) => `"${showOnOneLine(text, MAX_LENGTH)}"`).join(', ')
  return showOnOneLine(texts, 3 * MAX_LENGTH)
}

/** Something may be asked where nobody looked. */
export function tooManyChildRuns({ run, url }: Place): string {
  return `run: "${run.name ?? run.id}" has too many child runs to search for a question. Give the ID of the child run to answer${see(url)}`
}

/** It and its child runs, or those alone, ask several things; two of them may ask the same. */
export function asksSeveral(questions: readonly AskedQuestion[], { run }: Place): string {
  const asked = questions.map(({ text, runId }) => ({
    text: runId === run.id ? text : `${text} (run ${runId})`,
  }))
  return `run: "${run.name ?? run.id}" and its child runs ask several questions: ${listed(asked)}. Set question to the one to answer, or give the ID of the run that asks it`
}

/** Somebody else was faster, and of another opinion. */
export function answeredOtherwise(
  question: Question,
  place: Place,
  wanted: Resolution,
  { resolution }: WaitCondition,
): string {
  if (resolution === undefined) {
    return `${shownQuestion(question, place)} was closed without an answer. This answer was not recorded${see(place.url)}`
  }
  const how = resolution === wanted.resolution ? `${resolution}, with another value` : resolution
  return `${shownQuestion(question, place)} already has a different answer (${how}). This answer was not recorded${see(place.url)}`
}

/** @param why the server's words */
export function doesNotFit(schema: JsonValue | undefined, why: string): string {
  return schema === undefined
    ? `answer: the question takes no answer; remove the input. ${why}`
    : `answer: does not fit the question, which takes ${showOnOneLine(sortedJson(schema), MAX_LENGTH)} (a JSON schema). ${why}`
}

/** Nobody can tell what came of the request. @param why a sentence without its full stop */
export function notKnown(question: Question, place: Place, why: string): string {
  return `It is not known whether the answer reached the run "${place.run.name ?? place.run.id}": ${why}. ${shownQuestion(question, place)} may have been answered${see(place.url)}`
}

/** ZenML has the answer, and the run does not go on. */
export function notResumed(question: Question, place: Place, reason: string | undefined): string {
  const why = reason === undefined ? '' : ` (${showOnOneLine(reason, MAX_LENGTH)})`
  return `${shownQuestion(question, place)} was answered, but ZenML could not resume the run, which is still paused${why}. Resume it in ZenML${see(place.url)}`
}

/** ZenML has the answer, and stops nothing. */
export function notStopped(question: Question, place: Place): string {
  return `${shownQuestion(question, place)} was answered with abort, but ZenML did not stop the run. Stop it with stop/${see(place.url)}`
}

/** ZenML has stopped the run, and something that it called goes on. @param left a clause about that */
export function childRunLeft(question: AskedQuestion, place: Place, left: string): string {
  return `${shownQuestion(question, place)} was answered with abort, but ${left}. Stop the run that asked (${question.runId}) with stop/${see(place.url)}`
}

/** It went well. @param running steps that ZenML does not stop with their run */
export function answered(
  question: Question,
  place: Place,
  resolution: string,
  when: 'now' | 'before',
  running: readonly string[],
): string {
  const how = when === 'now' ? 'was answered' : 'already had this answer'
  const sentence = `${shownQuestion(question, place)} ${how}: ${resolution}${see(place.url)}`
  if (running.length === 0) return sentence
  return twoSentences(sentence, `ZenML does not stop the steps that were running: ${running.join(', ')}`)
}

function see(url: string | undefined): string {
  return url === undefined ? '' : `: ${url}`
}
