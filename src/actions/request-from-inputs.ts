import type { Environment } from '../github/workflow/environment.ts'
import { readWorkflowContext, stepIdentity, type WorkflowContext } from '../github/workflow/context.ts'
import { projectChoice } from '../github/inputs/project-choice.ts'
import type { Work } from '../github/inputs/read.ts'
import type { BaselineInput } from '../github/inputs/run-reference.ts'
import type { FollowPolicy } from '../run/run-supervisor.ts'

/** What the inputs of every action that starts runs have. */
interface StartInputs extends Work {
  /** Name or id. */
  readonly project: string | undefined
  readonly tags: readonly string[] | undefined
  readonly enableCache: boolean | undefined
  readonly baselineInput: BaselineInput | undefined
  readonly stepKey: string
  readonly noteOrigin: boolean
}

/** What the inputs ask for, with what the workflow says of itself. */
export function requestFromInputs<Inputs extends StartInputs>(inputs: Inputs, env: Environment) {
  const context = readWorkflowContext(env)
  const { configuration: layers, parameters, tags, enableCache } = inputs
  return {
    ...inputs,
    project: projectChoice(inputs.project, env),
    overrides: { layers, parameters, tags, enableCache },
    requester: {
      workflowRunId: context.runId,
      attempt: context.runAttempt,
      stepIdentity: stepIdentity(context, inputs.stepKey),
    },
    baseline: baselineOf(inputs, context),
    provenance: inputs.noteOrigin ? context : undefined,
    workflowRunUrl: inputs.noteOrigin ? context.workflowRunUrl : '',
    nothingToCancel: 'Cancelled before a run was started',
  }
}

/** What a run is compared with: a branch is one of this repository. */
export function baselineOf(
  { baselineInput }: { readonly baselineInput: BaselineInput | undefined },
  { repository, workflowRunUrl }: Pick<WorkflowContext, 'repository' | 'workflowRunUrl'>,
): FollowPolicy['baseline'] {
  return baselineInput?.kind === 'branch' ? { ...baselineInput, repository, workflowRunUrl } : baselineInput
}
