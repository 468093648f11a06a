import { expect, jest, test } from '@jest/globals'
import { runAction, type ActionResult } from '../../e2e/action.ts'
import { realClock, startSimulator, type Simulator } from '../../simulator/index.ts'
import { startGithub } from '../../simulator/github/server.ts'
import { expectNoSecret, shownStretches } from './secrecy.ts'
import { KEY, SECRET_FORMS } from '../github/secrets/secret-forms.ts'
import { roads } from '../hostile/hostile-roads.ts'
import { startTampering, type Tamper } from '../hostile/tampering-server.ts'

jest.setTimeout(60_000)

const GITHUB_TOKEN = 'ghs_7Qw2xLm9ZrT4vB8nKc1YpHs6JdF3gA0eUi5o'

interface Shown {
  readonly result: ActionResult
  /** All that GitHub was sent for the pull request. */
  readonly comments: string
}

/**
 * A step with a comment on a pull request, at a server that repeats secrets. Fails if a stretch of one stands in its
 * log, outputs, state, summary or comments.
 */
async function expectNoLeak(
  tamper: (server: Simulator) => Tamper,
  inputs: Readonly<Record<string, string>> = {},
): Promise<Shown> {
  const server = await startSimulator({ clock: realClock(60) })
  const between = await startTampering(server.url, tamper(server))
  const github = await startGithub({
    accounts: { [GITHUB_TOKEN]: { login: 'github-actions[bot]', rights: 'write' } },
  })
  try {
    const result = await runAction({
      inputs: {
        'server-url': between.url,
        'api-key': server.apiKey,
        template: 'training-template',
        comment: 'true',
        ...inputs,
      },
      env: {
        RUNNER_DEBUG: '1',
        GITHUB_API_URL: github.apiUrl,
        GITHUB_EVENT_NAME: 'pull_request',
        GITHUB_REPOSITORY: 'example/models',
      },
      event: { pull_request: { number: 7 } },
      contexts: { 'github.token': GITHUB_TOKEN },
    })
    const secrets = [inputs['api-key'] ?? server.apiKey, ...server.issuedTokens, GITHUB_TOKEN]
    const comments = github.requests.map(({ body }) => body).join('\n')
    expectNoSecret(result, secrets)
    expect(shownStretches(comments, secrets)).toEqual([])
    expect(result.stderr).toBe('')
    return { result, comments }
  } finally {
    await Promise.all([github.close(), between.close(), server.close()])
  }
}

const refusal = (text: string): string => JSON.stringify({ detail: ['CredentialsNotValid', text] })

/** All of them are tried without a process of their own, in github/secrets/redactor.test.ts. */
const FORMS = new Set([
  'as it is',
  'percent-encoded in lower case',
  'as the header Authorization in base64',
  'over several lines',
])

test.concurrent.each(SECRET_FORMS.filter(([name]) => FORMS.has(name)))(
  'a login that is refused with the key %s does not show it',
  async (_, form) => {
    const body = refusal(`invalid credential in password=${form(KEY)} of the form`)
    const { result, comments } = await expectNoLeak(
      () => (route) => (route === 'login' ? { kind: 'instead', status: 401, body } : undefined),
      { 'api-key': KEY },
    )
    expect(result.outputs['error']).toContain('invalid credential in password=')
    expect(comments).toContain('invalid credential in password')
  },
)

test.concurrent("a comment does not show a parameter's value that is refused before the start", async () => {
  const parameters = 'train.seconds: hf_kL9dQ2xW7vB3nM5pR8tY\nload: hf_kL9dQ2xW7vB3nM5pR8tY'
  const { result, comments } = await expectNoLeak(() => () => undefined, { parameters })
  expect(result.outputs['error']).toContain('not "hf_kL9dQ2xW7vB3nM5pR8tY"')
  expect(comments).toMatch(
    /parameters, line 1, column 1: parameter .{1,3}seconds.{1,3} of step .{1,3}train.{1,3} must be a number.*, not this text/,
  )
  expect(comments).toContain('The log of the step shows the values')
  expect(comments).not.toContain('hf_')
})

test.concurrent('a key that the JSON of an answer escapes is covered after it was read', async () => {
  const body = refusal(`password=${KEY}.`).replaceAll('+', '\\u002B').replaceAll('=', '\\u003D')
  const { result } = await expectNoLeak(
    () => (route) => (route === 'login' ? { kind: 'instead', status: 401, body } : undefined),
    { 'api-key': KEY },
  )
  expect(result.outputs['error']).toContain('password=***')
})

/** Together they have every place where a server can put a text. */
const TITLES =
  /^(a run that fails|a run in a state of that name|a run whose steps are (failed|completed), .*|a run that fails before .*|a trigger that is refused with a structure|a redirect to there|a web page of that title|a name that is not there, .*|Pro, .*)$/

test.concurrent.each(roads.filter(({ title }) => TITLES.test(title)))(
  '$title: key and token, in every form and place, are not shown',
  async (road) => {
    const { result } = await expectNoLeak(
      (server) => (route) => {
        const forms = [server.apiKey, server.issuedTokens.at(-1) ?? KEY, GITHUB_TOKEN].flatMap((secret) =>
          SECRET_FORMS.map(([, form]) => form(secret)),
        )
        return road.step(forms.join(' | ')).tamper(route)
      },
      { timeout: '3s', 'trigger-timeout': '3s', 'on-timeout': 'keep-running' },
    )
    for (const name of ['steps', 'metadata', 'artifacts', 'comparison'])
      expect(() => void JSON.parse(result.outputs[name] ?? '')).not.toThrow()
    for (const value of Object.values(result.state))
      if (value !== '') expect(() => void JSON.parse(value)).not.toThrow()
  },
)
