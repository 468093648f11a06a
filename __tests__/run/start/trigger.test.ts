import { afterEach, describe, expect, test } from '@jest/globals'
import { ZENML_VERSIONS, type FaultAction } from '../../../simulator/index.ts'
import { closeScenes, hindrances, openScene, TRIGGER, type Scene } from '../scene.ts'

afterEach(closeScenes)

const KEYS = (scene: Scene): Set<unknown> =>
  new Set(
    scene.server.requests
      .filter(({ path, method }) => TRIGGER.test(`${method} ${path}`))
      .map(({ headers }) => headers['idempotency-key']),
  )

const alive = (scene: Scene): number => scene.server.runs.filter(({ gone }) => !gone).length

describe.each(ZENML_VERSIONS)('exactly one run on ZenML %s', (version) => {
  const lost: [string, FaultAction, boolean][] = [
    ['the connection is reset before the server did anything', { kind: 'reset', when: 'before-work' }, false],
    ['the connection is reset after the run was started', { kind: 'reset', when: 'after-work' }, true],
    ['the answer is cut after the run was started', { kind: 'cut', work: true }, true],
    ['the answer is cut and nothing was started', { kind: 'cut', work: false }, false],
    [
      'a proxy answers 502 with HTML after the run was started',
      { kind: 'html', status: 502, work: true },
      true,
    ],
    ['a proxy answers 504 with HTML and nothing was started', { kind: 'html', status: 504 }, false],
    [
      'a web page comes with status 200 after the run was started',
      { kind: 'html', status: 200, work: true },
      true,
    ],
    ['408 comes after the run was started', { kind: 'answer', status: 408, body: '{}', work: true }, true],
    [
      '500 in plain text comes after the run was started',
      { kind: 'answer', status: 500, body: 'Internal Server Error', contentType: 'text/plain', work: true },
      true,
    ],
    [
      '200 with a foreign body comes after the run was started',
      { kind: 'answer', status: 200, body: '{"ok":true}', work: true },
      true,
    ],
    [
      '200 with another run comes after ours was started',
      {
        kind: 'answer',
        status: 200,
        body: JSON.stringify({ id: 'f00', name: 'another', body: { status: 'running' } }),
        work: true,
      },
      true,
    ],
  ]
  test.each(lost)('when %s', async (_name, action, started) => {
    const scene = await openScene({ version, faults: [{ on: 'trigger', do: action }] })
    const result = await scene.execute()
    expect(result.conclusion).toBe('completed')
    expect(scene.server.runs).toHaveLength(1)
    expect(scene.sent(TRIGGER)).toHaveLength(started ? 1 : 2)
    expect(KEYS(scene).size).toBe(1)
    expect(scene.events.find(({ kind }) => kind === 'started')).toMatchObject({ adopted: started })
    expect(hindrances(scene)).toEqual(started ? [] : ['unclear'])
  })

  test('when the answer is lost, the run is looked up by its name twice before anything is sent again', async () => {
    const scene = await openScene({
      version,
      faults: [{ on: 'trigger', do: { kind: 'reset', when: 'before-work' } }],
    })
    await scene.execute({ wait: false })
    const order = scene.sent(/^POST .*\/runs$|^GET .*\/runs\?/).map((line) => line.slice(0, 4))
    expect(order).toEqual(['POST', 'GET ', 'GET ', 'POST'])
  })

  test('when the server limits requests, the same request is sent again after Retry-After', async () => {
    const action: FaultAction = {
      kind: 'answer',
      status: 429,
      body: '{"detail":"slow down"}',
      headers: { 'retry-after': '17' },
    }
    const scene = await openScene({ version, faults: [{ on: 'trigger', do: action }] })
    await scene.execute({ wait: false })
    const [first, second] = scene.server.requests.filter(({ method, path }) =>
      TRIGGER.test(`${method} ${path}`),
    )
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(17_000)
    expect(second?.body).toBe(first?.body)
    expect(KEYS(scene).size).toBe(1)
  })

  test('when the token expires in the middle, the action logs in again and sends the same request', async () => {
    const scene = await openScene({ version })
    await scene.client.info()
    scene.server.addFault({
      on: 'trigger',
      do: { kind: 'answer', status: 401, body: '{"detail":["CredentialsNotValid","expired"]}' },
    })
    await scene.execute({ wait: false })
    expect(scene.sent(/\/login$/)).toHaveLength(2)
    expect(scene.server.runs).toHaveLength(1)
    expect(KEYS(scene).size).toBe(1)
  })

  test('when there is never a free slot, the step ends at trigger-timeout and says that nothing was started', async () => {
    const full: FaultAction = {
      kind: 'answer',
      status: 429,
      body: '{"detail":"Maximum number of concurrent snapshot tasks reached."}',
    }
    const scene = await openScene({ version, faults: [{ on: 'trigger', occurrence: 'always', do: full }] })
    const request = scene.execute({ triggerTimeoutMs: 120_000 })
    await expect(request).rejects.toThrow(
      /^No run could be started within trigger-timeout\. Last: .*429.*\. Nothing was started$/,
    )
    expect(scene.server.runs).toHaveLength(0)
    expect(scene.settled).toHaveLength(1)
  })

  test('when something else than ZenML limits requests for ever, the step does not claim that nothing was started', async () => {
    const scene = await openScene({
      version,
      faults: [{ on: 'trigger', occurrence: 'always', do: { kind: 'answer', status: 429, body: '{}' } }],
    })
    await expect(scene.execute({ triggerTimeoutMs: 120_000 })).rejects.toMatchObject({
      conclusion: 'lost',
      message: expect.stringMatching(/Last: .*429.*\. The server may still be working on it: look for a run/),
    })
    expect(scene.settled).toEqual([])
  })

  test('when every answer is lost, the step ends at trigger-timeout and says what to look for', async () => {
    const action: FaultAction = { kind: 'reset', when: 'before-work' }
    const scene = await openScene({ version, faults: [{ on: 'trigger', occurrence: 'always', do: action }] })
    const request = scene.execute({ triggerTimeoutMs: 120_000 })
    await expect(request).rejects.toThrow(
      /look for a run named "training-gh4711-1-[0-9a-f]{8}-[0-9a-f]{12}" before you start another$/,
    )
    await expect(request).rejects.toMatchObject({ conclusion: 'lost' })
  })

  test('a definite no is not tried again', async () => {
    const body = {
      detail: ['IllegalOperationError', "Insufficient permissions to CREATE resource 'pipeline_run'."],
    }
    const scene = await openScene({
      version,
      faults: [{ on: 'trigger', do: { kind: 'answer', status: 403, body: JSON.stringify(body) } }],
    })
    await expect(scene.execute()).rejects.toThrow(
      "Could not start the run: the server answered 403 IllegalOperationError: Insufficient permissions to CREATE resource 'pipeline_run'. " +
        'Give the account permission to create pipeline runs',
    )
    expect(scene.sent(TRIGGER)).toHaveLength(1)
  })
})

/** A 429 that asks for so many seconds of patience. */
function limitedFor(seconds: number, detail: string): FaultAction {
  const headers = { 'retry-after': String(seconds) }
  return { kind: 'answer', status: 429, body: JSON.stringify({ detail }), headers }
}

describe.each(['0.85.0', '0.98.0'] as const)('a busy server, ZenML %s', (version) => {
  test('"Server too busy" is asked again with the same key and gives the one run', async () => {
    const scene = await openScene({ version, triggerSeconds: 45, requestTimeout: 20 })
    const result = await scene.execute()
    expect(result.conclusion).toBe('completed')
    expect(scene.server.runs).toHaveLength(1)
    expect(KEYS(scene).size).toBe(1)
    expect(new Set(hindrances(scene))).toEqual(new Set(['working']))
  })

  test('a refusal after "Server too busy" is only about that sending: the run that was made is followed', async () => {
    const tooBusy = '{"detail":"Server too busy. Please try again later."}'
    const refusal = `{"detail":["IllegalOperationError","Insufficient permissions to CREATE resource 'pipeline_run'."]}`
    const scene = await openScene({
      version,
      faults: [
        { on: 'trigger', occurrence: 1, do: { kind: 'answer', status: 429, body: tooBusy, work: true } },
        { on: 'trigger', occurrence: 2, do: { kind: 'answer', status: 403, body: refusal } },
      ],
    })
    const result = await scene.execute()
    expect(result).toMatchObject({ conclusion: 'completed', runId: scene.server.runs[0]?.id })
    expect(scene.server.runs).toHaveLength(1)
  })

  test('a key that is stuck for ever is given up after a minute, and the same name goes out with a new key', async () => {
    const scene = await openScene({ version, faults: [{ on: 'trigger', do: { kind: 'too-busy-forever' } }] })
    const result = await scene.execute()
    expect(result.conclusion).toBe('completed')
    expect(scene.server.runs).toHaveLength(1)
    expect(KEYS(scene).size).toBe(2)
    expect(new Set(scene.planned.map(({ name }) => name)).size).toBe(1)
    const telling = scene.events.find(({ kind }) => kind === 'new-key')
    expect(telling).toMatchObject({ kind: 'new-key' })
  })

  test('a key is only stuck if the server is busy with it all the time', async () => {
    const busy = limitedFor(40, 'Server too busy. Please try again later.')
    const scene = await openScene({
      version,
      faults: [
        { on: 'trigger', occurrence: 1, do: busy },
        { on: 'trigger', occurrence: 2, do: limitedFor(40, 'slow down') },
        { on: 'trigger', occurrence: 3, do: busy },
      ],
    })
    await scene.execute({ wait: false })
    expect(hindrances(scene)).toEqual(['working', 'limited', 'working'])
    expect(KEYS(scene).size).toBe(1)
  })

  test('without a free slot the step waits for one', async () => {
    const scene = await openScene({
      version,
      faults: [{ on: 'trigger', occurrence: { from: 1, to: 5 }, do: { kind: 'no-slot' } }],
    })
    const result = await scene.execute()
    expect(result.conclusion).toBe('completed')
    expect(alive(scene)).toBe(1)
    expect(hindrances(scene)).toEqual(Array.from({ length: 5 }, () => 'no-slot'))
    expect(KEYS(scene).size).toBe(1)
  })

  test('three slots for two runs: the third waits until one is free', async () => {
    const scene = await openScene({ version, maxConcurrentRuns: 2, startupSeconds: 90 })
    const requesters = ['a', 'b', 'c'].map((stepIdentity) => ({
      workflowRunId: '1',
      attempt: 1,
      stepIdentity,
    }))
    const results = await Promise.all(requesters.map((requester) => scene.execute({ requester })))
    expect(results.map(({ conclusion }) => conclusion)).toEqual(['completed', 'completed', 'completed'])
    expect(alive(scene)).toBe(3)
  })
})

test('a 409 about a run that is not shown is only a no if it comes for a minute without another answer', async () => {
  const conflict: FaultAction = {
    kind: 'answer',
    status: 409,
    body: '{"detail":"the snapshot is being deleted"}',
    headers: { 'retry-after': '40' },
  }
  const scene = await openScene({
    faults: [
      { on: 'trigger', occurrence: 1, do: conflict },
      { on: 'trigger', occurrence: 2, do: limitedFor(40, 'slow down') },
      { on: 'trigger', occurrence: 3, do: conflict },
    ],
  })
  expect(await scene.execute({ wait: false })).toMatchObject({ conclusion: 'started' })
  expect(hindrances(scene)).toEqual(['name-vanished', 'limited', 'name-vanished'])
})

test('ZenML 0.74.0: a name that was taken by an earlier sending is found at once, and that run is followed', async () => {
  const scene = await openScene({
    version: '0.74.0',
    faults: [
      { on: 'trigger', do: { kind: 'answer', status: 429, body: '{"detail":"slow down"}', work: true } },
    ],
  })
  const from = scene.clock.now()
  const result = await scene.execute({ wait: false })
  expect(result).toMatchObject({ conclusion: 'started', runId: scene.server.runs[0]?.id })
  expect(scene.server.runs).toHaveLength(1)
  expect(scene.sent(TRIGGER)).toHaveLength(2)
  expect(scene.clock.now() - from).toBeLessThan(60_000)
})

test('a run that is seen once and then deleted for want of a slot is not taken for ours', async () => {
  const scene = await openScene({
    faults: [
      { on: 'trigger', occurrence: 1, do: { kind: 'answer', status: 502, body: '', work: true } },
      {
        on: 'runs',
        occurrence: { from: 2, to: 3 },
        do: {
          kind: 'answer',
          status: 200,
          body: '{"total":0,"total_pages":0,"items":[]}',
        },
      },
    ],
  })
  const result = await scene.execute()
  expect(result.conclusion).toBe('completed')
  expect(scene.server.runs).toHaveLength(1)
  // Taken at first sight, it would not be asked for again.
  expect(scene.sent(TRIGGER)).toHaveLength(2)
})

describe("a user's own name", () => {
  test('that another step takes between the look-up and the sending is not adopted', async () => {
    const scene = await openScene()
    const other = await openScene()
    const taken = scene.execute({ runName: 'nightly', wait: false })
    const rival = scene.execute({ runName: 'nightly', wait: false })
    const [first, second] = await Promise.allSettled([taken, rival])
    expect([first.status, second.status].sort()).toEqual(['fulfilled', 'rejected'])
    const refused = [first, second].find((each) => each.status === 'rejected')
    expect(String(refused?.reason)).toMatch(/run-name: a run named "nightly" already exists/)
    expect(other.server.runs).toHaveLength(0)
  })

  test('is adopted after a lost answer, because the run has the mark that was sent', async () => {
    const scene = await openScene({ faults: [{ on: 'trigger', do: { kind: 'reset', when: 'after-work' } }] })
    const result = await scene.execute({ runName: 'nightly' })
    expect(result.conclusion).toBe('completed')
    expect(scene.server.runs).toHaveLength(1)
  })

  test('that is taken for a moment by a run without a slot is sent again', async () => {
    const taken = '{"detail":["EntityExistsError","A run of this name exists."]}'
    const scene = await openScene({
      faults: [
        { on: 'trigger', occurrence: 1, do: { kind: 'no-slot' } },
        { on: 'trigger', occurrence: 2, do: { kind: 'answer', status: 409, body: taken } },
      ],
    })
    expect(await scene.execute({ runName: 'nightly' })).toMatchObject({ conclusion: 'completed' })
    expect(scene.sent(TRIGGER)).toHaveLength(3)
    expect(alive(scene)).toBe(1)
  })

  describe('that a run has which the server does not show', () => {
    const TAKEN: FaultAction = {
      kind: 'answer',
      status: 409,
      body: '{"detail":["EntityExistsError","A run of this name exists."]}',
    }

    test('ends the step after a minute, and the error says what to do', async () => {
      const scene = await openScene({ faults: [{ on: 'trigger', occurrence: 'always', do: TAKEN }] })
      const from = scene.clock.elapsed()
      await expect(scene.execute({ runName: 'nightly' })).rejects.toThrow(
        /^run-name: the server says that a run named "nightly" already exists, but shows none: .*Make the name unique/,
      )
      expect(scene.clock.elapsed() - from).toBeGreaterThanOrEqual(60_000)
      expect(scene.clock.elapsed() - from).toBeLessThan(90_000)
    })

    test('may be its own after a lost answer: the error says where to look', async () => {
      const scene = await openScene({
        faults: [
          { on: 'trigger', occurrence: 1, do: { kind: 'cut', work: false } },
          { on: 'trigger', occurrence: { from: 2, to: 999 }, do: TAKEN },
        ],
      })
      const from = scene.clock.elapsed()
      await expect(scene.execute({ runName: 'nightly' })).rejects.toMatchObject({
        message: expect.stringMatching(/may still start it: look for a run named "nightly"$/),
        conclusion: 'lost',
      })
      expect(scene.clock.elapsed() - from).toBeLessThan(120_000)
    })
  })

  test('of a run of another template is not adopted after a lost answer', async () => {
    const scene = await openScene({
      faults: [{ on: 'trigger', occurrence: 1, do: { kind: 'reset', when: 'before-work' } }],
    })
    const mine = scene.execute({ runName: 'nightly' })
    const rival = scene.execute({
      target: { kind: 'template', reference: 'wide-template' },
      runName: 'nightly',
      wait: false,
    })
    const [first, second] = await Promise.allSettled([mine, rival])
    expect(second.status === 'fulfilled' || first.status === 'fulfilled').toBe(true)
    expect(scene.server.runs).toHaveLength(1)
    const owner = first.status === 'fulfilled' ? 'training' : 'wide'
    expect(scene.server.runs[0]?.templateId).toBe(scene.server.seeded.templates[`${owner}-template`])
  })
})

test('a server that dies in mid-work and comes back starts one run', async () => {
  const scene = await openScene({ triggerSeconds: 30 })
  const running = scene.execute()
  await untilTriggered(scene)
  await scene.server.restart({ downSeconds: 15 })
  expect((await running).conclusion).toBe('completed')
  expect(scene.server.runs).toHaveLength(1)
})

async function untilTriggered(scene: Scene): Promise<void> {
  while (scene.sent(TRIGGER).length === 0) await new Promise((resolve) => setImmediate(resolve))
}
