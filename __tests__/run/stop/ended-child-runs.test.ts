import { describe, expect, test } from '@jest/globals'
import { VirtualClock } from '../../../simulator/index.ts'
import { Deadline } from '../../../src/base/deadline.ts'
import { FailureExplainer } from '../../../src/run/outcome/explain-failure.ts'
import { readEndedRun } from '../../../src/run/outcome/read-ended-run.ts'
import { ChildRuns } from '../../../src/run/stop/child-runs.ts'
import { stopRun } from '../../../src/run/stop/stop-run.ts'
import { leftClause, type StopResult } from '../../../src/run/stop/stop-result.ts'
import { AnswerError } from '../../../src/zenml/errors.ts'
import { RESET, startScripted, type Reply } from '../../http/scripted-server.ts'
import { openScriptedClient } from '../scripted-client.ts'

const TOP = 'a0000000-0000-4000-8000-000000000000'
const GOING = 'c0000000-0000-4000-8000-000000000000'
const STOPPED = 'd0000000-0000-4000-8000-000000000000'
const idOf = (index: number): string => `b0000000-0000-4000-8000-${String(index).padStart(12, '0')}`
const endedUpTo = (count: number): string[] => Array.from({ length: count }, (_, index) => idOf(index))
const refusal = (status: number): Reply => ({
  status,
  body: { detail: [status === 404 ? 'KeyError' : 'IllegalOperationError', 'no'] },
})

/** The graph of a run that has ended, though its step train is still said to run. */
const withStepLeft = (id: string, status: string): Reply => {
  const step = { node_id: 'step/t', type: 'step', id: 'f00', name: 'train', metadata: { status: 'running' } }
  return { body: { id, status, nodes: [step], edges: [] } }
}

type Answer = readonly string[] | Reply | (() => Reply | typeof RESET)

/** A run that failed, one that goes on, and which run has called which; what is not said has called nothing. */
async function family(called: Readonly<Record<string, Answer>>, { obeys = true } = {}) {
  let isGoing = true
  const statusOf = (id: string): string =>
    id === STOPPED ? 'stopped' : id !== GOING ? 'failed' : isGoing ? 'running' : 'stopped'
  const graph = (id: string, children: readonly string[]): Reply => {
    const nodes = children.map((child) => ({
      node_id: `child_run/${child}`,
      type: 'child_run',
      id: child,
      name: `child-${child.at(-1)}`,
      metadata: { status: statusOf(child) },
    }))
    return { body: { id, status: statusOf(id), nodes, edges: [] } }
  }
  const answerOf = (id: string): Reply | typeof RESET => {
    const answer = called[id] ?? []
    if (typeof answer === 'function') return answer()
    return Array.isArray(answer) ? graph(id, answer as readonly string[]) : (answer as Reply)
  }
  const { url, requests } = await startScripted(({ method, path }) => {
    const [, id = '', rest = ''] = /\/runs\/([^/?]+)\/?([a-z]*)/.exec(path) ?? []
    if (rest === 'dag') return answerOf(id)
    if (rest === 'stop' && id === GOING) {
      isGoing = !obeys
      return { body: null }
    }
    if (rest === 'stop') {
      return {
        status: 403,
        body: { detail: ['IllegalOperationError', 'Cannot update the status of a finished run.'] },
      }
    }
    if (method !== 'GET' || id === '') return { body: { total: 0, total_pages: 0, items: [] } }
    const body = { status: statusOf(id), in_progress: statusOf(id) === 'running' }
    return { body: { id, name: id, body, resources: { snapshot: { id, body: { is_dynamic: true } } } } }
  })
  const { client, reporter, events } = await openScriptedClient(url)
  const clock = new VirtualClock()
  const timeLimit = (): AbortSignal => new AbortController().signal
  return {
    events,
    graphsOf: (id: string) => requests.filter(({ path }) => path.includes(`/runs/${id}/dag`)),
    isStopped: () => !isGoing,
    stop: async (): Promise<StopResult> => {
      const deadline = new Deadline(clock, 60_000)
      const request = { runId: TOP, status: 'failed', graceful: false, reason: 'r', deadline }
      return stopRun(request, { client, clock })
    },
    named: async (): Promise<readonly string[]> => {
      const deps = { client, clock, timeLimit, reporter, logTail: 0 }
      const run = await client.run(TOP, { hydrate: false })
      const explainer = new FailureExplainer(deps)
      await readEndedRun(run, run, { isJudged: false, names: [] }, explainer, deps)
      return events.flatMap((event) => (event.kind === 'left-going-on' ? event.steps : []))
    },
  }
}

describe('what a child run has called that failed', () => {
  test.each([1, 11, 40])('is found and stopped below the last of %d', async (count) => {
    const { stop, isStopped } = await family({ [TOP]: endedUpTo(count), [idOf(count - 1)]: [GOING] })
    expect(await stop()).toMatchObject({ kind: 'ended' })
    expect(isStopped()).toBe(true)
  })

  test('is found five levels down, also where the graphs make a circle', async () => {
    const { stop, isStopped } = await family({
      [TOP]: [idOf(0)],
      [idOf(0)]: [idOf(1), idOf(0)],
      [idOf(1)]: [idOf(2), idOf(0)],
      [idOf(2)]: [idOf(3), TOP],
      [idOf(3)]: [GOING],
    })
    expect(await stop()).toMatchObject({ kind: 'ended' })
    expect(isStopped()).toBe(true)
  })

  test('is read once where nothing of it goes on', async () => {
    const { stop, graphsOf } = await family({ [TOP]: endedUpTo(2), [idOf(1)]: [GOING] })
    expect(await stop()).toMatchObject({ kind: 'ended' })
    expect(graphsOf(idOf(0))).toHaveLength(1)
    expect(graphsOf(idOf(1)).length).toBeGreaterThan(1)
  })

  test('is nothing where it was deleted', async () => {
    const { stop, graphsOf } = await family({ [TOP]: [idOf(0)], [idOf(0)]: refusal(404) })
    expect(await stop()).toMatchObject({ kind: 'ended', status: 'failed' })
    expect(graphsOf(idOf(0))).toHaveLength(1)
  })

  test('is in doubt where it may not be read: it is named, and what else goes on is stopped', async () => {
    const { stop, isStopped } = await family({ [TOP]: [idOf(0), GOING], [idOf(0)]: refusal(403) })
    const result = await stop()
    expect(result).toMatchObject({ kind: 'left-over', status: 'failed' })
    expect(result.kind === 'left-over' && leftClause(result.left)).toMatch(
      /^the child run "child-0" \(b0000000-\S+0\) may have called others that still run: Could not read the run's steps: the server answered 403 /,
    )
    expect(isStopped()).toBe(true)
  })

  test('is asked for again after a failure in passing, and meanwhile what else goes on is stopped', async () => {
    let times = 0
    const { stop, isStopped } = await family({
      [TOP]: [idOf(0), GOING],
      [idOf(0)]: () => ((times += 1) <= 2 ? RESET : refusal(404)),
    })
    expect(await stop()).toMatchObject({ kind: 'ended' })
    expect(times).toBe(3)
    expect(isStopped()).toBe(true)
  })

  test('does not keep what else goes on from being stopped, where it can never be read', async () => {
    const { stop, isStopped } = await family({ [TOP]: [idOf(0), GOING], [idOf(0)]: () => RESET })
    expect(await stop()).not.toMatchObject({ kind: 'ended' })
    expect(isStopped()).toBe(true)
  })

  test.each([RESET, { status: 500, body: { detail: ['RuntimeError', 'x'] } }] as const)(
    'is stopped below one although what another has called can never be read (%j)',
    async (answer) => {
      const called = { [TOP]: [idOf(0), idOf(1)], [idOf(0)]: () => answer, [idOf(1)]: [GOING] }
      const { stop, isStopped } = await family(called)
      expect(await stop()).not.toMatchObject({ kind: 'ended' })
      expect(isStopped()).toBe(true)
    },
  )

  test.each([
    ['could not be read at first is in doubt no more once it was', 403, 2],
    ['was deleted is not read again', 404, 1],
  ])('%s', async (_, status, reads) => {
    const error = new AnswerError(
      'read it',
      { status, body: JSON.stringify(refusal(status).body), headers: {} },
      0,
    )
    let times = 0
    const calledBy = () =>
      (times += 1) === 1 ? Promise.reject(error) : Promise.resolve({ steps: [], childRuns: [] })
    const childRuns = new ChildRuns(new Set(), () => Promise.reject(new Error('nothing goes on')), calledBy)
    for (let look = 0; look < 2; look += 1)
      await childRuns.stop([{ id: idOf(0), name: 'child-0', status: 'failed' }])
    const own = { kind: 'ended', status: 'failed', byItself: true } as const
    expect(await childRuns.together(own)).toEqual(own)
    expect(times).toBe(reads)
  })

  test.each([
    [
      'failed',
      idOf(0),
      /^the child run "child-0" \(b0000000-\S+0\) is failed, and these steps ran when ZenML last heard of them: train$/,
      'train of the child run child-0, when ZenML last heard of it',
    ],
    [
      'was stopped',
      STOPPED,
      /^the child run "child-0" \(d0000000-\S+0\) is stopped, and its steps still run: train$/,
      'train of the child run child-0',
    ],
  ])(
    '%s and has steps that still run: nothing is said to be stopped, and they are named',
    async (_, id, left, name) => {
      const { stop, named } = await family({ [TOP]: [id], [id]: withStepLeft(id, 'stopped') })
      const result = await stop()
      expect(result.kind === 'left-over' && leftClause(result.left)).toMatch(left)
      expect(await named()).toEqual([name])
    },
  )

  test('may be long over where ZenML last heard of it as running: one that surely goes on is named first', async () => {
    const dead = withStepLeft(idOf(0), 'failed')
    const { stop } = await family({ [TOP]: [idOf(0), GOING], [idOf(0)]: dead }, { obeys: false })
    const result = await stop()
    expect(result.kind === 'left-over' && leftClause(result.left)).toMatch(
      /^the child run "child-0" \(c0000000-\S+0\) \(and 1 more\) had not ended in time \(last status: running\)$/,
    )
  })

  test('is looked for below five hundred, and of more it is said that they were not read', async () => {
    expect(await (await family({ [TOP]: endedUpTo(500) })).stop()).toMatchObject({ kind: 'ended' })
    const result = await (await family({ [TOP]: endedUpTo(501) })).stop()
    expect(result.kind === 'left-over' && leftClause(result.left)).toBe(
      'more than 500 child runs failed or were stopped, and what the others have called was not read',
    )
  })

  test('is read at most once for each level below, where all have failed', async () => {
    const reads: string[] = []
    const calledBy = (id: string) => {
      reads.push(id.at(-1)!)
      const childRuns = id === idOf(0) ? [{ id: idOf(1), name: 'child-1', status: 'failed' }] : []
      return Promise.resolve({ steps: [], childRuns })
    }
    const childRuns = new ChildRuns(new Set(), () => Promise.reject(new Error('nothing goes on')), calledBy)
    for (let look = 0; look < 5; look += 1)
      await childRuns.stop([{ id: idOf(0), name: 'child-0', status: 'failed' }])
    expect(reads).toEqual(['0', '1', '0'])
  })
})

describe('at the end of a run that failed, its child runs that go on are named', () => {
  test.each([
    [1, ['the child run child-0']],
    [10, ['the child run child-0']],
    // No more are read.
    [11, []],
  ])('also below the last of %d that failed: %j', async (count, expected) => {
    const { named } = await family({ [TOP]: endedUpTo(count), [idOf(count - 1)]: [GOING] })
    expect(await named()).toEqual(expected)
  })

  test('also where another one that failed cannot be read', async () => {
    const { named } = await family({ [TOP]: [idOf(0), GOING], [idOf(0)]: refusal(403) })
    expect(await named()).toEqual(['the child run child-0'])
  })
})
