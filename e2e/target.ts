/** A kind of ZenML server that cases are played against. */
export interface Target {
  /** A released version of ZenML, such as 0.98.0. */
  readonly version: string
  readonly mode: 'open-source' | 'pro'
  /** The project that all pipelines are in; "default" on versions without projects, and never on Pro. */
  readonly project: string
}

/** What a case asks of a server. */
export type Condition = (target: Target) => boolean

/** ZenML before this has no run templates that could be started. */
const OLDEST = '0.74.0'
/** Older servers cannot be seeded in Pro's mode. */
const OLDEST_PRO = '0.85.0'
const OLDEST_PROJECTS = '0.80'

function parts(version: string): [number, number, number] {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number)
  return [major, minor, patch]
}

/** Whether the target's version is `version` or newer; the patch may be left out. */
export function isAtLeast(target: Pick<Target, 'version'>, version: string): boolean {
  const [actual, wanted] = [parts(target.version), parts(version)]
  for (const index of [0, 1, 2] as const) {
    if (actual[index] !== wanted[index]) return actual[index] > wanted[index]
  }
  return true
}

export const since =
  (version: string): Condition =>
  (target) =>
    isAtLeast(target, version)

export const isPro: Condition = ({ mode }) => mode === 'pro'

export const isOpenSource: Condition = ({ mode }) => mode === 'open-source'

/** An open-source server finds nothing by name there unless it is told the project. */
export const isInAnotherProject: Condition = ({ mode, project }) =>
  mode === 'open-source' && project !== 'default'

export const hasProjects: Condition = since(OLDEST_PROJECTS)

export const both =
  (first: Condition, second: Condition): Condition =>
  (target) =>
    first(target) && second(target)

/** How a target is called in reports: `0.98.0`, `0.98.0 pro`, `0.98.0 project ml`. */
export function labelOf({ version, mode, project }: Target): string {
  if (mode === 'pro') return project === PRO_PROJECT ? `${version} pro` : `${version} pro project ${project}`
  return project === 'default' ? version : `${version} project ${project}`
}

/** On Pro there is no default project. */
const PRO_PROJECT = 'ml'

/**
 * @throws Error, as one line, if such a server cannot be started
 */
export function makeTarget(
  version: string,
  options: { readonly pro?: boolean; readonly project?: string | undefined } = {},
): Target {
  const { pro = false, project } = options
  if (!/^\d+\.\d+\.\d+$/.test(version)) throw new Error(`"${version}" is not a version such as 0.98.0`)
  const oldest = pro ? OLDEST_PRO : OLDEST
  if (!isAtLeast({ version }, oldest)) {
    throw new Error(
      `ZenML ${version} is too old${pro ? ' for --pro' : ''}: ${oldest} is the oldest that works`,
    )
  }
  if (pro) return { version, mode: 'pro', project: project ?? PRO_PROJECT }
  const has = isAtLeast({ version }, OLDEST_PROJECTS)
  return { version, mode: 'open-source', project: has ? (project ?? 'default') : 'default' }
}

/** What must hold before a change is merged: the oldest, one before snapshots, and the newest in its two other modes. */
export const USUAL_TARGETS: readonly Target[] = [
  makeTarget('0.98.0', { pro: true }),
  makeTarget('0.98.0', { project: 'ml' }),
  makeTarget('0.85.0'),
  makeTarget('0.74.0'),
]

/** The table of versions in the docs. */
export const ALL_TARGETS: readonly Target[] = [
  ...[
    '0.74.0',
    '0.75.0',
    '0.80.2',
    '0.82.1',
    '0.84.3',
    '0.85.0',
    '0.90.0',
    '0.92.0',
    '0.94.6',
    '0.96.1',
    '0.97.0',
    '0.98.0',
  ].map((version) => makeTarget(version)),
  makeTarget('0.85.0', { pro: true }),
  makeTarget('0.98.0', { pro: true }),
]
