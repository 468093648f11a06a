import { expect, jest, test } from '@jest/globals'
import { runAction, startAction } from '../../e2e/action.ts'
import type { PipelineSpec } from '../../simulator/index.ts'
import type { GithubSimulator } from '../../simulator/github/server.ts'
import { onPullRequest as withPullRequest, TOKEN, type PullRequestWork } from './pull-request.ts'
import { annotations, expectGreen, expectRed, PATIENCE_MS } from './scene.ts'
import { expectMasked, expectNoSecret } from './secrecy.ts'

jest.setTimeout(PATIENCE_MS)

/** A step in a workflow that a pull request started, and GitHub around it. */
async function onPullRequest(work: PullRequestWork, seconds = 20): Promise<void> {
  await withPullRequest({ pipelines: [training(seconds)], orchestrator: 'kubernetes' }, work)
}

function training(seconds: number): PipelineSpec {
  return {
    name: 'training',
    templateName: 'training-template',
    commit: COMMIT,
    steps: [{ name: 'train', seconds }],
  }
}

function headings(github: GithubSimulator): string[] {
  return github.comments(7).map(({ body }) => body.split('\n')[1] ?? '')
}

test.concurrent('a run for a pull request is told of there, at its start and at its end', () =>
  onPullRequest(async (scene, github, step) => {
    const result = await scene.step({ snapshot: 'training-template', comment: 'true' }, step)

    expectGreen(result, 'completed')
    expect(annotations('notice', result)).toEqual([])
    expectMasked(result, [TOKEN])
    expectNoSecret(result, [TOKEN])
    const list = 'GET /repos/example/models/issues/7/comments?per_page=100&page=1'
    const [first] = github.comments(7)
    expect(github.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      list,
      'POST /repos/example/models/issues/7/comments',
      list,
      'POST /graphql',
      `PATCH /repos/example/models/issues/comments/${first?.id}`,
    ])
    expect(JSON.parse(github.requests[1]?.body ?? '').body).toContain('### ⏳ ZenML run of training: running')
    expect(headings(github)).toEqual(['### ✅ ZenML run of training: completed'])
    expect(first?.body).toContain(result.outputs['run-url'])
    // ZenML's server gets nothing of it.
    expect(JSON.stringify(scene.server.requests)).not.toContain(TOKEN)

    const given = { 'server-url': scene.server.url, snapshot: 'training-template', comment: 'true' }
    await runAction({ ...step, inputs: given, entry: 'post', state: result.state })
    expect(github.requests).toHaveLength(5)
  }),
)

const HEAD = 'a'.repeat(40)
const COMMIT = '3f1c9a7b5d2e8f60a4b1c7d9e2f5a8b0c3d6e9f1'

test.concurrent.each([
  ['another commit than the pull request', HEAD, '1'.repeat(40), 1],
  ["the pull request's own commit", COMMIT, '1'.repeat(40), 0],
  ['the pull request as it would be merged', HEAD, COMMIT, 0],
])('a snapshot of %s: log, summary and comment name its commit', (_, head, sha, notices) =>
  onPullRequest(async (scene, github, step) => {
    const env = { ...step.env, GITHUB_REF: 'refs/pull/7/merge', GITHUB_SHA: sha }
    const event = { pull_request: { number: 7, head: { sha: head } } }
    const result = await scene.step(
      { snapshot: 'training-template', comment: 'true' },
      { ...step, env, event },
    )
    expectGreen(result, 'completed')
    expect(result.stdout).toMatch(
      /^Snapshot training-template, made \d+ \w{3} \d{4} by ci from commit 3f1c9a7, stack e2e$/m,
    )
    const line = new RegExp(
      '^Snapshot `training-template`, made \\d+ \\w{3} \\d{4} by `ci` from commit `3f1c9a7`, stack `e2e` ' +
        `· for commit \`${head.slice(0, 7)}\`$`,
      'm',
    )
    expect(result.summary).toMatch(line)
    expect(github.comments(7)[0]?.body).toMatch(line)
    expect(annotations('notice', result)).toHaveLength(notices)
    if (notices > 0) expect(annotations('notice', result)[0]).toContain("the pull request's head aaaaaaa")
    // All of it stands in answers that the step needs anyway.
    const asked = scene.server.requests.filter(({ method }) => method === 'GET').map(({ path }) => path)
    expect(asked.filter((path) => /\/pipeline_snapshots\b/.test(path))).toHaveLength(1)
    expect(asked.filter((path) => /users|stacks|code_/.test(path))).toEqual([])
  }),
)

test.concurrent('wait/ keeps a comment of its own beside that of the step that started the run', () =>
  onPullRequest(async (scene, github, step) => {
    const inputs = { snapshot: 'training-template', comment: 'true', wait: 'false' }
    const { outputs } = await scene.step(inputs, step)
    const run = outputs['run-id'] ?? ''
    expectGreen(await scene.step({ run, comment: 'true' }, { ...step, entry: 'wait' }), 'completed')
    expect(github.comments(7).map(({ body }) => /^<!-- zenml-run-action (\S+)/.exec(body)?.[1])).toEqual([
      'main',
      'wait',
    ])
  }),
)

test.concurrent('a login that fails is told of on the pull request as well', () =>
  onPullRequest(async (scene, github, step) => {
    const inputs = { snapshot: 'training-template', comment: 'on-failure', 'api-key': 'ZENKEY_wrong00000000' }
    const result = await scene.step(inputs, step)
    expectRed(result, 'failed')
    expect(headings(github)).toEqual(['### ❌ No ZenML run was started'])
  }),
)

test.concurrent('a comment that cannot be written leaves the step green', () =>
  onPullRequest(async (scene, _, step) => {
    const contexts = { 'github.token': 'ghs_0000of0000somewhere0000else000000' }
    const result = await scene.step({ snapshot: 'training-template', comment: 'true' }, { ...step, contexts })
    expectGreen(result, 'completed')
    expect(annotations('notice', result)).toEqual([expect.stringMatching(/not accept github-token \(401\)/)])
  }),
)

test.concurrent('without a wish for a comment GitHub hears nothing', () =>
  onPullRequest(async (scene, github, step) => {
    const result = await scene.step({ snapshot: 'training-template' }, step)
    expectGreen(result, 'completed')
    expect(github.requests).toEqual([])
    expectMasked(result, [TOKEN])
  }),
)

test.concurrent('a dry run whose comment could not be written is told of as a dry run by the post step', () =>
  onPullRequest(async (scene, github, step) => {
    const inputs = { snapshot: 'training-template', comment: 'true', 'dry-run': 'true' }
    github.interfere(() => 'cut')
    const { state } = await scene.step(inputs, step)
    github.interfere(undefined)
    const given = { 'server-url': scene.server.url, 'api-key': scene.server.apiKey, ...inputs }
    await runAction({ ...step, inputs: given, entry: 'post', state })

    expect(headings(github)).toEqual(['### 🧪 ZenML run of training: dry run, nothing was started'])
    expect(github.comments(7)[0]?.body).not.toContain('The step was ended')
  }),
)

test.concurrent('after a kill the post step brings the comment to its end', () =>
  onPullRequest(async (scene, github, step) => {
    const inputs = {
      'server-url': scene.server.url,
      'api-key': scene.server.apiKey,
      snapshot: 'training-template',
      comment: 'true',
    }
    const running = await startAction({ ...step, inputs })
    github.interfere(({ method, path }) => {
      // The comment is written, and its answer comes too late.
      if (method === 'POST' && path.endsWith('/comments')) running.signal('SIGKILL')
      return undefined
    })
    const { state } = await running.done
    expect(headings(github)).toEqual(['### ⏳ ZenML run of training: running'])
    expect(JSON.stringify(state)).not.toContain(TOKEN)

    const post = await runAction({ ...step, inputs, entry: 'post', state })

    expect(post.exitCode).toBe(0)
    expectMasked(post, [TOKEN])
    expect(headings(github)).toEqual([expect.stringMatching(/: cancelled$/)])
  }, 36_000),
)

test.concurrent(
  'of a run that was lost from sight, comment and summary say what the post step did to it',
  () =>
    onPullRequest(async (scene, github, step) => {
      const { server } = scene
      const inputs = {
        ...{ 'server-url': server.url, 'api-key': server.apiKey, snapshot: 'training-template' },
        ...{ comment: 'true', 'poll-interval': '1s', 'lost-after': '2s', 'on-lost': 'stop' },
      }
      const running = await startAction({
        ...step,
        inputs,
        onLine: (line) => {
          if (!line.includes('train: running')) return
          // For longer than the step tolerates; its post step is answered again.
          for (const occurrence of [1, 2, 3, 4])
            for (const on of ['run', 'dag'] as const)
              server.addFault({ on, occurrence, do: { kind: 'html', status: 503 } })
        },
      })
      const main = await running.done
      const lost = expectRed(main, 'lost')
      expect(lost).toContain('it may still be running')
      expect(headings(github)).toEqual(['### ❓ ZenML run of training: outcome unknown'])
      expect(main.summary).toContain('it may still be running')

      const post = await runAction({ ...step, inputs, entry: 'post', state: main.state })

      const ended = /^The run ".*" was stopped: http.*$/m.exec(post.stdout)?.[0]
      expect(ended).toBeDefined()
      // It is known now, and the comment does not say any longer that it is not.
      expect(headings(github)).toEqual(['### 🛑 ZenML run of training: stopped'])
      const [comment] = github.comments(7)
      expect(comment?.body.split('\n')).toEqual(expect.arrayContaining([`\`${lost}\``, `\`${ended}\``]))
      expect(post.summary).toContain(`\`${ended}\``)
      expectMasked(post, [TOKEN])
    }, 36_000),
)
