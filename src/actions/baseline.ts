import type { FollowPolicy } from '../run/follow.ts'
import type { WorkflowContext } from '../github/workflow/context.ts'
import type { BaselineInput } from '../github/inputs/run-reference.ts'

/** What a run is compared with: a branch is one of this repository. */
export function baselineOf(
  { baselineInput }: { readonly baselineInput: BaselineInput | undefined },
  { repository }: Pick<WorkflowContext, 'repository'>,
): FollowPolicy['baseline'] {
  return baselineInput?.kind === 'branch' ? { ...baselineInput, repository } : baselineInput
}
