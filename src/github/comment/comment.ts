import type { Conclusion } from '../../run/conclusion.ts'
import type { Clock } from '../../base/clock.ts'
import type { Http } from '../../http/http.ts'
import { isNewer, writerOf, type CommentOwner, type WorkflowRun } from './marker.ts'
import { NO_TOKEN, noPullRequest, notWritten } from './notices.ts'
import { forgetComment, saveComment, type SavedComment } from './comment-state.ts'
import { amendComment, renderComment } from './body.ts'
import { pullRequestOf, readEvent, type PullRequest } from '../workflow/event.ts'
import type { ReadFile } from '../workflow/files.ts'
import { GithubApi, type IssueComment } from './github-api.ts'
import { GithubError, isPassing, type GithubFault } from './github-error.ts'
import { stepIdentity, type WorkflowContext } from '../workflow/context.ts'
import type { CommentMode } from '../inputs/single-values.ts'
import type { WorkflowLog } from '../log/workflow-log.ts'
import type { RunComment } from './run-comment.ts'
import type { RunRecord } from '../run-record.ts'

/** Enough for a few requests and the waits between them. */
const LIMIT_MS = 30_000

const TITLE = 'Pull request comment'

export interface CommentOptions {
  readonly mode: CommentMode
  readonly token: string | undefined
  readonly action: 'main' | 'wait' | 'sweep'
  readonly stepKey: string
  /** Number of the pull request; default: that of the event. */
  readonly pullRequest?: number | undefined
  readonly context: WorkflowContext
  readonly readFile: ReadFile
  /** Opens connections that are closed after each update. */
  readonly openHttp: () => Pick<Http, 'send' | 'close'>
  readonly clock: Clock
  readonly log: WorkflowLog
}

/** The comment that a step keeps on its pull request; undefined if none is wanted. Nothing is loaded or sent yet. */
export function pullRequestComment(options: CommentOptions): RunComment | undefined {
  if (options.mode === 'never') return undefined
  const identity = stepIdentity(options.context, options.stepKey)
  return new PullRequestComment({ ...options, identity, isTold: false })
}

/**
 * The same comment, to be brought to its end by the post step.
 *
 * @param news what is to be said besides where main has written how it ended, which then stays; empty if nothing
 */
export function commentOfSaved(
  { action, identity, mode, stepKey, pullRequest, isTold, isWritten }: SavedComment,
  news: string,
  options: Omit<CommentOptions, 'mode' | 'action' | 'stepKey' | 'pullRequest'>,
): RunComment {
  const saved = { action, identity, mode, stepKey, pullRequest, isTold }
  return new PullRequestComment({ ...options, ...saved, news: isWritten ? news : undefined })
}

/** What an end means for a comment that is only wanted for failures. */
type Need = 'write' | 'update' | 'leave'

const NEEDS_ON_FAILURE: Readonly<Record<Conclusion, Need>> = {
  completed: 'update',
  started: 'update',
  running: 'update',
  'dry-run': 'update',
  resolved: 'update',
  failed: 'write',
  stopped: 'write',
  'timed-out': 'write',
  lost: 'write',
  'expectation-missed': 'write',
  // As for GitHub's own failure(): who cancels knows.
  cancelled: 'leave',
}

interface Settings extends CommentOptions, CommentOwner {
  readonly isTold: boolean
  /** What is to be said besides what this workflow run has written; undefined: all is written anew. */
  readonly news?: string | undefined
}

/** Keeps one comment for each step identity, updated in place. */
class PullRequestComment implements RunComment {
  readonly #settings: Settings
  #last: Promise<void> = Promise.resolve()
  #isTold: boolean
  /** Nothing that this step does will help. */
  #isHopeless = false
  #login: string | undefined

  constructor(settings: Settings) {
    this.#settings = settings
    this.#isTold = settings.isTold
  }

  update(record: RunRecord, signal: AbortSignal): Promise<void> {
    const need = this.#need(record.conclusion)
    if (need !== 'leave' && !this.#isHopeless) this.#save(record)
    this.#last = this.#last.then(() => this.#update(record, need, signal))
    return this.#last
  }

  #need(conclusion: Conclusion | undefined): Need {
    if (this.#settings.mode === 'always') return 'write'
    return conclusion === undefined ? 'leave' : NEEDS_ON_FAILURE[conclusion]
  }

  async #update(record: RunRecord, need: Need, signal: AbortSignal): Promise<void> {
    if (need === 'leave' || this.#isHopeless) return
    try {
      const { context, readFile, token } = this.#settings
      const pullRequest = chosen(
        this.#settings.pullRequest,
        pullRequestOf(await readEvent(context, readFile)),
      )
      if (pullRequest === undefined) {
        this.#giveUp(noPullRequest(context.eventName))
      } else if (token === undefined) {
        this.#giveUp(NO_TOKEN)
      } else {
        await this.#write(record, need, { pullRequest, token, signal })
      }
    } catch (error) {
      // Whatever it is, a comment is no reason to fail a step.
      this.#giveUp(`No comment was written: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  async #write(
    record: RunRecord,
    need: Need,
    {
      pullRequest,
      token,
      signal,
    }: { readonly pullRequest: PullRequest; readonly token: string; readonly signal: AbortSignal },
  ): Promise<void> {
    const { openHttp, context, clock, log } = this.#settings
    const limited = AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)])
    const http = openHttp()
    try {
      const api = await GithubApi.open({ token, context, http, clock, signal: limited, redactor: log })
      await this.#put(record, need, pullRequest.number, api)
      if (record.conclusion !== undefined) this.#save(record, true)
    } catch (error) {
      if (!(error instanceof GithubError)) throw error
      this.#failed(error.fault, record, pullRequest)
    } finally {
      http.close()
    }
  }

  async #put(record: RunRecord, need: Need, issue: number, api: GithubApi): Promise<void> {
    const ours = await this.#ours(issue, api)
    if (ours.some(({ writer }) => isNewer(writer, this.#settings.context))) {
      this.#settings.log.info(
        'A newer workflow run has updated the pull request comment, so it is left as it is',
      )
      return
    }
    const [first, ...stale] = ours
    if (first !== undefined) await api.updateComment(first.comment.id, this.#body(record, first))
    else if (need === 'write') await api.createComment(issue, this.#body(record))
    for (const { comment } of stale) await removeStale(comment.id, api)
  }

  #body(record: RunRecord, before?: OwnComment): string {
    const { news, context } = this.#settings
    const isOfThisRun = before !== undefined && !isNewer(context, before.writer)
    return news !== undefined && isOfThisRun
      ? amendComment(before.comment.body, record, news, this.#settings)
      : renderComment(record, this.#settings)
  }

  /** Comments that begin as ours do, and are by whoever the token belongs to; anybody can write such a beginning. */
  async #ours(issue: number, api: GithubApi): Promise<OwnComment[]> {
    const writer = (body: string): ReturnType<typeof writerOf> =>
      writerOf(body, this.#settings, this.#settings.context)
    const comments = await api.listComments(issue, (body) => writer(body) !== undefined)
    const marked = comments.flatMap((comment) => {
      const written = writer(comment.body)
      return written === undefined ? [] : [{ comment, writer: written }]
    })
    if (marked.length === 0) return []
    this.#login ??= await api.login()
    return marked.filter(({ comment }) => comment.author === this.#login)
  }

  #failed(fault: GithubFault, record: RunRecord, pullRequest: PullRequest): void {
    const line = notWritten(fault, pullRequest)
    if (!isPassing(fault)) {
      this.#giveUp(line)
    } else if (record.conclusion !== undefined) {
      // The post step has another try.
      this.#tell(line)
      this.#save(record)
    }
  }

  #giveUp(line: string): void {
    this.#isHopeless = true
    this.#tell(line)
    this.#remember(() => {
      forgetComment(this.#settings.log)
    })
  }

  #tell(line: string): void {
    const { log } = this.#settings
    if (this.#isTold) log.info(line)
    else log.notice(line, { title: TITLE })
    this.#isTold = true
  }

  #save(record: RunRecord, isWritten = false): void {
    this.#remember(() => {
      saveComment({ ...this.#settings, isTold: this.#isTold, isWritten, record }, this.#settings.log)
    })
  }

  /** Without the runner's state file only the post step's help is lost. */
  #remember(change: () => void): void {
    try {
      change()
    } catch (error) {
      this.#settings.log.debug(`The comment's state could not be saved: ${String(error)}`)
    }
  }
}

/** The one that was named, with what the event says of it. */
function chosen(number: number | undefined, ofEvent: PullRequest | undefined): PullRequest | undefined {
  return number === undefined || number === ofEvent?.number ? ofEvent : { number, fromFork: false }
}

/** What counts is written; the next update has another try. */
async function removeStale(id: number, api: GithubApi): Promise<void> {
  try {
    await api.deleteComment(id)
  } catch (error) {
    if (!(error instanceof GithubError)) throw error
  }
}

interface OwnComment {
  readonly comment: IssueComment
  readonly writer: WorkflowRun
}
