import { tmpdir } from 'node:os'
import type { ConnectionInputs } from '../github/inputs/connection.ts'
import type { Environment } from '../github/workflow/environment.ts'
import { readCommits } from '../github/workflow/commits.ts'
import { isPublic, readEvent } from '../github/workflow/event.ts'
import { readFile } from '../github/workflow/files.ts'
import { readWorkflowContext } from '../github/workflow/context.ts'
import type { ReportInputs } from '../github/inputs/read.ts'
import type { WorkflowLog } from '../github/log/workflow-log.ts'
import type { CommentOptions } from '../github/comment/comment.ts'
import type { Audience } from '../github/workflow-step-reporter.ts'
import type { Target } from '../run/find/definition.ts'
import { systemClock } from '../base/system-clock.ts'
import { openHttp } from './open-client.ts'

const BECOMES_PUBLIC =
  'visualizations: this repository is public, so everybody can read what the run shows: in the job summary, and on the ' +
  'report page if the workflow uploads it'

/** What the inputs name: something to run, or a run. */
type Naming = { readonly target: Target } | { readonly run: string }

/** Where the inputs want the step to be told of. */
export async function audienceOf(
  inputs: ReportInputs &
    ConnectionInputs & {
      readonly visualizations?: boolean
      readonly pullRequest?: number | undefined
    } & Naming,
  action: 'main' | 'wait' | 'sweep',
  env: Environment,
  log: WorkflowLog,
): Promise<Audience> {
  const { summary, comment, githubToken, stepKey, pullRequest, authorities, visualizations = false } = inputs
  const around = surroundings(authorities, env, log)
  if (visualizations && isPublic(await readEvent(around.context, readFile))) log.notice(BECOMES_PUBLIC)
  return {
    summary,
    comment: await commentOf({
      mode: comment,
      token: githubToken,
      action,
      stepKey,
      pullRequest,
      ...around,
    }),
    reportFolder: visualizations ? (env['RUNNER_TEMP'] ?? tmpdir()) : undefined,
    commits: await readCommits(around.context, readFile),
    requested: 'target' in inputs ? inputs.target : { kind: 'run', reference: inputs.run },
  }
}

/** Most steps have none, and load nothing for it. */
async function commentOf(options: CommentOptions): Promise<Audience['comment']> {
  if (options.mode === 'never') return undefined
  return (await import('../github/comment/comment.ts')).pullRequestComment(options)
}

/** What a comment needs of the step that it is written from. */
export function surroundings(
  authorities: ConnectionInputs['authorities'],
  env: Environment,
  log: WorkflowLog,
): Pick<CommentOptions, 'context' | 'readFile' | 'openHttp' | 'clock' | 'log'> {
  return {
    context: readWorkflowContext(env),
    readFile,
    openHttp: () => openHttp(authorities),
    clock: systemClock,
    log,
  }
}
