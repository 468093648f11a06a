import type { ModelVersion, Stage } from '../../zenml/model-versions.ts'
import { modelVersionUrl } from '../../zenml/run-link.ts'
import type { Reporter } from '../events.ts'
import type { ProjectChoice } from '../facts.ts'
import type { AskDependencies } from '../retry-until-answered.ts'
import { changeStage, look, type Changed } from './change-stage.ts'
import type { Replace } from './decide.ts'
import { findVersion, type VersionChoice } from './find-version.ts'

export interface PromoteRequest {
  readonly choice: VersionChoice
  readonly project: ProjectChoice | undefined
  readonly stage: Stage
  readonly replace: Replace
}

export interface Promotion extends Changed {
  /** Another version that had the stage when the step began; the newest of several. */
  readonly previous: ModelVersion | undefined
}

/** What a person sees while it goes on. */
export interface PromotionReporter extends Reporter {
  /** The version is known; `url` is its page, or else that of the run that made it. */
  found(version: ModelVersion, url: string | undefined): void
}

export interface PromoteDependencies extends AskDependencies {
  readonly reporter: PromotionReporter
  /** Aborted when the workflow is cancelled: then nothing new is sent, and what was sent is looked after. */
  readonly cancelled: AbortSignal
}

/**
 * Gives a version of a model a stage, and looks whether it has it then; one that has it already is as good.
 *
 * @param deps its signal says that no time is left
 * @throws RunError, ZenmlError if the version cannot be found, or the server refuses
 * @throws the signal's reason if it was aborted before the version was found
 */
export async function promoteVersion(
  { choice, project, ...wanted }: PromoteRequest,
  deps: PromoteDependencies,
): Promise<Promotion> {
  const { version, server, runUrl } = await findVersion(choice, project, deps)
  deps.reporter.found(version, modelVersionUrl(server, version) ?? runUrl)
  const before = await look(version, wanted.stage, deps)
  return { previous: before.others[0], ...(await changeStage(before, wanted, deps)) }
}
