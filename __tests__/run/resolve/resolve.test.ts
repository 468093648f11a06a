import { afterEach, describe, expect, test } from '@jest/globals'
import type { Fault, PipelineSpec } from '../../../simulator/index.ts'
import type { RunEvent } from '../../../src/run/events.ts'
import { resolveRun, type ResolveRequest } from '../../../src/run/resolve/resolve.ts'
import { closeScenes, openScene, until } from '../scene.ts'
import {
  asking,
  askingChild,
  RESOLVE,
  CONDITION,
  statusOf,
  YES,
  asked,
  errorOf,
  bodies,
  always,
  GATEWAY,
} from './asked.ts'

afterEach(closeScenes)

describe('a run that waits for a person', () => {
  test.each([
    ['paused', 5],
    ['still running', 600],
  ])('is answered when it is %s, and goes on to its end', async (_, patience) => {
    const { scene, id, name, answer } = await asked(patience)
    expect(statusOf(scene)).toBe(patience === 5 ? 'paused' : 'running')
    const outcome = await answer()
    expect(outcome).toEqual({
      conclusion: 'resolved',
      status: 'running',
      error: undefined,
      failedStep: undefined,
    })
    expect(bodies(scene)).toEqual([YES])
    expect(scene.events.at(-1)).toEqual({
      kind: 'ended',
      sentence: expect.stringMatching(
        `^The question "Deploy this model\\?" of the run "${name}" was answered: continue: http\\S+${id}$`,
      ),
    })
    await scene.clock.sleep(600_000)
    expect(statusOf(scene)).toBe('completed')
  })

  test('is found by its exact name', async () => {
    const { scene, name, answer } = await asked()
    expect(await answer({ run: name })).toMatchObject({ conclusion: 'resolved' })
    expect(bodies(scene)).toEqual([YES])
  })

  test.each([5, 600])('is stopped by abort, without an answer (patience %d s)', async (patience) => {
    const { scene, answer } = await asked(patience)
    const outcome = await answer({ resolution: 'abort', result: undefined })
    expect(outcome).toMatchObject({ conclusion: 'resolved', status: 'stopped', error: undefined })
    expect(bodies(scene)).toEqual([{ resolution: 'abort' }])
  })

  test('is answered where its child run asks', async () => {
    const { scene, answer } = await asked(5, { pipelines: [askingChild] })
    expect(await answer()).toMatchObject({ conclusion: 'resolved' })
    await scene.clock.sleep(600_000)
    expect(scene.server.runs.map(({ status }) => status)).toEqual(['completed', 'completed'])
  })
})

describe('a run that asks while its child run asks, too', () => {
  const both: PipelineSpec = {
    ...asking(600),
    child: { ...askingChild.child!, wait: { name: 'stage', question: 'Stage it?', patience: 600 } },
  }

  test('needs the question that is meant, and nothing is answered without it', async () => {
    const { scene, name, answer } = await asked(600, { pipelines: [both] })
    expect(await errorOf(answer())).toBe(
      `run: "${name}" and its child runs ask several questions: "Deploy this model?", "Stage it? (run ${scene.server.runs[1]!.id})". Set question to the one to answer, or give the ID of the run that asks it`,
    )
    expect(bodies(scene)).toEqual([])
  })

  test('is answered itself where both ask the same', async () => {
    const pipelines = [{ ...asking(600), child: { ...asking(600), name: 'child' } }]
    const { scene, answer } = await asked(600, { pipelines })
    expect(await answer({ question: 'Deploy this model?' })).toMatchObject({ conclusion: 'resolved' })
    const open = await Promise.all(
      scene.server.runs.map(async ({ id }) => (await scene.client.dag(id)).questions),
    )
    expect(open.map(({ length }) => length)).toEqual([0, 1])
  })

  test.each(['Deploy this model?', 'Stage it?'])('is answered by its question: %s', async (question) => {
    const { scene, answer } = await asked(600, { pipelines: [both] })
    expect(await answer({ question })).toMatchObject({ conclusion: 'resolved' })
    expect(bodies(scene)).toEqual([YES])
  })
})

describe('the question that is meant', () => {
  test.each([
    ['text', 'Deploy this model?'],
    ['text, spaced otherwise', ' Deploy  this model? '],
    ['name', 'deploy'],
  ])('is answered by its %s', async (_, question) => {
    const { scene, answer } = await asked()
    expect(await answer({ question })).toMatchObject({ conclusion: 'resolved' })
    expect(bodies(scene)).toEqual([YES])
  })

  test('is the only one that is answered: a later question of the run gets nothing', async () => {
    const { scene, id, name, answer } = await asked(600)
    await answer({ question: 'Deploy this model?' })
    scene.server.pause(id, 'Delete the old model?')
    expect(await errorOf(answer({ question: 'Deploy this model?' }))).toMatch(
      `question: the run "${name}" asks something else: "Delete the old model?". Nothing was answered: http`,
    )
    expect(bodies(scene)).toHaveLength(1)
  })
})

describe('nothing is answered', () => {
  test('of a run that asks nothing any more, where a step is repeated', async () => {
    const { scene, name, answer } = await asked()
    await answer()
    expect(await errorOf(answer())).toMatch(`run: the run "${name}" is not waiting for an answer; it is `)
    await scene.clock.sleep(600_000)
    expect(await errorOf(answer())).toMatch('is not waiting for an answer; it is completed')
    expect(bodies(scene)).toHaveLength(1)
  })

  test('of a run that has failed, though its question is still open: an answer would start it again', async () => {
    const { scene, id, answer } = await asked()
    scene.server.setStatus(id, 'failed')
    expect(await errorOf(answer())).toMatch('is not waiting for an answer; it is failed')
    expect(bodies(scene)).toEqual([])
  })

  test('of a run that is being stopped', async () => {
    const { scene, id, answer } = await asked()
    await scene.client.stop(id, { graceful: true })
    expect(await errorOf(answer())).toMatch('is not waiting for an answer; it is stopping')
    expect(bodies(scene)).toEqual([])
  })

  test('on a server before 0.95', async () => {
    const scene = await openScene({ version: '0.85.0' })
    await scene.execute({ wait: false })
    const deps = { ...scene.dependencies(), cancelled: new AbortController().signal }
    expect(
      await errorOf(
        resolveRun({ run: scene.started[0]!.id, project: undefined, question: undefined, ...YES }, deps),
      ),
    ).toMatch('run: resolve/ needs ZenML 0.95 or newer, and this server is ZenML 0.85.0')
  })

  test('by an answer of another kind: the error has the schema, and the run waits on', async () => {
    const { scene, answer } = await asked()
    expect(await errorOf(answer({ result: 'maybe' }))).toMatch(
      /^answer: does not fit the question, which takes \{"type":"boolean"\} \(a JSON schema\)\. .*Value `maybe` does not match expected schema/,
    )
    expect(statusOf(scene)).toBe('paused')
    expect(bodies(scene)).toHaveLength(1)
  })

  test('by an answer of another kind, also where the question cannot be read afterwards', async () => {
    const { scene, answer } = await asked()
    const gone: Fault['do'] = { kind: 'answer', status: 404, body: '{"detail":["KeyError","gone"]}' }
    scene.server.addFault({ on: 'wait-condition', occurrence: 'always', do: gone })
    expect(await errorOf(answer({ result: 'yes' }))).toMatch(/does not match expected schema/)
  })

  test('by an answer to a question that takes none', async () => {
    const scene = await openScene()
    await scene.execute({ wait: false })
    const { id } = scene.started[0]!
    scene.server.pause(id, 'Go on?')
    const deps = { ...scene.dependencies(), cancelled: new AbortController().signal }
    const request = { run: id, project: undefined, question: undefined, resolution: 'continue' } as const
    expect(await errorOf(resolveRun({ ...request, result: true }, deps))).toMatch(
      /^answer: the question takes no answer; remove the input\. .*do not accept a result/,
    )
    expect(await resolveRun({ ...request, result: undefined }, deps)).toMatchObject({
      conclusion: 'resolved',
    })
    expect(bodies(scene)).toEqual([YES, { resolution: 'continue' }])
  })

  test('where the account has no permission, with the permission that it needs', async () => {
    const detail = [
      'IllegalOperationError',
      "Insufficient permissions to UPDATE resource 'pipeline_run/7b1f0c9e-7a3b-4e2d-8c6f-1b2a3c4d5e6f'.",
    ]
    const { scene, answer } = await asked(5, {
      faults: [always({ kind: 'answer', status: 403, body: JSON.stringify({ detail }) })],
    })
    expect(await errorOf(answer())).toMatch(
      /^Could not answer what the run asks: .*Give the account permission to update/,
    )
    expect(bodies(scene)).toHaveLength(1)
  })
})

describe('an answer of the server is lost', () => {
  test.each<[string, Fault['do']]>([
    ['the connection is reset', { kind: 'reset', when: 'after-work' }],
    ['a gateway gives up', { kind: 'cut', work: true }],
    ['a web page comes', { kind: 'html', status: 200, work: true }],
  ])('after it was taken (%s): it is sent once, and a look says so', async (_, fault) => {
    const { scene, answer } = await asked(5, { faults: [{ on: 'answer', do: fault }] })
    expect(await answer()).toMatchObject({ conclusion: 'resolved', error: undefined })
    expect(bodies(scene)).toHaveLength(1)
    expect(scene.sent(CONDITION)).toHaveLength(1)
  })

  test.each<[string, Fault['do']]>([
    ['the connection is reset', { kind: 'reset', when: 'before-work' }],
    ['502', GATEWAY],
    ["a gateway's own number", { kind: 'answer', status: 522, body: 'error code: 522' }],
    ['a web page', { kind: 'html', status: 200 }],
  ])('before it was taken (%s): a look says so, and it is sent again', async (_, fault) => {
    const { scene, answer } = await asked(5, { faults: [{ on: 'answer', do: fault }] })
    expect(await answer()).toMatchObject({ conclusion: 'resolved', error: undefined })
    expect(bodies(scene)).toEqual([YES, YES])
    const line = expect.stringMatching(/^Could not answer what the run asks: ./)
    expect(scene.events).toContainEqual(expect.objectContaining({ kind: 'retry', line }))
  })

  test('and nothing else comes: the outcome is unknown, and the error says where to look', async () => {
    const { scene, name, answer } = await asked(5, { faults: [always(GATEWAY)] })
    const outcome = await answer()
    expect(outcome).toMatchObject({ conclusion: 'lost', status: 'paused' })
    expect(outcome.error).toMatch(
      new RegExp(
        `^It is not known whether the answer reached the run "${name}": .*502.*\\. The question "Deploy this model\\?" of the run "${name}" may have been answered: http`,
      ),
    )
    expect(statusOf(scene)).toBe('paused')
    expect(bodies(scene).length).toBeGreaterThan(3)
  })
})

test('a server that wants to be left alone for a day is asked once more when two minutes are over', async () => {
  const headers = { 'retry-after': '86400' }
  const busy = { kind: 'answer', status: 429, body: '{"detail":"slow down"}', headers } as const
  const { scene, answer } = await asked(5, { faults: [always(busy)] })
  const begin = scene.clock.elapsed()
  expect(await answer()).toMatchObject({ conclusion: 'lost' })
  expect(scene.clock.elapsed() - begin).toBeLessThan(180_000)
  expect(bodies(scene)).toHaveLength(2)
})

describe('what the server shows of the question', () => {
  const shown = (id: string, status: string, resolution?: string, result?: boolean): Fault['do'] => ({
    kind: 'answer',
    status: 200,
    body: JSON.stringify({ id, body: { status }, metadata: { resolution, result } }),
  })

  async function open() {
    const played = await asked()
    const [question] = (await played.scene.client.dag(played.id)).questions
    return { ...played, question: question!.id, fault: (fault: Fault) => played.scene.server.addFault(fault) }
  }

  test.each([
    ['abort', undefined],
    ['continue', false],
  ])(
    'a yes to another answer (%s, %s) is none: a look says that it is open, and it is sent again',
    async (resolution, result) => {
      const { scene, question, fault, answer } = await open()
      fault({ on: 'answer', do: shown(question, 'resolved', resolution, result) })
      expect(await answer()).toMatchObject({ conclusion: 'resolved' })
      expect(bodies(scene)).toEqual([YES, YES])
    },
  )

  test('one that has expired has no answer', async () => {
    const { question, fault, answer, name } = await open()
    fault({ on: 'answer', do: shown(question, 'expired') })
    fault({ on: 'wait-condition', do: shown(question, 'expired') })
    expect(await errorOf(answer())).toMatch(
      `The question "Deploy this model?" of the run "${name}" was closed without an answer. This answer was not recorded: http`,
    )
  })

  test.each<[string, Fault['occurrence'], string]>([
    ['for a while', { from: 1, to: 4 }, 'resolved'],
    ['for ever', 'always', 'lost'],
  ])(
    'as open %s, by a replica, though an answer was taken and lost: %j',
    async (_, occurrence, conclusion) => {
      const { scene, question, fault, answer } = await open()
      fault({ on: 'answer', do: { kind: 'reset', when: 'after-work' } })
      fault({ on: 'wait-condition', occurrence: occurrence!, do: shown(question, 'pending') })
      expect(await answer()).toMatchObject({ conclusion })
      expect(bodies(scene)).toEqual([YES, YES])
    },
  )

  test('as answered in this way before the step began: it says so', async () => {
    const { scene, id, question, fault, answer, name } = await open()
    await scene.client.resolveQuestion(question, YES)
    const metadata = { status: 'pending', question: 'Deploy this model?' }
    const node = {
      node_id: 'wait_condition/deploy',
      type: 'wait_condition',
      id: question,
      name: 'deploy',
      metadata,
    }
    const body = JSON.stringify({ id, status: 'paused', nodes: [node], edges: [] })
    fault({ on: 'dag', do: { kind: 'answer', status: 200, body } })
    expect(await answer()).toMatchObject({ conclusion: 'resolved' })
    expect(scene.events.at(-1)).toMatchObject({
      sentence: expect.stringMatching(`of the run "${name}" already had this answer: continue: http`),
    })
  })
})

describe('somebody else answers at the same time', () => {
  /** Between the look and the request; the request then meets a question that is answered. */
  async function overtaken(
    other: { resolution: string; result?: boolean },
    given: Partial<ResolveRequest> = {},
  ) {
    const played = await asked(5, { faults: [{ on: 'answer', do: { kind: 'reset', when: 'before-work' } }] })
    const { scene, id } = played
    const { questions } = await scene.client.dag(id)
    const done = played.answer(given)
    await until(() => scene.sent(RESOLVE).length === 1)
    await scene.client.resolveQuestion(questions[0]!.id, {
      resolution: other.resolution === 'abort' ? 'abort' : 'continue',
      result: other.result,
    })
    return { ...played, done }
  }

  test('with a different answer: the step fails, and says so', async () => {
    const { done, name } = await overtaken({ resolution: 'abort' })
    expect(await errorOf(done)).toMatch(
      `The question "Deploy this model?" of the run "${name}" already has a different answer (abort). This answer was not recorded: http`,
    )
  })

  test('with another value: the step fails as well', async () => {
    const { done } = await overtaken({ resolution: 'continue', result: false })
    expect(await errorOf(done)).toMatch('already has a different answer (continue, with another value)')
  })

  test('in the same way: that is as good', async () => {
    const { done, scene } = await overtaken({ resolution: 'continue', result: true })
    expect(await done).toMatchObject({ conclusion: 'resolved' })
    // Nobody knows whose it was.
    expect(scene.events.at(-1)).toMatchObject({
      sentence: expect.stringMatching(/ was answered: continue: /),
    })
  })
})

describe('the workflow is cancelled', () => {
  const aborted = AbortSignal.abort(new Error('cancelled'))

  test('before anything was sent: nothing is sent', async () => {
    const { scene, id, answer } = await asked()
    const outcome = await answer({}, { cancelled: aborted })
    expect(outcome).toMatchObject({
      conclusion: 'cancelled',
      error: `Cancelled before the run "${id}" was answered; nothing was sent`,
    })
    expect(bodies(scene)).toEqual([])
  })

  test('while the answer is under way, and no time is left: the error says that it may have arrived', async () => {
    const { scene, answer } = await asked(5, { faults: [{ on: 'answer', do: { kind: 'hang' } }] })
    const controller = new AbortController()
    const done = answer({}, { cancelled: controller.signal, signal: controller.signal })
    await until(() => scene.sent(RESOLVE).length > 0)
    controller.abort(new Error('cancelled'))
    expect(await done).toMatchObject({
      conclusion: 'cancelled',
      error: expect.stringMatching(/^Cancelled\. It is not known whether the answer reached the run/),
    })
    expect(bodies(scene)).toHaveLength(1)
  })

  test('between two tries: it is not sent again, and the error does not say that nobody looked', async () => {
    const { scene, id, name } = await asked(5, { faults: [always(GATEWAY)] })
    const controller = new AbortController()
    const tell = ({ kind }: RunEvent): void => {
      if (kind === 'retry') controller.abort()
    }
    const deps = { ...scene.dependencies(), reporter: { tell }, cancelled: controller.signal }
    const request = { run: id, project: undefined, question: undefined, ...YES } as const
    expect(await resolveRun(request, deps)).toMatchObject({
      conclusion: 'cancelled',
      error: expect.stringContaining(`the run "${name}": there was no time left to find out. The question`),
    })
    expect(bodies(scene)).toHaveLength(1)
    expect(scene.sent(CONDITION)).toHaveLength(1)
  })
})
