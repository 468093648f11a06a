import { expect, test } from '@jest/globals'
import { VirtualClock } from '../../simulator/index.ts'
import { lookAfterMain } from '../../src/actions/post.ts'
import { named } from '../../src/github/inputs/connection.ts'
import { WorkflowLog } from '../../src/github/log/workflow-log.ts'
import { openHttp, startScripted } from '../http/scripted-server.ts'

const PRO_API_URL = 'https://cloudapi.zenml.io'

/** The lines of a post step after a main that was killed while its run was under way. */
async function linesOfPost(url: string, left?: (now: number) => Record<string, string>): Promise<string[]> {
  const facts = {
    serverUrl: url,
    named: named({ url, proApiUrl: PRO_API_URL }),
    onCancel: 'stop',
    workflowRunUrl: '',
  }
  const started = { id: 'f00', name: 'nightly', status: 'running', isDynamic: false }
  let printed = ''
  const clock = new VirtualClock()
  await lookAfterMain(
    {
      'INPUT_SERVER-URL': url,
      'INPUT_API-KEY': 'ZENKEY_x',
      'INPUT_ALLOW-INSECURE-HTTP': 'true',
      STATE_facts: JSON.stringify(facts),
      ...(left?.(clock.now()) ?? { STATE_started: JSON.stringify(started) }),
    },
    {
      log: new WorkflowLog((text) => (printed += text)),
      clock,
      timeLimit: () => new AbortController().signal,
      openHttp: () => openHttp(),
    },
  )
  return printed.split('\n').filter((line) => line !== '' && !line.startsWith('::add-mask::'))
}

test('a run that comes late is found although the clock was set an hour on in between', async () => {
  let asked = 0
  const { url } = await startScripted(({ path }) => {
    if (path === '/api/v1/login') return { body: { access_token: 't', expires_in: null } }
    if (!path.startsWith('/api/v1/runs?')) return { status: 404, body: { detail: ['KeyError', 'no run'] } }
    asked += 1
    return { body: { total: 0, total_pages: 1, items: [] } }
  })
  const lines = await linesOfPost(url, (now) => ({
    STATE_planned: JSON.stringify({
      name: 'nightly-0123456789ab',
      nameIsOurs: true,
      origins: [],
      sentAt: now - 3_600_000,
    }),
  }))
  expect(lines.at(-1)).toMatch(/No run named "nightly-0123456789ab" is on the server/)
  expect(asked).toBeGreaterThan(3)
})

test('a server that is back at the second try is no more than one line', async () => {
  const { url } = await startScripted(({ path }, count) => {
    if (path === '/api/v1/login')
      return count === 1 ? { status: 503 } : { body: { access_token: 't', expires_in: null } }
    return { status: 404, body: { detail: ['KeyError', 'no run'] } }
  })
  const lines = await linesOfPost(url)
  expect(lines).toHaveLength(3)
  expect(lines[1]).toMatch(/^Could not log in: .*503.*; trying again for up to 1 min 50 s$/)
})

test('what cannot be read of one run of a sweep keeps the post step from none of the others', async () => {
  const { url, requests } = await startScripted(({ path }) =>
    path === '/api/v1/login'
      ? { body: { access_token: 't', expires_in: null } }
      : { status: 404, body: { detail: ['KeyError', 'no run'] } },
  )
  const started = { id: 'f00', name: 'nightly-2', status: 'running', isDynamic: false }
  const lines = await linesOfPost(url, () => ({
    STATE_cell_1: '{"started":{"id":"f0',
    STATE_cell_2: JSON.stringify({ started }),
  }))
  expect(lines.at(-1)).toMatch(/nightly-2/)
  expect(requests.map(({ path }) => path)).toContainEqual(
    expect.stringMatching(/^\/api\/v1\/runs\/f00\/stop\?/),
  )
})

test('while the server is away the post step says so once, and at the end how often it tried', async () => {
  const { url, requests } = await startScripted(() => ({ status: 503, body: 'Service Unavailable' }))
  const lines = await linesOfPost(url)
  expect(lines).toEqual([
    'This step ended before the run "nightly" did. Asking ZenML to stop it, for up to 1 min 50 s',
    expect.stringMatching(/^Could not log in: .*503.*; trying again for up to 1 min 50 s$/),
    expect.stringMatching(/^Tried again \d+ times in 1 min \d+ s$/),
    expect.stringMatching(/^::warning::The run "nightly" /),
  ])
  expect(requests.length).toBeGreaterThan(15)
})
