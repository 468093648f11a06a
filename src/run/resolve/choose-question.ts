import type { ServerInfo } from '../../zenml/model.ts'
import { isBeingStopped, runPhase } from '../../zenml/status.ts'
import { isAtLeast } from '../../zenml/version.ts'
import type { Resolution } from '../../zenml/answers/resolve-answer.ts'
import { RunError } from '../errors.ts'
import { openQuestions, type AskedQuestion } from '../watch/open-questions.ts'
import type { AnswerDependencies } from './send-answer.ts'
import { asksNothing, asksSeveral, asksSomethingElse, tooManyChildRuns, type Place } from './words.ts'

export interface QuestionChoice extends Pick<Resolution, 'resolution'> {
  /** Text or name of the one that is meant; undefined: whichever is open. */
  readonly question: string | undefined
}

/** Whoever means the question of a child run that the run itself asks as well can give the child run's ID. */
function meantBy(meant: string, open: readonly AskedQuestion[], runId: string): readonly AskedQuestion[] {
  const all = open.filter((each) => isMeant(meant, each))
  const own = all.filter((each) => each.runId === runId)
  return own.length > 0 ? own : all
}

/** The one that is to be answered: of the run itself or of its child runs. */
export async function chooseQuestion(
  place: Place,
  server: ServerInfo,
  { resolution, question: meant }: QuestionChoice,
  { client }: AnswerDependencies,
): Promise<AskedQuestion> {
  if (!isAtLeast(server.version, 0, 95)) {
    throw new RunError(`run: resolve/ needs ZenML 0.95 or newer, and this server is ZenML ${server.version}`)
  }
  const { id, status } = place.run
  const isLeaving = isBeingStopped(status) && resolution === 'continue'
  if (runPhase(status) !== 'going-on' || isLeaving) throw new RunError(asksNothing(place))
  const { questions: open, areAll } = await openQuestions(client, id)
  if (!areAll && !open.some(({ runId }) => runId === id)) throw new RunError(tooManyChildRuns(place))
  if (open.length === 0) throw new RunError(asksNothing(place))
  const [question, ...others] = meant === undefined ? open : meantBy(meant, open, id)
  if (question === undefined) throw new RunError(asksSomethingElse(open, place))
  if (others.length > 0) throw new RunError(asksSeveral([question, ...others], place))
  return question
}

/** White space counts for nothing: an input is one line, a question may have several. */
function isMeant(meant: string, { text, name }: AskedQuestion): boolean {
  const [wanted, ...given] = [meant, text, name].map((each) => each.replaceAll(/\s+/g, ' ').trim())
  return given.includes(wanted ?? '')
}
