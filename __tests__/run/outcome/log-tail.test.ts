import { afterEach, describe, expect, test } from '@jest/globals'
import type { ZenmlVersion } from '../../../simulator/index.ts'
import type { StepFailure } from '../../../src/run/facts.ts'
import { closeScenes, openScene } from '../scene.ts'

afterEach(closeScenes)

interface Entry {
  readonly message: string
  readonly chunk_index?: number
  readonly total_chunks?: number
}

const lines = (count: number): Entry[] => Array.from({ length: count }, (_, i) => ({ message: `line ${i}` }))

const EXCEPTION: Entry = {
  message:
    'An exception has occurred.\nTraceback (most recent call last):\n  File "/app/t.py", line 7, in train\nRuntimeError: loss is NaN',
}

/** Runs a pipeline whose step fails, on a server that gives this log of it. */
async function failureWith(
  log: readonly Entry[] | string,
  { version = '0.98.0', isKilled = false }: { version?: ZenmlVersion; isKilled?: boolean } = {},
): Promise<StepFailure | undefined> {
  const body = JSON.stringify(log)
  const failure = { type: 'RuntimeError', message: 'loss is NaN', traceback: '', userCodeLine: null }
  const step = { name: 'train', seconds: 1, fails: failure }
  const scene = await openScene({
    version,
    pipelines: [{ name: 'one', steps: [step] }],
    faults: [
      { on: 'logs', occurrence: 'always', do: { kind: 'answer', status: 200, body } },
      // Nobody notes the exception of a process that was killed.
      ...(isKilled ? [{ on: 'step', occurrence: 'always', do: { kind: 'html', status: 502 } } as const] : []),
    ],
  })
  await scene.execute({ target: { kind: 'template', reference: 'one-template' }, logTail: 3 })
  return scene.events.flatMap((event) => (event.kind === 'step-failed' ? [event.failure] : []))[0]
}

const onlyFirst = (entries: number): string =>
  `the server gives only the first ${entries} entries of the log, not its end`
const mayBeCut = (entries: number): string =>
  `the server gives exactly ${entries} entries of the log, so its end may be cut off`

describe('a log that the server cut is not shown as its end', () => {
  test.each([1_000, 1_234, 20_000, 50_000])(
    'of an exception that ZenML knows, after %d entries',
    async (count) => {
      const failure = await failureWith(lines(count))
      expect(failure?.log).toEqual({ lines: [], left: undefined, missing: onlyFirst(count) })
      expect(failure?.fault).toMatchObject({ type: 'RuntimeError', message: 'loss is NaN' })
    },
  )

  test.each([1_000, 1_024, 5_000, 20_000, 32_768, 50_000])(
    'of a step that was killed, after %d entries',
    async (count) => {
      const failure = await failureWith(lines(count), { isKilled: true })
      expect(failure?.log).toEqual({ lines: [], left: undefined, missing: mayBeCut(count) })
    },
  )

  test('with pieces of one record, which count one by one', async () => {
    const piece = (i: number): Entry => ({ message: `part ${i}`, chunk_index: i % 10, total_chunks: 10 })
    const pieces = Array.from({ length: 20_000 }, (_, i) => piece(i))
    const failure = await failureWith(pieces, { isKilled: true })
    expect(failure?.log.missing).toBe(mayBeCut(20_000))
  })

  test('in the middle of a record', async () => {
    const cut = [...lines(10), { message: 'a long', chunk_index: 0, total_chunks: 2 }]
    const failure = await failureWith(cut)
    expect(failure?.log.missing).toBe('the server gives only the beginning of the log, not its end')
  })

  test('where it is one text of 16 MiB, as before 0.85', async () => {
    const failure = await failureWith('é'.repeat(8 * 1024 * 1024), { version: '0.74.0' })
    expect(failure?.log.missing).toBe('the server gives only the beginning of the log, not its end')
  })

  test('and no exception is read from it that was survived', async () => {
    const survived = [EXCEPTION, ...lines(19_999)]
    const failure = await failureWith(survived, { isKilled: true })
    expect(failure?.fault).toBeUndefined()
  })
})

describe('a log that is whole is shown', () => {
  test.each([
    ['ends in the record of the exception', [...lines(1_233), EXCEPTION]],
    ['has a few lines of other threads behind it', [...lines(1_229), EXCEPTION, ...lines(4)]],
  ])('if it %s', async (_title, log) => {
    const failure = await failureWith(log)
    expect(failure?.log.missing).toBeUndefined()
    expect(failure?.log.lines).toHaveLength(3)
    // The record of the exception has four lines.
    expect(failure?.log.left).toBe(log.length)
  })

  test('if it is short, whatever it ends in', async () => {
    const failure = await failureWith(lines(999))
    expect(failure?.log).toEqual({
      lines: ['line 996', 'line 997', 'line 998'],
      left: 996,
      missing: undefined,
    })
  })

  test('if nothing speaks for a cut', async () => {
    const failure = await failureWith(lines(1_234), { isKilled: true })
    expect(failure?.log).toMatchObject({ lines: expect.arrayContaining(['line 1233']), left: 1_231 })
  })

  test('without a number of lines before it, if the server may have cut its beginning (Datadog)', async () => {
    const failure = await failureWith([...lines(999), EXCEPTION])
    expect(failure?.log).toMatchObject({ left: undefined, missing: undefined })
    expect(failure?.log.lines.at(-1)).toBe('RuntimeError: loss is NaN')
  })
})
