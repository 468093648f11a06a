import type { ModelVersion, Stage } from '../../zenml/model-versions.ts'
import { isNewer, type Look } from './decide.ts'

/** Such as `version 7 of the model "classifier"`, with the number where the name does not say it. */
export function shownVersion(version: ModelVersion): string {
  return `${shortVersion(version)} of the model "${version.model.name ?? version.model.id}"`
}

/** The same where the model is named already. */
export function shortVersion({ name, number }: ModelVersion): string {
  return name === String(number) ? `version ${name}` : `version "${name}" (number ${number})`
}

/** What stands behind `is`. */
export function inStage(stage: string | undefined): string {
  if (stage === undefined) return 'in no stage'
  return stage === 'archived' ? stage : `in ${stage}`
}

/** Nothing was sent. */
export function alreadySo(version: ModelVersion, stage: Stage): string {
  return `${capital(shownVersion(version))} is ${inStage(stage)} already; nothing was changed`
}

/** @param previous the version that it replaced */
export function nowSo(version: ModelVersion, stage: Stage, previous: ModelVersion | undefined): string {
  const replaced = previous === undefined ? '' : `; ${shortVersion(previous)} was archived`
  return `${capital(shownVersion(version))} is ${inStage(stage)} now${replaced}`
}

/** A newer version has the stage. */
export function superseded(version: ModelVersion, holder: ModelVersion, stage: Stage): string {
  return `${capital(shownVersion(holder))} is ${inStage(stage)} and is newer than ${shortVersion(version)}; write replace: always to go back`
}

/** A version has the stage, and none may be replaced. */
export function taken(version: ModelVersion, holder: ModelVersion, stage: Stage): string {
  const word = isNewer(holder, version) ? 'always' : 'older'
  return `${capital(shownVersion(holder))} is ${inStage(stage)}, and replace is never; write replace: ${word} to put ${shortVersion(version)} in its place`
}

/** It would lose the stage that it has. */
export function wouldLeave(version: ModelVersion, stage: Stage): string {
  return `${capital(shownVersion(version))} is ${inStage(version.stage)}, and would no longer be if it were ${inStage(stage)}; write replace: always if that is meant`
}

/** The server said yes, and a look shows something else. */
export function notKept({ version, others }: Look, stage: Stage): string {
  const [other] = others
  if (version.stage === stage && other !== undefined) {
    return `${capital(shownVersion(version))} and ${shortVersion(other)} are both ${inStage(stage)}: something else set it at the same time. Archive one of them with stage: archived`
  }
  return `ZenML accepted the stage, but ${shownVersion(version)} is ${inStage(version.stage)}: something else may have changed it. Run the step again`
}

/** It went well, and a newer version lost the stage by it. */
export function replacedNewer(version: ModelVersion, newer: ModelVersion, stage: Stage): string {
  return `${capital(shownVersion(version))} is ${inStage(stage)}, but ${shortVersion(newer)}, which is newer, was archived at the same time. If another job had just promoted it, promote it again`
}

/** @param why a sentence without its full stop */
export function notKnown(version: ModelVersion, stage: Stage, why: string): string {
  return `It is not known whether ${shownVersion(version)} is ${inStage(stage)} now: ${why}. Run the step again to be sure`
}

function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`
}
