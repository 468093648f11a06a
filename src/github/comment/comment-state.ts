import { parseJson } from '../../base/json.ts'
import { z } from 'zod'

import type { Conclusion } from '../../run/conclusion.ts'
import type { CommentOwner } from './marker.ts'
import type { Environment } from '../workflow/environment.ts'
import type { CommentMode } from '../inputs/single-values.ts'
import { readRawInputs } from '../workflow/input-variables.ts'
import { saveState } from '../outputs.ts'
import type { Redactor } from '../secrets/redactor.ts'
import { cut } from '../../base/printable.ts'
import { NOTHING_KNOWN, type RunRecord } from '../run-record.ts'
import { MOST_UNJUDGED } from '../page/values.ts'
import { NO_COMMITS } from '../workflow/commits.ts'
import { InputSecrets } from '../secrets/input-secrets.ts'

const STATE = 'comment'
const MAX_TEXT = 1_000

/** A comment of main, for the post step to bring it to the truth. */
export interface SavedComment extends CommentOwner {
  readonly mode: CommentMode
  readonly stepKey: string
  /** Number of the one that was named; undefined: that of the event. */
  readonly pullRequest?: number | undefined
  /** Whether a person was told already that it cannot be written. */
  readonly isTold: boolean
  /** Whether main has written how it ended. */
  readonly isWritten: boolean
  /** The little that was saved of the run. Main's own conclusion if it had come to one, else cancelled. */
  readonly record: RunRecord
}

const CONCLUSIONS = [
  'completed',
  'failed',
  'stopped',
  'timed-out',
  'cancelled',
  'lost',
  'started',
  'running',
  'expectation-missed',
  'dry-run',
  'resolved',
] as const satisfies readonly Conclusion[]

const text = z.string().transform((long) => cut(long, MAX_TEXT))

const codeSchema = z.object({
  kind: z.enum(['template', 'snapshot']).optional(),
  name: text.optional(),
  madeAt: z.number().optional(),
  madeBy: text.optional(),
  recordedAt: z.number().optional(),
  commit: text.optional(),
  stack: text.optional(),
})

const commitsSchema = z.object({
  head: text.optional(),
  merge: text.optional(),
  workflow: text.optional(),
})

const savedSchema = z.object({
  action: z.enum(['main', 'wait', 'sweep']),
  identity: z.string().regex(/^[0-9a-f]{8}$/),
  mode: z.enum(['never', 'always', 'on-failure']),
  stepKey: z.string(),
  pullRequest: z.number().optional(),
  isTold: z.boolean(),
  isWritten: z.boolean(),
  record: z.object({
    conclusion: z.enum(CONCLUSIONS).optional(),
    notDone: text.optional(),
    status: text,
    error: text.optional(),
    durationMs: z.number().optional(),
    pipeline: text.optional(),
    runId: text.optional(),
    runName: text.optional(),
    // Half an address leads nowhere.
    runUrl: z.string().max(MAX_TEXT).optional().catch(undefined),
    created: z.number().optional(),
    cells: z.number().optional(),
    unseenMs: z.number().optional(),
    // Of those that are not shown only the number counts.
    unjudged: z
      .array(text)
      .transform((all) => all.map((wanted, index) => (index < MOST_UNJUDGED ? wanted : ''))),
    code: codeSchema.optional(),
    commits: commitsSchema,
  }),
})

/**
 * Keeps for the post step what it needs to bring the comment to its end. To be called before the request that the
 * comment needs, as the step may be killed at any moment.
 *
 * @throws {Error} when the runner's state file cannot be written.
 */
export function saveComment(comment: SavedComment, redactor: Redactor): void {
  const { record, ...owner } = savedSchema.parse(comment)
  // A proxy's own words may hold its password, which the post step does not know unless it connects to ZenML.
  const error = record.error === undefined ? undefined : redactor.redact(record.error)
  saveState(STATE, JSON.stringify({ ...owner, record: { ...record, error } }), redactor)
}

/** Nothing is left to do for the post step. */
export function forgetComment(redactor: Redactor): void {
  saveState(STATE, '', redactor)
}

/** What a state that was written as JSON leaves out. */
const NO_CODE = {
  kind: undefined,
  name: undefined,
  madeAt: undefined,
  madeBy: undefined,
  recordedAt: undefined,
  commit: undefined,
  stack: undefined,
}

/** The comment that main left; undefined if there is none, or nothing that the post step does would help. */
export function readSavedComment(env: Environment): SavedComment | undefined {
  const saved = savedSchema.safeParse(parseJson(env[`STATE_${STATE}`] ?? '')).data
  if (saved === undefined) return undefined
  const { conclusion = 'cancelled', ...known } = saved.record
  const code = known.code === undefined ? undefined : { ...NO_CODE, ...known.code }
  const commits = { ...NO_COMMITS, ...known.commits }
  // What was saved while the run went on says nothing of how long it took in all.
  const durationMs = saved.record.conclusion && known.durationMs
  return { ...saved, record: { ...NOTHING_KNOWN, ...known, conclusion, durationMs, code, commits } }
}

/** The token that the inputs give, masked before anything else; undefined if there is none. */
export function readGithubToken(env: Environment, mask: (secret: string) => void): string | undefined {
  const token = readRawInputs(env, ['github-token'])['github-token']
  for (const secret of new InputSecrets([token ?? '']).values) mask(secret)
  return token?.trim()
}
