import { expect, test } from '@jest/globals'

import { readWorkflowContext, stepIdentity } from '../../../src/github/workflow/context.ts'

const env = {
  GITHUB_SERVER_URL: 'https://github.example.com/',
  GITHUB_API_URL: 'https://github.example.com/api/v3',
  GITHUB_REPOSITORY: 'owner/project',
  GITHUB_REPOSITORY_ID: '1234',
  GITHUB_WORKFLOW: 'Nightly',
  GITHUB_WORKFLOW_REF: 'owner/project/.github/workflows/nightly.yml@refs/heads/main',
  GITHUB_JOB: 'train',
  GITHUB_ACTION: 'run',
  GITHUB_RUN_ID: '99',
  GITHUB_RUN_ATTEMPT: '1',
  GITHUB_EVENT_NAME: 'schedule',
  GITHUB_EVENT_PATH: '/tmp/event.json',
  GITHUB_ACTOR: 'someone',
  GITHUB_SHA: 'abc',
  GITHUB_REF: 'refs/heads/main',
  GITHUB_WORKSPACE: '/work',
}

test('the context says where the step runs, on GitHub Enterprise Server too', () => {
  expect(readWorkflowContext(env)).toEqual({
    serverUrl: 'https://github.example.com',
    apiUrl: 'https://github.example.com/api/v3',
    repository: 'owner/project',
    repositoryId: '1234',
    workflow: 'Nightly',
    workflowRef: 'owner/project/.github/workflows/nightly.yml@refs/heads/main',
    job: 'train',
    action: 'run',
    runId: '99',
    runAttempt: 1,
    workflowRunUrl: 'https://github.example.com/owner/project/actions/runs/99',
    eventName: 'schedule',
    eventPath: '/tmp/event.json',
    actor: 'someone',
    sha: 'abc',
    ref: 'refs/heads/main',
    headRef: '',
    baseRef: '',
    workspace: '/work',
  })
})

test('a second attempt has a page of its own', () => {
  const context = readWorkflowContext({ ...env, GITHUB_RUN_ATTEMPT: '2' })
  expect(context.workflowRunUrl).toBe('https://github.example.com/owner/project/actions/runs/99/attempts/2')
})

test('run by hand, everything is empty and nothing fails', () => {
  const context = readWorkflowContext({})
  expect(context).toMatchObject({
    repository: '',
    runId: '',
    runAttempt: 0,
    workflowRunUrl: '',
    workspace: '',
  })
  expect(context.serverUrl).toBe('https://github.com')
  expect(stepIdentity(context, '')).toMatch(/^[0-9a-f]{8}$/)
})

test('a step keeps its identity in later runs, attempts and commits', () => {
  const first = stepIdentity(readWorkflowContext(env), 'train/0')
  const later = {
    ...env,
    GITHUB_RUN_ID: '100',
    GITHUB_RUN_ATTEMPT: '3',
    GITHUB_SHA: 'def',
    GITHUB_ACTOR: 'other',
  }
  expect(stepIdentity(readWorkflowContext(later), 'train/0')).toBe(first)
  // Of the four texts, a line each: a change here would make re-runs lose the runs of earlier attempts.
  expect(first).toBe('664aa260')
})

test.each([
  ['another repository', { GITHUB_REPOSITORY_ID: '1235' }, 'train/0'],
  [
    'another workflow',
    { GITHUB_WORKFLOW_REF: 'owner/project/.github/workflows/x.yml@refs/heads/main' },
    'train/0',
  ],
  ['another step', { GITHUB_ACTION: 'run2' }, 'train/0'],
  ['another cell of the matrix', {}, 'train/1'],
])('%s has another identity', (_, change, stepKey) => {
  const first = stepIdentity(readWorkflowContext(env), 'train/0')
  expect(stepIdentity(readWorkflowContext({ ...env, ...change }), stepKey)).not.toBe(first)
})
