import { tmpdir } from 'node:os'
import { expect, jest, test } from '@jest/globals'
import { startAction } from '../../e2e/action.ts'
import { readAsRunner } from '../github/runner-reader.ts'
import { withPreload } from '../../e2e/preload.ts'
import { annotations, PATIENCE_MS, withServer } from './scene.ts'

jest.setTimeout(PATIENCE_MS)

const HOSTILE = '::error::forged\\n##[error]forged\\n::set-output name=run-id::forged'

test.concurrent.each([
  ['a promise that nobody waits for is rejected', `void Promise.reject(new Error('${HOSTILE}'))`],
  ['something is thrown where nobody catches it', `throw new Error('${HOSTILE}')`],
  ['something is thrown that is no error', `throw '${HOSTILE}'`],
])('%s: one line that does nothing, and the run is seen to its end', (_, deed) =>
  withServer({}, (scene) =>
    withPreload(`setTimeout(() => { ${deed} }, 500)`, async (env) => {
      const result = await scene.step({ pipeline: 'training', 'poll-interval': '1s' }, { env })

      expect(result.stderr).toBe('')
      expect(annotations('error', result)).toEqual([
        expect.stringMatching(/^Internal error: ::error::forged/),
      ])
      expect(readAsRunner(result.stdout).commands.filter(({ name }) => name === 'set-output')).toEqual([])
      expect(result.exitCode).toBe(1)
      expect(result.outputs['run-id']).toBe(scene.runs[0]?.id)
      expect(scene.runs[0]).toMatchObject({ status: 'completed' })
    }),
  ),
)

test.concurrent('a log that nobody reads any more does not end the step', () =>
  withServer({}, async (scene) => {
    const inputs = { 'server-url': scene.server.url, 'api-key': scene.server.apiKey, pipeline: 'training' }
    const running = await startAction({
      inputs,
      onLine: (line) => {
        if (line.includes(': running')) running.closeOutput()
      },
    })
    const result = await running.done

    expect(result.outputs['conclusion']).toBe('completed')
    expect(result.stderr).toBe('')
  }),
)

test.concurrent('outputs that cannot be written are no internal error: the line says what to check', () =>
  withServer({}, async (scene) => {
    const result = await scene.step({ pipeline: 'training' }, { env: { GITHUB_OUTPUT: tmpdir() } })

    expect(annotations('error', result)).toEqual([
      expect.stringMatching(
        /^A file of the runner cannot be written \((?:EISDIR|EACCES|EPERM)\)\. Check disk space and permissions on the runner$/,
      ),
    ])
    expect(result.exitCode).toBe(1)
    expect(scene.triggers).toEqual([])
  }),
)

test.concurrent(
  'a run that completed is not called cancelled where only the post step can write the summary',
  () =>
    withServer({}, async (scene) => {
      const main = await scene.step({ pipeline: 'training' }, { env: { GITHUB_STEP_SUMMARY: tmpdir() } })
      expect(main.outputs['conclusion']).toBe('completed')
      const post = await scene.step({ pipeline: 'training' }, { entry: 'post', state: main.state })

      expect(post.exitCode).toBe(0)
      expect(post.summary).toBe('')
    }),
)
