import { expect, test } from '@jest/globals'
import { readCommits } from '../../../src/github/workflow/commits.ts'

const HEAD = 'a'.repeat(40)
const SHA = 'b'.repeat(40)
const NONE = { head: undefined, merge: undefined, workflow: undefined }

const pull = { pull_request: { number: 7, head: { sha: HEAD } } }
const afterOne = {
  repository: { id: 1 },
  workflow_run: { head_sha: HEAD, pull_requests: [{ number: 7, base: { repo: { id: 1 } } }] },
}
const comment = { issue: { number: 7, pull_request: {} } }

test.each([
  ['pull_request', 'refs/pull/7/merge', pull, { head: HEAD, merge: SHA, workflow: undefined }],
  ['pull_request_target', 'refs/heads/main', pull, { head: HEAD, merge: undefined, workflow: SHA }],
  ['workflow_run', 'refs/heads/main', afterOne, { head: HEAD, merge: undefined, workflow: SHA }],
  ['issue_comment, which does not say it', 'refs/heads/main', comment, { ...NONE, workflow: SHA }],
  ['push', 'refs/heads/main', { after: SHA }, { ...NONE, workflow: SHA }],
  ['a payload of another shape', 'refs/heads/main', { pull_request: 5 }, { ...NONE, workflow: SHA }],
  [
    'a head that is no commit',
    'refs/pull/7/merge',
    { pull_request: { head: { sha: '`x`' } } },
    { ...NONE, merge: SHA },
  ],
])('the commits of %s', async (_, ref, event, commits) => {
  const bytes = new TextEncoder().encode(JSON.stringify(event))
  const context = { eventPath: '/event.json', ref, sha: SHA }
  expect(await readCommits(context, () => Promise.resolve({ ok: true, bytes }))).toEqual(commits)
})

test('without a payload, and on a machine that is no runner, there are none', async () => {
  const unread = () => Promise.reject(new Error('not to be read'))
  expect(await readCommits({ eventPath: '', ref: '', sha: '' }, unread)).toEqual(NONE)
})
