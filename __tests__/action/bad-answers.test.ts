import { expect, jest, test } from '@jest/globals'
import { runAction } from '../../e2e/action.ts'
import { realClock, startSimulator } from '../../simulator/index.ts'
import { expectNoSecret } from './secrecy.ts'
import { tamperWith, type BadAnswer } from '../hostile/bad-answer.ts'
import { badAnswers } from '../hostile/bad-answers.ts'
import { expectHarmless, theError } from '../hostile/runner-view.ts'
import { startTampering } from '../hostile/tampering-server.ts'

jest.setTimeout(60_000)

const built = badAnswers.filter((bad) => bad.built)

/** The same as inputs; of the changes only the target is used here. */
function inputsOf({ changes }: BadAnswer): Record<string, string> {
  const target = changes?.target ?? { kind: 'template', reference: 'training-template' }
  return target.kind === 'pipeline' ? { pipeline: target.pipeline } : { [target.kind]: target.reference }
}

test.concurrent.each(built)('$title, met by the built action', async (bad) => {
  const server = await startSimulator({ clock: realClock(60), ...bad.server })
  const met = jest.fn()
  const between = await startTampering(server.url, tamperWith(bad, met))
  try {
    const inputs = {
      'server-url': between.url,
      'api-key': server.apiKey,
      'poll-interval': '1s',
      ...inputsOf(bad),
    }
    const result = await runAction({ inputs })
    expect(met).toHaveBeenCalled()
    expectNoSecret(result, [server.apiKey, ...server.issuedTokens, 'hunter2hunter2'])
    expectHarmless(result, [server.apiKey, ...server.issuedTokens])
    expect(result.stderr).toBe('')
    expect(result.outputs['conclusion']).toBe(bad.ends ?? 'failed')
    expect(result.exitCode).toBe(bad.ends === 'completed' ? 0 : 1)
    if (bad.ends === 'completed') return
    expect(theError(result)).toBe(result.outputs['error'])
    expect(result.stdout).not.toMatch(/^\s+at .+:\d+:\d+/m)
  } finally {
    await Promise.all([between.close(), server.close()])
  }
})
