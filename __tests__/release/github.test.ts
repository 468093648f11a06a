import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import { Github, GithubRefusal, NoAnswer, untilAnswered } from '../../scripts/release/github.ts'
import { GithubAnswer, refusal } from '../../simulator/github/answers.ts'
import { startGithub, type GithubSimulator } from '../../simulator/github/server.ts'

const REPOSITORY = 'octo-org/zenml-run-action'

let server: GithubSimulator
let github: Github

beforeEach(async () => {
  server = await startGithub({ accounts: { token: { login: 'octocat', rights: 'write' } } })
  github = new Github({ apiUrl: server.apiUrl, token: 'token', repository: REPOSITORY })
})

afterEach(async () => {
  jest.restoreAllMocks()
  await server.close()
})

function answer(answers: Readonly<Record<string, GithubAnswer>>): void {
  server.interfere(({ path }) => answers[path.replace(`/repos/${REPOSITORY}`, '')])
}

test('a ref that is not there is none, and one that may not be seen is an error', async () => {
  answer({
    '/git/ref/tags/v1': refusal(404, 'Not Found', ''),
    '/git/ref/tags/v2': refusal(403, 'Resource not accessible by integration', ''),
  })
  expect(await github.commitOf('tags/v1')).toBeUndefined()
  await expect(github.commitOf('tags/v2')).rejects.toThrow('with 403: Resource not accessible by integration')
})

test('a tag with a message of its own leads to its commit', async () => {
  answer({
    '/git/ref/tags/v1.0.0': GithubAnswer.json(200, { object: { type: 'tag', sha: 'a1' } }),
    '/git/tags/a1': GithubAnswer.json(200, { object: { type: 'commit', sha: 'b2' } }),
  })
  expect(await github.commitOf('tags/v1.0.0')).toBe('b2')
})

test('what GitHub refuses is not tried again', async () => {
  answer({ '/git/ref/tags/v1': refusal(403, 'No', '') })
  const tried = untilAnswered(
    () => github.commitOf('tags/v1'),
    () => undefined,
    () => Promise.resolve(),
  )
  await expect(tried).rejects.toThrow(GithubRefusal)
  expect(server.requests).toHaveLength(1)
})

test('GitHub is waited for 60 seconds, and no longer', async () => {
  const timeout = AbortSignal.timeout.bind(AbortSignal)
  const waits = jest.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => timeout(ms / 1000))
  server.interfere(() => 'silence')
  await expect(github.commitOf('tags/v1')).rejects.toThrow(NoAnswer)
  expect(waits.mock.calls).toEqual([[60_000]])
})
