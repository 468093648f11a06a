import { expect, test } from '@jest/globals'
import { Questions } from '../../../src/run/watch/open-questions.ts'
import type { ChildRun } from '../../../src/zenml/model.ts'
import { startScripted, type Reply } from '../../http/scripted-server.ts'
import { openScriptedClient } from '../scripted-client.ts'

const PARENT = 'a0000000-0000-4000-8000-000000000000'
const child = (number: number, status = 'running'): ChildRun => ({
  id: `b0000000-0000-4000-8000-${String(number).padStart(12, '0')}`,
  name: `child-${number}`,
  status,
})

/** The graph of a run that asks one thing. */
const asking = (id: string, question: string): Reply => ({
  body: {
    id,
    status: 'running',
    nodes: [
      {
        node_id: 'wait/1',
        type: 'wait_condition',
        id: `c${id.slice(1)}`,
        name: 'wait',
        metadata: { status: 'pending', question },
      },
    ],
    edges: [],
  },
})
const hidden: Reply = { status: 403, body: { detail: ['IllegalOperationError', 'no'] } }

async function watched(answers: Record<string, Reply>) {
  const { url, requests } = await startScripted(
    ({ path }) => answers[/runs\/([^/]+)\/dag/.exec(path)?.[1] ?? ''] ?? { status: 404, body: {} },
  )
  const { client } = await openScriptedClient(url)
  const timeLimit = () => new AbortController().signal
  return { questions: new Questions(PARENT, { client, timeLimit }), requests }
}

test('a child run that the account may not read does not hide what the others ask', async () => {
  const { questions } = await watched({
    [child(1).id]: hidden,
    [child(2).id]: asking(child(2).id, 'Deploy?'),
  })
  await questions.note({ questions: [], childRuns: [child(1), child(2)] })
  expect(await questions.news('running')).toEqual([{ question: 'Deploy?' }])
})

test('all questions that are open at once are told at the same look', async () => {
  const { questions } = await watched({
    [child(1).id]: asking(child(1).id, 'Deploy to Europe?'),
    [child(2).id]: asking(child(2).id, 'Deploy to Asia?'),
  })
  await questions.note({ questions: [], childRuns: [child(1), child(2)] })
  expect(await questions.news('running')).toEqual([
    { question: 'Deploy to Europe?' },
    { question: 'Deploy to Asia?' },
  ])
  expect(await questions.news('running')).toEqual([])
})

test('what a child run asks is told once, also where it cannot be read as the run pauses', async () => {
  const answers = { [child(1).id]: asking(child(1).id, 'Deploy?'), [PARENT]: asking(PARENT, 'Deploy?') }
  const { questions } = await watched(answers)
  await questions.note({ questions: [], childRuns: [child(1)] })
  expect(await questions.news('running')).toEqual([{ question: 'Deploy?' }])
  answers[child(1).id] = hidden
  await questions.note({ questions: [], childRuns: [child(1)] })
  expect(await questions.news('paused')).toEqual([])
})

test('ten child runs are asked at each look, and none that has ended', async () => {
  const { questions, requests } = await watched({})
  const childRuns = [child(0, 'completed'), ...Array.from({ length: 12 }, (_, index) => child(index + 1))]
  await questions.note({ questions: [], childRuns })
  const asked = requests.map(({ path }) => /runs\/([^/]+)\/dag/.exec(path)?.[1])
  expect(asked.toSorted()).toEqual(Array.from({ length: 10 }, (_, index) => child(index + 1).id))
})
