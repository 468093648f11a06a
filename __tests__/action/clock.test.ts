import { expect, jest, test } from '@jest/globals'
import { withPreload } from '../../e2e/preload.ts'
import { expectGreen, expectRed, logLines, PATIENCE_MS, withServer, type Scene } from './scene.ts'
import type { ActionResult } from '../../e2e/action.ts'

jest.setTimeout(PATIENCE_MS)

const HOUR_MS = 3_600_000

/**
 * A step on a machine whose clock is set by so much once a line of the log says something, as the first time sync of a
 * fresh machine does it.
 */
async function stepWhoseClockIsSet(
  byMs: number,
  line: string,
  scene: Scene,
  inputs: Readonly<Record<string, string>>,
): Promise<ActionResult> {
  const code = `
    const { now } = Date
    const write = process.stdout.write.bind(process.stdout)
    process.stdout.write = (text, ...rest) => {
      if (text.includes('${line}')) Date.now = () => now() + ${byMs}
      return write(text, ...rest)
    }`
  let result: ActionResult | undefined
  await withPreload(code, async (env) => {
    result = await scene.step({ pipeline: 'training', 'poll-interval': '1s', ...inputs }, { env })
  })
  if (result === undefined) throw new Error('no step was taken')
  return result
}

const seconds = (count: number): string => `steps: {train: {parameters: {seconds: ${count}}}}`

test.concurrent('a clock that is set an hour on ends no run before its timeout', () =>
  withServer({ orchestrator: 'kubernetes' }, async (scene) => {
    const result = await stepWhoseClockIsSet(HOUR_MS, ': running', scene, {
      configuration: seconds(60),
      timeout: '30m',
    })

    expectGreen(result, 'completed')
    expect(scene.runs[0]).toMatchObject({ status: 'completed' })
    expect(Number(result.outputs['duration'])).toBeLessThan(600)
    expect(logLines(result).join('\n')).not.toMatch(/\d:\d\d:\d\d|\bh\b/)
  }),
)

test.concurrent('a clock that is set an hour back does not hide that the timeout is over', () =>
  withServer({ orchestrator: 'kubernetes' }, async (scene) => {
    const result = await stepWhoseClockIsSet(-HOUR_MS, ': running', scene, {
      configuration: seconds(36_000),
      timeout: '4s',
    })

    expect(expectRed(result, 'timed-out')).toContain('was stopped')
    expect(Number(result.outputs['duration'])).toBeGreaterThanOrEqual(4)
    expect(Number(result.outputs['duration'])).toBeLessThan(600)
  }),
)

test.concurrent('a clock that is set an hour on does not end the wait for a slot', () =>
  withServer(
    { faults: [{ on: 'trigger', occurrence: { from: 1, to: 1 }, do: { kind: 'no-slot' } }] },
    async (scene) => {
      const result = await stepWhoseClockIsSet(HOUR_MS, 'no free slot', scene, {})

      expectGreen(result, 'completed')
      expect(scene.triggers).toHaveLength(2)
    },
  ),
)
