import type { Answer } from '../answers.ts'
import type { FaultAction, RouteName } from '../faults.ts'
import type { ZenmlVersion } from '../types.ts'
import type { World } from '../world.ts'

/** One request as a route sees it. */
export interface Call {
  readonly world: World
  /** The parts of the path that the route's pattern names, in order; UUIDs are checked already. */
  readonly ids: readonly string[]
  readonly query: URLSearchParams
  readonly body: string
  /** What is to be done to this request; the trigger acts on its own kinds, the server on the others. */
  readonly fault: FaultAction | undefined
  readonly header: (name: string) => string | undefined
}

export interface Route {
  readonly name: RouteName
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Below /api/v1; `{…_id}` stands for a UUID, `{name}` for any text. */
  readonly path: string
  /** Python's name of the function, and its line, for the validation error of 0.98. */
  readonly endpoint: { readonly function: string; readonly line: number }
  /** Default: every version. */
  readonly versions?: readonly ZenmlVersion[]
  readonly open?: true
  /** Only where the server has a workload manager. */
  readonly workload?: true
  readonly handle: (call: Call) => Answer | Promise<Answer>
}

export const SINCE_085: readonly ZenmlVersion[] = ['0.85.0', '0.98.0']
export const SINCE_090: readonly ZenmlVersion[] = ['0.98.0']
export const ONLY_074: readonly ZenmlVersion[] = ['0.74.0']
