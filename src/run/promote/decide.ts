import type { ModelVersion, Stage } from '../../zenml/model-versions.ts'

/** Whether a version that has the stage may be archived for another one. */
export type Replace = 'older' | 'always' | 'never'

/** What a look at the server showed. */
export interface Look {
  readonly version: ModelVersion
  /** Other versions of the model that have the stage; mostly one, and of `archived` none is looked for. */
  readonly others: readonly ModelVersion[]
}

/** What is to be done for a version to have a stage. */
export type Decision =
  | { readonly kind: 'nothing' }
  /** @property force whether another version is archived for it */
  | { readonly kind: 'send'; readonly force: boolean }
  /** A version has the stage that may not be replaced. */
  | { readonly kind: 'superseded' | 'taken'; readonly holder: ModelVersion }
  /** It is in production, and a version has one stage. */
  | { readonly kind: 'in-production' }

/** ZenML's own number says which version is newer. */
export function isNewer(version: ModelVersion, than: ModelVersion): boolean {
  return version.number > than.number
}

export function decide({ version, others }: Look, stage: Stage, replace: Replace): Decision {
  // Several may be archived, but ZenML takes an archived version for one in the way all the same.
  if (stage === 'archived') {
    return version.stage === stage ? { kind: 'nothing' } : { kind: 'send', force: true }
  }
  if (stage === 'staging' && version.stage === 'production' && replace !== 'always')
    return { kind: 'in-production' }
  const newest = others.reduce<ModelVersion | undefined>(
    (best, each) => (best === undefined || isNewer(each, best) ? each : best),
    undefined,
  )
  if (newest === undefined) {
    return version.stage === stage ? { kind: 'nothing' } : { kind: 'send', force: false }
  }
  if (replace === 'never') return { kind: 'taken', holder: newest }
  if (replace === 'older' && isNewer(newest, version)) return { kind: 'superseded', holder: newest }
  return { kind: 'send', force: true }
}
