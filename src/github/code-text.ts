import type { CodeSource } from '../zenml/code-source.ts'
import { shownDay } from '../base/duration-text.ts'
import { inline } from './log/workflow-log.ts'
import { code as codeSpan } from './page/markdown.ts'
import type { RunRecord } from './run-record.ts'
import { fullSha, type WorkflowCommits } from './workflow/commits.ts'

const SUBJECTS = { template: 'Run template', snapshot: 'Snapshot' } as const

const MAX_NAME_LENGTH = 120

/**
 * Such as `Snapshot training, made 12 Oct 2026 by ann from commit abc1234, stack production`; what is not known is left
 * out. Undefined if that is all.
 *
 * @param show makes a text that is not trusted harmless where the line stands
 */
export function codeText(code: CodeSource, show: (text: string) => string): string | undefined {
  const { kind, name, madeBy, commit, stack } = code
  const from = commit === undefined ? undefined : show(shortened(commit))
  const onStack = stack === undefined ? [] : [`stack ${show(stack)}`]
  if (kind === undefined || name === undefined) {
    return from === undefined ? undefined : [`Code of commit ${from}`, ...onStack].join(', ')
  }
  const made = [
    ...optional(shownDay(code.madeAt), ''),
    ...optional(madeBy && show(madeBy), 'by '),
    ...(from === undefined ? optional(olderDay(code), 'with code from ') : [`from commit ${from}`]),
  ]
  return [
    `${SUBJECTS[kind]} ${show(name)}`,
    ...(made.length === 0 ? [] : [`made ${made.join(' ')}`]),
    ...onStack,
  ].join(', ')
}

/** The same in the log. */
export function codeLogLine(code: CodeSource): string | undefined {
  return codeText(code, (text) => inline(text, MAX_NAME_LENGTH))
}

/** The same as Markdown, with the commits that the workflow is about; empty if nothing is known. */
export function codeLine({ code, commits: { head, workflow } }: RunRecord): string {
  const show = (text: string): string => codeSpan(text, MAX_NAME_LENGTH)
  const line = [
    ...optional(code && codeText(code, show), ''),
    ...optional(head && show(shortened(head)), 'for commit '),
    ...optional(workflow && show(shortened(workflow)), 'workflow at commit '),
  ].join(' · ')
  return `${line.slice(0, 1).toUpperCase()}${line.slice(1)}`
}

/**
 * What to tell on a pull request where the run's code is that of another commit; undefined elsewhere, and where one of
 * the two is not known. A workflow mostly checks out the pull request as it would be merged: that is its own code.
 */
export function otherCode(
  code: CodeSource | undefined,
  { head, merge }: WorkflowCommits,
): string | undefined {
  const [commit, name] = [fullSha(code?.commit), code?.name]
  if (commit === undefined || name === undefined || head === undefined) return undefined
  if (commit === head || commit === merge) return undefined
  return (
    `The run uses the code of "${inline(name, MAX_NAME_LENGTH)}", which was made from commit ${shortened(commit)}, not from ` +
    `the pull request's head ${shortened(head)}. To run the pull request's own code, create a snapshot of it first: ` +
    'see "Train the pull request\'s own code" in this action\'s documentation (docs/pull-requests.md)'
  )
}

function shortened(commit: string): string {
  return fullSha(commit)?.slice(0, 7) ?? commit
}

/** The day of the code, where it is older than what was made of it. */
function olderDay({ madeAt, recordedAt }: CodeSource): string | undefined {
  const day = shownDay(recordedAt)
  return day === shownDay(madeAt) ? undefined : day
}

function optional(text: string | undefined, before: string): string[] {
  return text === undefined || text === '' ? [] : [`${before}${text}`]
}
