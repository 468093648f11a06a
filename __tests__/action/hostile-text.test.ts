import { expect, jest, test } from '@jest/globals'
import { runAction } from '../../e2e/action.ts'
import { realClock, startSimulator } from '../../simulator/index.ts'
import { hostileTexts } from '../hostile/hostile-texts.ts'
import { roads } from '../hostile/hostile-roads.ts'
import { expectHarmless } from '../hostile/runner-view.ts'
import { startTampering } from '../hostile/tampering-server.ts'

jest.setTimeout(60_000)

const zoo = hostileTexts
  .map(({ text }) => text)
  .filter((text) => text.length < 1_000)
  .join('\n')

const titles = ['a run that fails', 'a trigger that is refused', 'a run in a state of that name']

test.concurrent.each(roads.filter(({ title }) => titles.includes(title)))(
  '$title, with every hostile text, through the built action',
  async (road) => {
    const server = await startSimulator({ clock: realClock(60) })
    const between = await startTampering(server.url, road.step(zoo).tamper)
    try {
      const inputs = { 'server-url': between.url, 'api-key': server.apiKey, template: 'training-template' }
      const result = await runAction({ inputs })
      expectHarmless(result, [server.apiKey, ...server.issuedTokens])
      expect(result).toMatchObject({ exitCode: 1, stderr: '', outputs: { conclusion: 'failed' } })
    } finally {
      await Promise.all([between.close(), server.close()])
    }
  },
)

/** The runner hands a name that it has read from the state to the post step, which says it again. */
test.concurrent.each(['stopped', 'running'])(
  'the post step says a hostile name of a run that is %s',
  async (status) => {
    const server = await startSimulator({ clock: realClock(60) })
    const between = await startTampering(server.url, (route) => {
      if (route === 'run')
        return {
          kind: 'instead',
          body: JSON.stringify({ id: ID, name: zoo, body: { status, in_progress: false } }),
        }
      return route === 'stop'
        ? { kind: 'instead', status: status === 'stopped' ? 200 : 400, body: 'null' }
        : undefined
    })
    try {
      const facts = {
        serverUrl: between.url,
        named: between.url,
        onCancel: 'stop',
        workflowRunUrl: '',
      }
      const started = { id: ID, name: zoo, status: 'running', isDynamic: false }
      const result = await runAction({
        entry: 'post',
        inputs: { 'server-url': between.url, 'api-key': server.apiKey },
        state: { facts: JSON.stringify(facts), started: JSON.stringify(started) },
      })
      expectHarmless({ ...result, outputs: { conclusion: 'stopped' } }, [
        server.apiKey,
        ...server.issuedTokens,
      ])
      expect(result.outputs).toEqual({})
      expect(result.stdout).toContain('The run "')
      expect(result.exitCode).toBe(0)
    } finally {
      await Promise.all([between.close(), server.close()])
    }
  },
)

const ID = '3ca13af3-0262-44b8-8629-a2adf18275b1'
