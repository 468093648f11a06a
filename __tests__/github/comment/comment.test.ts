import { expect, test } from '@jest/globals'
import { GithubAnswer, primaryRateLimit, secondaryRateLimit } from '../../../simulator/github/answers.ts'
import type { GithubAccount, GithubFault } from '../../../simulator/github/server.ts'
import { readSavedComment } from '../../../src/github/comment/comment-state.ts'
import { githubErrorOf } from '../../../src/github/comment/github-error.ts'
import { commentOfSaved, pullRequestComment } from '../../../src/github/comment/comment.ts'
import type { RunRecord } from '../../../src/github/run-record.ts'
import {
  FORK,
  PERSONAL,
  PULL_REQUEST,
  TOKEN,
  withComment,
  type CommentScene,
  type SceneOptions,
} from './comment-scene.ts'
import { recordOf } from '../records.ts'

const STARTED = recordOf({ conclusion: undefined, status: 'running', durationMs: 0 })
const COMPLETED = recordOf()
const FAILED = recordOf({ conclusion: 'failed', status: 'failed', error: 'The run "nightly" failed.' })

const never = new AbortController().signal

/** First lines of what a person reads. */
function headings({ github }: CommentScene): string[] {
  return github.comments(PULL_REQUEST).map(({ body }) => body.split('\n')[1] ?? '')
}

function notices({ commands }: CommentScene): string[] {
  return commands()
    .filter(({ name }) => name === 'notice')
    .map(({ data }) => data)
}

/** A later workflow run of the same workflow and pull request. */
function later({ context }: CommentScene, runId = '100200301') {
  return { context: { ...context, runId } }
}

const LIST = 'GET /issues/7/comments?per_page=100&page=1'

test('a comment is written at the start and updated in place at the end', () =>
  withComment({}, async (scene) => {
    const comment = scene.comment()

    await comment.update(STARTED, never)
    expect(headings(scene)).toEqual(['### ⏳ ZenML run of training: running'])
    const [first] = scene.github.comments(PULL_REQUEST)
    await comment.update(COMPLETED, never)

    expect(headings(scene)).toEqual(['### ✅ ZenML run of training: completed'])
    expect(scene.github.comments(PULL_REQUEST)[0]?.id).toBe(first?.id)
    expect(scene.asked()).toEqual([
      LIST,
      'POST /issues/7/comments',
      LIST,
      'POST /graphql',
      'PATCH /issues/comments/ID',
    ])
    for (const { headers } of scene.github.requests) {
      expect(headers.authorization).toBe(`token ${TOKEN}`)
    }
    expect(scene.output()).toBe('')
  }))

test('an end that comes while the start is still being written makes no second comment', () =>
  withComment({}, async (scene) => {
    const comment = scene.comment()
    await Promise.all([comment.update(STARTED, never), comment.update(COMPLETED, never)])
    expect(headings(scene)).toEqual(['### ✅ ZenML run of training: completed'])
  }))

test('the next push updates the same comment', () =>
  withComment({}, async (scene) => {
    await scene.comment().update(FAILED, never)
    await scene.comment(later(scene)).update(STARTED, never)
    expect(headings(scene)).toEqual(['### ⏳ ZenML run of training: running'])
  }))

test('what an older workflow run has to say comes too late', () =>
  withComment({}, async (scene) => {
    await scene.comment(later(scene)).update(STARTED, never)
    await scene.comment(later(scene, '99')).update(COMPLETED, never)
    expect(headings(scene)).toEqual(['### ⏳ ZenML run of training: running'])
    expect(scene.output()).toMatch(/^A newer workflow run has updated the pull request comment/)

    await scene
      .comment({ context: { ...scene.context, runId: '100200301', runAttempt: 2 } })
      .update(COMPLETED, never)
    expect(headings(scene)).toEqual(['### ✅ ZenML run of training: completed'])
  }))

test('cells of a matrix, other steps and wait/ have comments of their own', () =>
  withComment({}, async (scene) => {
    await scene.comment({ stepKey: 'train/0' }).update(COMPLETED, never)
    await scene.comment({ stepKey: 'train/1' }).update(COMPLETED, never)
    await scene.comment({ action: 'wait' }).update(COMPLETED, never)
    await scene.comment({ context: { ...scene.context, action: 'retrain' } }).update(COMPLETED, never)
    expect(headings(scene)).toHaveLength(4)
  }))

test("somebody else's comment is left alone, whatever it begins with", () =>
  withComment({}, async (scene) => {
    await scene.comment().update(FAILED, never)
    const [ours] = scene.github.comments(PULL_REQUEST)
    const body = ours?.body ?? ''
    scene.github.remove(ours?.id ?? 0)
    scene.github.write(PULL_REQUEST, 'mallory', body)
    scene.github.write(PULL_REQUEST, 'github-actions', body)
    // Of another workflow with the same account: a quote, and a comment of another step.
    scene.github.write(PULL_REQUEST, 'github-actions[bot]', `> ${body}`)
    scene.github.write(PULL_REQUEST, 'github-actions[bot]', body.replace(/main [0-9a-f]{8}/, 'main 00000000'))
    const before = scene.github.comments(PULL_REQUEST)

    await scene.comment(later(scene)).update(COMPLETED, never)

    expect(scene.github.comments(PULL_REQUEST).slice(0, -1)).toEqual(before)
    expect(headings(scene).at(-1)).toBe('### ✅ ZenML run of training: completed')
  }))

test.each([
  ['something else', (marker: string) => `${marker}\nThanks for the pull request!`],
  ['nothing', (marker: string) => marker],
  ['a heading of something else', (marker: string) => `${marker}\n### ✅ Lint: completed\n\nAll is well.`],
  ["a run's heading further down", (marker: string) => `${marker}\n\nHi\n### ✅ ZenML run: completed\n`],
])('a comment of the same account with our marker above %s is not taken for ours', (_, written) =>
  withComment({}, async (scene) => {
    await scene.comment(later(scene)).update(FAILED, never)
    const [ours] = scene.github.comments(PULL_REQUEST)
    const [marker = ''] = ours?.body.split('\n') ?? []
    scene.github.remove(ours?.id ?? 0)
    scene.github.write(PULL_REQUEST, 'github-actions[bot]', written(marker))
    const before = scene.github.comments(PULL_REQUEST)

    await scene.comment().update(STARTED, never)
    await scene.comment().update(COMPLETED, never)

    expect(scene.github.comments(PULL_REQUEST).slice(0, -1)).toEqual(before)
    expect(headings(scene).at(-1)).toBe('### ✅ ZenML run of training: completed')
    expect(scene.output()).toBe('')
  }),
)

test.each(['9999999999999999999', '9007199254740993', '20100200300'])(
  'no workflow run has the id %s yet, so a comment with it silences none',
  (runId) =>
    withComment({}, async (scene) => {
      await scene.comment(later(scene, runId)).update(FAILED, never)
      await scene.comment().update(COMPLETED, never)
      expect(headings(scene)).toEqual([
        '### ❌ ZenML run of training: failed',
        '### ✅ ZenML run of training: completed',
      ])
      expect(scene.output()).toBe('')
    }),
)

test('a workflow run that started weeks later is still a newer one', () =>
  withComment({}, async (scene) => {
    await scene.comment(later(scene, '900200300')).update(STARTED, never)
    await scene.comment().update(COMPLETED, never)
    expect(headings(scene)).toEqual(['### ⏳ ZenML run of training: running'])
  }))

test("a person's token finds the person's comment", () =>
  withComment({}, async (scene) => {
    await scene.comment({ token: TOKEN }).update(FAILED, never)
    const own = scene.comment({ token: PERSONAL })
    await own.update(STARTED, never)
    await own.update(COMPLETED, never)
    expect(scene.github.comments(PULL_REQUEST).map(({ author }) => author)).toEqual([
      'github-actions[bot]',
      'octocat',
    ])
    expect(headings(scene)[1]).toBe('### ✅ ZenML run of training: completed')
  }))

test('a second comment of ours is removed at the next update', () =>
  withComment({}, async (scene) => {
    await scene.comment().update(FAILED, never)
    const body = scene.github.comments(PULL_REQUEST)[0]?.body ?? ''
    scene.github.write(PULL_REQUEST, 'github-actions[bot]', body)
    scene.github.write(PULL_REQUEST, 'github-actions[bot]', body)

    await scene.comment(later(scene)).update(COMPLETED, never)

    expect(headings(scene)).toEqual(['### ✅ ZenML run of training: completed'])
    expect(scene.asked().slice(-4)).toEqual([
      'POST /graphql',
      'PATCH /issues/comments/ID',
      'DELETE /issues/comments/ID',
      'DELETE /issues/comments/ID',
    ])
  }))

test('our comment is found behind hundreds of others', () =>
  withComment({}, async (scene) => {
    for (let count = 0; count < 230; count += 1) scene.github.write(PULL_REQUEST, 'octocat', 'Nice!')
    await scene.comment().update(STARTED, never)
    await scene.comment().update(COMPLETED, never)
    expect(headings(scene).filter((line) => line.startsWith('###'))).toHaveLength(1)
    const pages = [1, 2, 3].map((page) => `GET /issues/7/comments?per_page=100&page=${page}`)
    expect(scene.asked().slice(0, 3)).toEqual(pages)
  }))

test('a comment that somebody removed during the run is written anew', () =>
  withComment({}, async (scene) => {
    const comment = scene.comment()
    await comment.update(STARTED, never)
    scene.github.remove(scene.github.comments(PULL_REQUEST)[0]?.id ?? 0)
    await comment.update(FAILED, never)
    expect(headings(scene)).toEqual(['### ❌ ZenML run of training: failed'])
  }))

test('on GitHub Enterprise Server the calls go below its own address', () =>
  withComment({ apiPath: '/api/v3' }, async (scene) => {
    const comment = scene.comment()
    await comment.update(STARTED, never)
    await comment.update(COMPLETED, never)
    expect(headings(scene)).toEqual(['### ✅ ZenML run of training: completed'])
    expect(notices(scene)).toEqual([])
  }))

test('without a wish for a comment there is none', () =>
  withComment({}, async ({ options }) => {
    expect(pullRequestComment({ ...options, mode: 'never' })).toBeUndefined()
  }))

/** A workflow that ran for a pull request into the repository of that id; this one's is 1. */
function followed(id: number) {
  return {
    repository: { id: 1 },
    workflow_run: { pull_requests: [{ number: 7, base: { repo: { id } } }] },
  }
}

test('a workflow that followed one for a pull request of another repository comments on nothing', () =>
  withComment({ event: followed(2), eventName: 'workflow_run' }, async (scene) => {
    await scene.comment().update(COMPLETED, never)
    expect(headings(scene)).toEqual([])
    expect(scene.github.requests).toEqual([])
  }))

test.each([
  ['a comment on a pull request', { issue: { number: 7, pull_request: { url: '' } } }, 'issue_comment'],
  ['a workflow that followed', followed(1), 'workflow_run'],
])('the pull request is known from %s', (_, event, eventName) =>
  withComment({ event, eventName }, async (scene) => {
    await scene.comment().update(COMPLETED, never)
    expect(headings(scene)).toHaveLength(1)
  }),
)

const SCHEDULE = { event: { schedule: '*/10 * * * *' }, eventName: 'schedule' }

test('a workflow without a pull request comments on the one that is named, and so does its post step', () =>
  withComment(SCHEDULE, async (scene) => {
    const comment = scene.comment({ pullRequest: PULL_REQUEST, action: 'wait' })
    await comment.update(recordOf({ conclusion: 'running', status: 'running' }), never)
    expect(headings(scene)).toEqual(['### ⏳ ZenML run of training: still running'])
    expect(notices(scene)).toEqual([])
    const saved = readSavedComment(await scene.savedState())
    if (saved === undefined) throw new Error('nothing was saved')
    await commentOfSaved(saved, '', scene.options).update(COMPLETED, never)
    expect(headings(scene)).toEqual(['### ✅ ZenML run of training: completed'])
  }))

test('the pull request that is named has the comment, and not that of the event', () =>
  withComment({ event: FORK }, async (scene) => {
    await scene.comment({ pullRequest: 8 }).update(COMPLETED, never)
    expect(headings(scene)).toEqual([])
    expect(scene.asked()).toContain('POST /issues/8/comments')
  }))

test('on-failure: a success writes nothing, and a failure does', () =>
  withComment({}, async (scene) => {
    const mode = 'on-failure'
    for (const end of [
      COMPLETED,
      recordOf({ conclusion: 'dry-run' }),
      recordOf({ conclusion: 'running' }),
      recordOf({ conclusion: 'cancelled' }),
    ]) {
      const comment = scene.comment({ mode })
      await comment.update(STARTED, never)
      await comment.update(end, never)
    }
    // A look for a comment that an earlier run left; none for a cancelled step.
    expect(scene.asked()).toEqual([LIST, LIST, LIST])

    await scene.comment({ mode }).update(FAILED, never)
    expect(headings(scene)).toEqual(['### ❌ ZenML run of training: failed'])
  }))

test('on-failure: a success after a failure says so, a cancelled step does not', () =>
  withComment({}, async (scene) => {
    const mode = 'on-failure'
    await scene.comment({ mode }).update(FAILED, never)
    await scene.comment({ mode, ...later(scene) }).update(recordOf({ conclusion: 'cancelled' }), never)
    expect(headings(scene)).toEqual(['### ❌ ZenML run of training: failed'])
    await scene.comment({ mode, ...later(scene) }).update(COMPLETED, never)
    expect(headings(scene)).toEqual(['### ✅ ZenML run of training: completed'])
  }))

const reader: GithubAccount = { login: 'github-actions[bot]', rights: 'read' }

interface Refusal {
  readonly title: string
  readonly scene?: SceneOptions
  readonly token?: string | undefined
  readonly fault?: GithubFault
  readonly locked?: boolean
  readonly says: RegExp
}

const refusals: readonly Refusal[] = [
  {
    title: 'a missing permission',
    scene: { accounts: { [TOKEN]: reader } },
    says: /the token lacks permission; add "permissions: pull-requests: write" to the job/,
  },
  {
    title: "a fork's token, which can only read",
    scene: { accounts: { [TOKEN]: reader }, event: FORK },
    says: /gives a fork's pull request a read-only token/,
  },
  {
    title: "a person's token without the right",
    scene: { accounts: { [TOKEN]: { login: 'octocat', rights: 'read', kind: 'personal' } } },
    says: /give github-token that permission/,
  },
  {
    title: 'a token that is not allowed to see anything',
    scene: { accounts: { [TOKEN]: { ...reader, rights: 'none' } } },
    says: /does not show the pull request to the token \(404\); add "permissions: pull-requests: write"/,
  },
  {
    title: 'a token that has expired',
    token: 'ghs_expired000000000',
    says: /not accept github-token \(401\)/,
  },
  { title: 'no token', token: undefined, says: /github-token is empty/ },
  { title: 'a locked conversation', locked: true, says: /the conversation is locked/ },
  {
    title: 'an event without a pull request',
    scene: { event: { ref: 'refs/heads/main' }, eventName: 'push' },
    says: /the event "push" has no pull request/,
  },
  {
    title: 'a comment on an issue that is no pull request',
    scene: { event: { issue: { number: 7 } }, eventName: 'issue_comment' },
    says: /the event "issue_comment" has no pull request/,
  },
  {
    title: 'a followed workflow of a fork, whose pull request GitHub does not name',
    scene: { event: { workflow_run: { pull_requests: [] } }, eventName: 'workflow_run' },
    says: /has no pull request/,
  },
  {
    title: 'something else that answers',
    fault: () => new GithubAnswer(200, '<!doctype html>', { 'content-type': 'text/html' }),
    says: /what answers at GITHUB_API_URL is not GitHub's API/,
  },
  {
    title: 'a redirect, which could lead the token anywhere',
    fault: () => new GithubAnswer(307, '', { location: 'https://example.com/' }),
    says: /is not GitHub's API/,
  },
  {
    title: 'a redirect of the writing alone',
    fault: ({ method }) => (method === 'POST' ? new GithubAnswer(307, '', { location: '/' }) : undefined),
    says: /is not GitHub's API/,
  },
  {
    title: 'a refusal with hostile words',
    fault: () => GithubAnswer.json(451, { message: `::error::no\n##[error]${TOKEN}` }),
    says: /GitHub answered 451: ": :error::no\\n## \[error\]\*\*\*"/,
  },
]

test.each(refusals)('$title: one notice with what to do', ({ scene: options = {}, fault, locked, ...rest }) =>
  withComment(options, async (scene) => {
    if (locked === true) scene.github.lock(PULL_REQUEST)
    scene.github.interfere(fault)
    const comment = scene.comment('token' in rest ? { token: rest.token } : {})

    await comment.update(STARTED, never)
    await comment.update(COMPLETED, never)

    expect(notices(scene)).toEqual([expect.stringMatching(rest.says)])
    expect(scene.output().trimEnd().split('\n')).toHaveLength(1)
    expect(scene.output()).not.toContain(TOKEN)
    expect(scene.github.comments(PULL_REQUEST)).toEqual([])
    // Nothing is left to the post step, which could not do better.
    expect(readSavedComment(await scene.savedState())).toBeUndefined()
  }),
)

test('a short pause that GitHub asks for is kept, and then all is well', () =>
  withComment({}, async (scene) => {
    let left = 1
    scene.github.interfere(({ method }) => {
      return method === 'POST' && left-- > 0 ? secondaryRateLimit(403, 3) : undefined
    })
    const before = scene.clock.now()
    await scene.comment().update(COMPLETED, never)
    expect(scene.clock.now() - before).toBe(3000)
    expect(headings(scene)).toHaveLength(1)
    expect(notices(scene)).toEqual([])
  }))

const passing: readonly (readonly [string, GithubFault, RegExp])[] = [
  [
    'a pause of a minute (403)',
    () => secondaryRateLimit(403, 60),
    /rate limit for this token is reached \(403\)/,
  ],
  [
    'a pause of a minute (429)',
    () => secondaryRateLimit(429, 60),
    /rate limit for this token is reached \(429\)/,
  ],
  [
    'a pause without a time',
    () => secondaryRateLimit(403, undefined),
    /rate limit for this token is reached/,
  ],
  ['the limit of the hour', () => primaryRateLimit(1_800_000_000), /rate limit for this token is reached/],
  ['GitHub is down', () => new GithubAnswer(502, '<html>', { 'content-type': 'text/html' }), /answered 502$/],
  ['the connection is cut', () => 'cut', /could not be reached \(ECONNRESET\)/],
]

test.each(passing)('%s: one notice at the end, and the post step tries again', (_, fault, says) =>
  withComment({}, async (scene) => {
    scene.github.interfere(fault)
    const comment = scene.comment()
    await comment.update(STARTED, never)
    expect(scene.output()).toBe('')
    await comment.update(FAILED, never)
    expect(notices(scene)).toEqual([expect.stringMatching(says)])

    scene.github.interfere(undefined)
    await updateFromPost(scene)
    expect(headings(scene)).toEqual(['### ❌ ZenML run of training: failed'])
    expect(scene.github.comments(PULL_REQUEST)[0]?.body).toContain('The run "nightly" failed.')
    expect(notices(scene)).toHaveLength(1)
  }),
)

/** What the post step does with what main left. */
async function updateFromPost(scene: CommentScene, changes: Partial<RunRecord> = {}): Promise<void> {
  const saved = readSavedComment(await scene.savedState())
  if (saved === undefined) throw new Error('nothing was left to the post step')
  await commentOfSaved(saved, '', scene.options).update({ ...saved.record, ...changes }, never)
}

test('GitHub is down for a moment only: nobody hears of it', () =>
  withComment({}, async (scene) => {
    let left = 1
    scene.github.interfere(() => (left-- > 0 ? new GithubAnswer(502, '') : undefined))
    await scene.comment().update(COMPLETED, never)
    expect(headings(scene)).toHaveLength(1)
    expect(notices(scene)).toEqual([])
  }))

test('a comment whose answer got lost is not written twice', () =>
  withComment({}, async (scene) => {
    const comment = scene.comment()
    scene.github.interfere(({ method, path }) => {
      return method === 'POST' && path.endsWith('/comments') ? 'lost' : undefined
    })
    await comment.update(STARTED, never)
    await comment.update(COMPLETED, never)
    expect(scene.asked().filter((call) => call === 'POST /issues/7/comments')).toHaveLength(1)
    expect(headings(scene)).toEqual(['### ✅ ZenML run of training: completed'])
    expect(notices(scene)).toEqual([])
  }))

test('a killed step leaves no comment that says for ever that the run goes on', () =>
  withComment({}, async (scene) => {
    await scene.comment().update(STARTED, never)
    await updateFromPost(scene, { error: 'The run "nightly" was stopped.' })
    expect(headings(scene)).toEqual(['### 🚫 ZenML run of training: cancelled'])
    const [{ body } = { body: '' }] = scene.github.comments(PULL_REQUEST)
    expect(body).toContain('The run "nightly" was stopped.')
    expect(body).toContain('(https://zenml.example.com/runs/1)')
    expect(readSavedComment(await scene.savedState())?.isWritten).toBe(true)
  }))

test('an end that ran out of time is left to the post step', () =>
  withComment({}, async (scene) => {
    const comment = scene.comment()
    await comment.update(STARTED, never)
    scene.github.interfere(() => 'silence')
    const life = new AbortController()
    const ending = comment.update(
      recordOf({ conclusion: 'timed-out', error: 'It took too long.' }),
      life.signal,
    )
    life.abort(new Error('time is up'))
    await ending
    expect(notices(scene)).toEqual([expect.stringMatching(/did not answer in time/)])

    scene.github.interfere(undefined)
    await updateFromPost(scene)
    expect(headings(scene)).toEqual(['### ⏰ ZenML run of training: timed out'])
  }))

test('an end that is written leaves nothing to the post step', () =>
  withComment({}, async (scene) => {
    const comment = scene.comment()
    await comment.update(STARTED, never)
    expect(readSavedComment(await scene.savedState())?.isWritten).toBe(false)
    await comment.update(COMPLETED, never)
    expect(readSavedComment(await scene.savedState())?.isWritten).toBe(true)
  }))

test('without a file for the state the comment is written all the same', () =>
  withComment({}, async (scene) => {
    process.env['GITHUB_STATE'] = '/does/not/exist'
    await scene.comment().update(COMPLETED, never)
    expect(headings(scene)).toHaveLength(1)
    expect(notices(scene)).toEqual([])
  }))

test('a payload that is no JSON is none', () =>
  withComment({}, async (scene) => {
    const context = { ...scene.context, eventPath: process.env['GITHUB_STATE'] ?? '' }
    await scene.comment({ context }).update(COMPLETED, never)
    expect(notices(scene)).toEqual([expect.stringMatching(/has no pull request/)])
  }))

test("GitHub's words are not cut in the middle of one, which may be a secret", () => {
  const data = { message: `${'no '.repeat(97)}correct-horse-battery-staple` }
  const { fault } = githubErrorOf({ status: 422, response: { headers: {}, data } }, never)
  expect(fault).toMatchObject({ message: `${'no '.repeat(97).trim()}…` })
})
