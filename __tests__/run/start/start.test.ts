import { afterEach, describe, expect, test } from '@jest/globals'
import { seededPipelines, ZENML_VERSIONS, type FaultAction } from '../../../simulator/index.ts'
import type { Target } from '../../../src/run/find/definition.ts'
import { closeScenes, hindrances, openScene, TRIGGER, type Scene } from '../scene.ts'

afterEach(closeScenes)

const triggers = (scene: Scene): number => scene.sent(TRIGGER).length

const html = (status: number): FaultAction => ({ kind: 'html', status, work: true })

const DENIED: FaultAction = {
  kind: 'answer',
  status: 403,
  body: '{"detail":["IllegalOperationError","no"]}',
}

/** The answer to a look for runs that finds this one. */
const foundRun = (run: object): FaultAction => ({
  kind: 'answer',
  status: 200,
  body: JSON.stringify({ total: 1, total_pages: 1, items: [run] }),
})

const MINUTE_MS = 60_000

/** What a database, a proxy or a server of another mind may make of a name. */
const CHANGES: readonly (readonly [title: string, change: (name: string) => string])[] = [
  ['with a space at its end', (name) => `${name} `],
  ['in capital letters', (name) => name.toUpperCase()],
  ['with other spaces', (name) => name.replaceAll(' ', '  ')],
  ['in the decomposed form of Unicode', (name) => name.normalize('NFD')],
]

describe.each(ZENML_VERSIONS)('ZenML %s: a name that the server keeps', (version) => {
  describe.each([
    ['of ours', undefined],
    ["of the user's own", 'Nightly é 1'],
  ])('%s', (_, runName) => {
    test.each(CHANGES)('%s starts one run, which is followed', async (_title, storesName) => {
      const scene = await openScene({ version, storesName })
      const result = await scene.execute({ runName })
      expect(result).toMatchObject({ conclusion: 'completed', runId: scene.server.runs[0]?.id })
      expect(scene.server.runs).toHaveLength(1)
      expect(triggers(scene)).toBe(1)
    })

    test.each(CHANGES)('%s is found after a lost answer', async (_title, storesName) => {
      const lost: FaultAction = { kind: 'reset', when: 'after-work' }
      const scene = await openScene({ version, storesName, faults: [{ on: 'trigger', do: lost }] })
      const result = await scene.execute({ runName })
      expect(result).toMatchObject({ conclusion: 'completed', runId: scene.server.runs[0]?.id })
      expect(scene.server.runs).toHaveLength(1)
      expect(triggers(scene)).toBe(1)
    })
  })

  test('in capital letters is the name by which the step speaks of the run', async () => {
    const scene = await openScene({ version, storesName: (name) => name.toUpperCase() })
    const layers = [{ source: 'configuration', value: { steps: { train: { parameters: { fail: 'x' } } } } }]
    const overrides = { layers, tags: undefined, enableCache: undefined }
    const result = await scene.execute({ runName: 'Nightly é 1', overrides })
    expect(result.error).toMatch(/^The run "NIGHTLY É 1" failed/)
    expect(scene.started).toMatchObject([{ id: result.runId, name: 'NIGHTLY É 1' }])
    expect(triggers(scene)).toBe(1)
  })

  test('as quite another one is followed by its id, and the log says it', async () => {
    const scene = await openScene({ version, storesName: () => 'something else' })
    const result = await scene.execute()
    expect(result).toMatchObject({ conclusion: 'completed', runId: scene.server.runs[0]?.id })
    expect(scene.started.at(-1)).toMatchObject({ name: 'something else' })
    expect(scene.events.find(({ kind }) => kind === 'started')).toMatchObject({ adopted: true })
    expect(triggers(scene)).toBe(1)
  })

  test('of a pipeline with braces in its name is one that ZenML changes nothing in', async () => {
    const [training] = seededPipelines(version)
    if (training === undefined) throw new Error('no pipeline')
    const scene = await openScene({ version, pipelines: [{ ...training, name: 'train_{time}' }] })
    const lost: FaultAction = { kind: 'reset', when: 'after-work' }
    scene.server.addFault({ on: 'trigger', do: lost })
    const target = { kind: 'template', reference: 'train_{time}-template' } as const
    const result = await scene.execute({ target })
    expect(result.conclusion).toBe('completed')
    expect(scene.server.runs.map(({ name }) => name)).toEqual([
      expect.stringMatching(/^train_time-gh4711-1-[0-9a-f]{8}-[0-9a-f]{12}$/),
    ])
  })
})

describe('an answer with a run in it', () => {
  const OTHER = '99999999-9999-4999-8999-999999999999'

  const another: FaultAction = {
    kind: 'answer',
    status: 200,
    body: JSON.stringify({ id: OTHER, name: 'another', body: { status: 'running' } }),
  }

  test('that is not of this step is not followed, and nothing is sent again', async () => {
    const scene = await openScene({ faults: [{ on: 'trigger', do: another }] })
    await expect(scene.execute()).rejects.toMatchObject({
      conclusion: 'lost',
      message: `The server answered the start with the run "another" (${OTHER}), but nothing shows that this step started it. It was left alone; check it before you start another`,
    })
    expect(triggers(scene)).toBe(1)
    expect(scene.settled).toEqual([])
    expect(scene.planned.at(-1)).toMatchObject({ answered: { id: OTHER, name: 'another' } })
  })

  test('that was started long before from the same template is not followed', async () => {
    const scene = await openScene()
    const first = await scene.execute({ runName: 'the first' })
    scene.clock.advance(10 * MINUTE_MS)
    const { id, name } = scene.server.runs[0] ?? {}
    scene.server.addFault({
      on: 'trigger',
      do: { ...another, body: JSON.stringify({ id, name, body: { status: 'completed' } }) },
    })
    await expect(scene.execute()).rejects.toMatchObject({ conclusion: 'lost' })
    expect(first.runId).toBe(id)
    expect(triggers(scene)).toBe(2)
  })

  test('is named even where the server cannot be asked about it', async () => {
    const scene = await openScene({
      faults: [
        { on: 'trigger', do: another },
        { on: 'runs', occurrence: 'always', do: DENIED },
      ],
    })
    await expect(scene.execute()).rejects.toThrow(
      new RegExp(
        `with the run "another" \\(${OTHER}\\), which could not be read \\(.*IllegalOperationError: no`,
      ),
    )
    expect(triggers(scene)).toBe(1)
  })
})

describe('clocks that differ', () => {
  test.each([
    ['ten minutes ahead', 10 * MINUTE_MS],
    ['a day behind', -24 * 60 * MINUTE_MS],
  ])("a run under the user's own name is found by a runner that is %s", async (_, byMs) => {
    const scene = await openScene({ faults: [{ on: 'trigger', do: { kind: 'reset', when: 'after-work' } }] })
    scene.setClock(byMs)
    const result = await scene.execute({ runName: 'nightly' })
    expect(result).toMatchObject({ conclusion: 'completed', runId: scene.server.runs[0]?.id })
    expect(triggers(scene)).toBe(1)
  })
})

test('of a namesake without a mark nobody says that nothing was started', async () => {
  // Newer servers know the key of the second sending, and answer with the run.
  const version = '0.74.0'
  const lost: FaultAction = { kind: 'reset', when: 'after-work' }
  const scene = await openScene({ version, faults: [{ on: 'trigger', do: lost }] })
  const nobody = { id: 'f0000000-0000-4000-8000-000000000000', name: 'nightly', body: { status: 'running' } }
  scene.server.addFault({
    on: 'runs',
    occurrence: { from: 2, to: 99 },
    do: foundRun(nobody),
  })
  await expect(scene.execute({ runName: 'nightly' })).rejects.toMatchObject({
    conclusion: 'lost',
    message: expect.stringMatching(
      /^run-name: a run named "nightly" \(f0{7}-.*\) appeared after this step checked the name, and nothing shows that this step started it/,
    ),
  })
  expect(scene.settled).toEqual([])
})

/** Proxies that look at answers let a request pass and then refuse what comes back. */
const REFUSALS: readonly (readonly [title: string, refusal: FaultAction])[] = [
  ['401 with a web page', html(401)],
  ['403 with a web page', html(403)],
  ['404 with a web page', html(404)],
  ['413 with a web page', html(413)],
  ['400 in JSON', { kind: 'answer', status: 400, body: '{"detail":"no"}', work: true }],
  ['429 with a web page', html(429)],
  ['a redirect', { kind: 'answer', status: 308, headers: { location: '/elsewhere' }, work: true }],
]

describe.each(REFUSALS)('%s that comes after the start', (_, refusal) => {
  test.each([undefined, 'nightly'])('hides no run (run-name: %s)', async (runName) => {
    const scene = await openScene({ faults: [{ on: 'trigger', do: refusal }] })
    const result = await scene.execute({ runName })
    expect(result).toMatchObject({ conclusion: 'completed', runId: scene.server.runs[0]?.id })
    expect(scene.server.runs).toHaveLength(1)
  })
})

describe.each(REFUSALS.filter(([title]) => !title.startsWith('429')))('%s', (_, refusal) => {
  const instead = { ...refusal, work: false }

  test('ends the step after one look that finds nothing, and leaves a later one to the post step', async () => {
    const scene = await openScene({ faults: [{ on: 'trigger', occurrence: 'always', do: instead }] })
    await expect(scene.execute()).rejects.toMatchObject({
      conclusion: 'lost',
      message: expect.stringMatching(
        /^Could not start the run: .* A request that was sent may still start it: look for a run named "training-gh4711/,
      ),
    })
    expect(triggers(scene)).toBe(1)
    expect(scene.sent(/^GET .*\/runs\?/)).toHaveLength(1)
    expect(scene.settled).toEqual([])
  })

  test('settles nothing if that look is not answered', async () => {
    const scene = await openScene({
      faults: [
        { on: 'trigger', occurrence: 'always', do: instead },
        { on: 'runs', occurrence: 'always', do: DENIED },
      ],
    })
    await expect(scene.execute()).rejects.toMatchObject({
      conclusion: 'lost',
      message: expect.stringMatching(
        /^Whether the run was started is not known .* under the name "training-gh4711/,
      ),
    })
    expect(scene.settled).toEqual([])
  })
})

describe("under the user's own name", () => {
  const NIGHTLY = { runName: 'nightly' }

  test.each([
    ["ZenML's own 409", { kind: 'answer', status: 409, body: '{"detail":["EntityExistsError","exists"]}' }],
    ['a 409 of something in between', { kind: 'html', status: 409 }],
  ] as const)('%s to the first sending hides no run that it started', async (_, refusal) => {
    const scene = await openScene({ faults: [{ on: 'trigger', do: { ...refusal, work: true } }] })
    const result = await scene.execute(NIGHTLY)
    expect(result).toMatchObject({ conclusion: 'completed', runId: scene.server.runs[0]?.id })
    expect(triggers(scene)).toBe(1)
  })

  test("the run is given a mark that tells it from other steps' runs, next to what the user put there", async () => {
    const scene = await openScene()
    const value = { extra: { team: 'vision', github_actions: { env: 'staging' } } }
    const layers = [{ source: 'configuration', value }]
    const overrides = { layers, tags: undefined, enableCache: undefined }
    await scene.execute({ ...NIGHTLY, overrides, wait: false })
    await scene.execute({ overrides, wait: false })
    const [named, own] = scene.server.requests
      .filter(({ method, path }) => TRIGGER.test(`${method} ${path}`))
      .map(({ body }) => body)
    expect(named).toMatch(
      /"extra":\{"team":"vision","github_actions":\{"env":"staging","start":"[0-9a-f-]{36}"\}\}/,
    )
    expect(own).toContain('"extra":{"team":"vision","github_actions":{"env":"staging"}}')
  })

  test('a 409 of something in between, without a run, settles nothing either', async () => {
    const always = { occurrence: 'always', do: { kind: 'html', status: 409 } } as const
    const scene = await openScene({ faults: [{ on: 'trigger', ...always }] })
    await expect(scene.execute(NIGHTLY)).rejects.toMatchObject({
      conclusion: 'lost',
      message: expect.stringMatching(/A request that was sent may still start it/),
    })
    expect(scene.settled).toEqual([])
  })

  test.each<[title: string, fault: FaultAction]>([
    ['while this step waited for a slot', { kind: 'no-slot' }],
    ['after a sending that did not arrive', { kind: 'reset', when: 'before-work' }],
  ])("another step's run that came up %s is left alone", async (_, fault) => {
    const scene = await openScene({ faults: [{ on: 'trigger', occurrence: 1, do: fault }] })
    const both = [scene.execute(NIGHTLY), scene.execute({ ...NIGHTLY, wait: false })]
    const ends = await Promise.allSettled(both)
    // Whichever of them is the first to send its trigger is the slow one.
    const byState = ends.toSorted((a, b) => a.status.localeCompare(b.status))
    expect(byState).toMatchObject([
      { status: 'fulfilled', value: { runId: scene.server.runs.at(-1)?.id } },
      { reason: { conclusion: 'failed', message: expect.stringMatching(/already exists/) } },
    ])
    expect(scene.sent(/^POST .*\/stop/)).toEqual([])
  })

  test('a run that had another spelling of it before is not taken for ours', async () => {
    const scene = await openScene()
    await scene.execute({ runName: 'Nightly', wait: false })
    scene.server.addFault({ on: 'trigger', do: { kind: 'reset', when: 'before-work' } })
    const result = await scene.execute(NIGHTLY)
    expect(scene.server.runs.map(({ name }) => name)).toEqual(['Nightly', 'nightly'])
    expect(result.runId).toBe(scene.server.runs[1]?.id)
  })
})

describe("from a run's own snapshot, which has no name", () => {
  async function openOwnSnapshot(): Promise<{ scene: Scene; target: Target }> {
    const scene = await openScene()
    const { runId } = await scene.execute({ runName: 'first', wait: false })
    const { url, apiKey } = scene.server
    const login = { method: 'POST', body: new URLSearchParams({ password: apiKey }) }
    const { access_token: token } = (await (await fetch(`${url}/api/v1/login`, login)).json()) as Record<
      string,
      string
    >
    const headers = { authorization: `Bearer ${token}` }
    const run = await (await fetch(`${url}/api/v1/runs/${runId}`, { headers })).json()
    const { id } = (run as { resources: { snapshot: { id: string } } }).resources.snapshot
    return { scene, target: { kind: 'snapshot', reference: id } }
  }

  test("a run under the user's own name is found after a lost answer", async () => {
    const { scene, target } = await openOwnSnapshot()
    scene.server.addFault({ on: 'trigger', do: { kind: 'reset', when: 'after-work' } })
    const result = await scene.execute({ target, runName: 'nightly' })
    expect(result).toMatchObject({ conclusion: 'completed', runId: scene.server.runs[1]?.id })
    expect(scene.server.runs).toHaveLength(2)
  })

  test('the run of an earlier attempt is taken up', async () => {
    const { scene, target } = await openOwnSnapshot()
    const first = await scene.execute({ target, resume: true, wait: false })
    const requester = { workflowRunId: '4711', attempt: 2, stepIdentity: '0a1b2c3d' }
    expect(await scene.execute({ target, resume: true, requester })).toMatchObject({ runId: first.runId })
    expect(scene.server.runs).toHaveLength(2)
  })
})

describe('where another spelling of the name is there already', () => {
  test.each<[title: string, first: FaultAction[]]>([
    ['a 409 of a gateway', [{ kind: 'html', status: 409, work: true }]],
    [
      'a lost answer, and then a 409',
      [
        { kind: 'answer', status: 502, body: '', work: true },
        { kind: 'answer', status: 409, body: '{"detail":["EntityExistsError","exists"]}' },
      ],
    ],
  ])('%s hides no run of ours', async (_, answers) => {
    const scene = await openScene()
    await scene.execute({ runName: 'Nightly', wait: false })
    const others = scene.server.runs[0]
    for (const [index, action] of answers.entries())
      scene.server.addFault({ on: 'trigger', occurrence: index + 1, do: action })
    // The list lags, and shows the other run alone.
    const item = {
      id: others?.id,
      name: 'Nightly',
      body: { status: 'running' },
      metadata: { config: { extra: { github_actions: { start: 'another' } } } },
    }
    const page = JSON.stringify({ total: 1, total_pages: 1, items: [item] })
    scene.server.addFault({
      on: 'runs',
      occurrence: { from: 3, to: 5 },
      do: { kind: 'answer', status: 200, body: page },
    })
    const result = await scene.execute({ runName: 'nightly' })
    expect(result).toMatchObject({ conclusion: 'completed', runId: scene.server.runs[1]?.id })
    expect(scene.server.runs).toHaveLength(2)
  })
})

test("a run of another spelling that is not ours does not make ZenML's no in passing the last word", async () => {
  const scene = await openScene()
  await scene.execute({ runName: 'Nightly', wait: false })
  const answers: FaultAction[] = [
    { kind: 'answer', status: 502, body: '' },
    { kind: 'answer', status: 404, body: JSON.stringify({ detail: ['KeyError', 'no such artifact'] }) },
  ]
  for (const [index, action] of answers.entries())
    scene.server.addFault({ on: 'trigger', occurrence: index + 1, do: action })
  expect(await scene.execute({ runName: 'nightly' })).toMatchObject({ conclusion: 'completed' })
  expect(scene.server.runs.map(({ name }) => name)).toEqual(['Nightly', 'nightly'])
})

test('a newer run of another spelling does not hide ours when the server says that the name is taken', async () => {
  const scene = await openScene()
  await scene.execute({ runName: 'Nightly', wait: false })
  scene.server.addFault({ on: 'trigger', do: { kind: 'answer', status: 502, body: '', work: true } })
  const exists = '{"detail":["EntityExistsError","exists"]}'
  scene.server.addFault({ on: 'trigger', occurrence: 2, do: { kind: 'answer', status: 409, body: exists } })
  // Neither has the name just as it was sent, so the list's order counts.
  const item = (index: number, start: string) => ({
    id: scene.server.runs[index]?.id,
    name: ['Nightly', 'NIGHTLY'][index],
    body: { status: 'running' },
    metadata: { config: { extra: { github_actions: { start } } } },
  })
  scene.server.addFault({
    on: 'runs',
    // The first two look before the start; the list lags at first, so that the trigger is sent again.
    occurrence: { from: 3, to: 20 },
    get do(): FaultAction {
      const sent = scene.server.requests.filter(({ body }) => body.includes('"run_name":"nightly"'))
      const mark = /"start":"([^"]+)"/.exec(sent.at(-1)?.body ?? '')?.[1] ?? ''
      const items = sent.length < 2 ? [item(0, 'another')] : [item(0, 'another'), item(1, mark)]
      const body = JSON.stringify({ total: items.length, total_pages: 1, items })
      return { kind: 'answer', status: 200, body }
    },
  })
  const result = await scene.execute({ runName: 'nightly' })
  expect(result).toMatchObject({ conclusion: 'completed', runId: scene.server.runs[1]?.id })
  expect(scene.server.runs).toHaveLength(2)
  // Of the other run one, of ours two.
  expect(triggers(scene)).toBe(3)
  // Ours is known at once, not only when the name has been waited for.
  expect(hindrances(scene)).not.toContain('name-vanished')
})

test('a name that is taken is refused at once, however many newer names hold it', async () => {
  const scene = await openScene()
  await scene.execute({ runName: 'training', wait: false })
  for (let index = 0; index < 101; index += 1)
    await scene.execute({ runName: `training-${index}`, wait: false })
  await expect(scene.execute({ runName: 'training' })).rejects.toThrow(
    /^run-name: a run named "training" already exists/,
  )
  expect(triggers(scene)).toBe(102)
})

test("ZenML's no after a limit of something else does not settle the step", async () => {
  const refusal = JSON.stringify({ detail: ['ValueError', 'no'] })
  const scene = await openScene({
    faults: [
      { on: 'trigger', occurrence: 1, do: { kind: 'answer', status: 429, body: 'slow down' } },
      { on: 'trigger', occurrence: 2, do: { kind: 'answer', status: 400, body: refusal } },
    ],
  })
  await expect(scene.execute()).rejects.toMatchObject({ conclusion: 'lost' })
  expect(scene.settled).toEqual([])
})

test("ZenML's own refusal is believed without a look", async () => {
  const body = '{"detail":["ValueError","The stack x has been updated since"]}'
  const scene = await openScene({ faults: [{ on: 'trigger', do: { kind: 'answer', status: 400, body } }] })
  await expect(scene.execute()).rejects.toThrow(/The stack x has been updated since/)
  expect(scene.sent(/^GET .*\/runs\?/)).toEqual([])
  expect(scene.settled).toHaveLength(1)
})

describe('a 409', () => {
  const conflict = (detail: unknown): FaultAction => ({
    kind: 'answer',
    status: 409,
    body: JSON.stringify({ detail }),
  })

  test('for another reason than a run that exists is a no after a minute of looks', async () => {
    const scene = await openScene({
      faults: [{ on: 'trigger', occurrence: 'always', do: conflict('the snapshot is being deleted') }],
    })
    const from = scene.clock.now()
    await expect(scene.execute()).rejects.toMatchObject({
      conclusion: 'lost',
      message: expect.stringMatching(
        /^Could not start the run: .* answered 409: the snapshot is being deleted/,
      ),
    })
    expect(scene.clock.now() - from).toBeGreaterThanOrEqual(MINUTE_MS)
    expect(scene.clock.now() - from).toBeLessThan(2 * MINUTE_MS)
  })

  test('about a run that the server never shows ends at trigger-timeout', async () => {
    const scene = await openScene({
      faults: [{ on: 'trigger', occurrence: 'always', do: conflict(['EntityExistsError', 'it exists']) }],
    })
    const from = scene.clock.now()
    await expect(scene.execute({ triggerTimeoutMs: 5 * MINUTE_MS })).rejects.toMatchObject({
      conclusion: 'lost',
    })
    expect(scene.clock.now() - from).toBeGreaterThanOrEqual(5 * MINUTE_MS)
  })
})

test('resume: a run that came from another template is not taken up, and the log says so', async () => {
  // Its templates name no snapshot, so the run and the template have nothing in common but that.
  const scene = await openScene({ version: '0.74.0' })
  const first = await scene.execute({ wait: false, resume: true })
  const { name, id } = scene.server.runs[0] ?? {}
  const other = { id, name, body: { status: 'completed' }, metadata: { template_id: 'another' } }
  scene.server.addFault({ on: 'runs', do: foundRun(other) })
  const requester = { workflowRunId: '4711', attempt: 2, stepIdentity: '0a1b2c3d' }
  const second = await scene.execute({ requester, resume: true, wait: false })
  expect(second.runId).not.toBe(first.runId)
  expect(scene.events.find(({ kind }) => kind === 'resume-foreign')).toMatchObject({ names: [name] })
})

describe('a permission that is refused after the run was made', () => {
  const refused: FaultAction = {
    kind: 'answer',
    status: 403,
    body: JSON.stringify({
      detail: ['IllegalOperationError', "Insufficient permissions to READ resource 'model'."],
    }),
    work: true,
  }

  test('settles nothing where the run cannot be looked up', async () => {
    const scene = await openScene({ faults: [{ on: 'trigger', do: refused }] })
    const away: FaultAction = {
      kind: 'answer',
      status: 404,
      body: '404 page not found',
      contentType: 'text/plain',
    }
    scene.server.addFault({ on: 'runs', occurrence: 'always', do: away })
    await expect(scene.execute()).rejects.toMatchObject({
      conclusion: 'lost',
      message: expect.stringMatching(
        /READ resource 'model'.*\. Whether the run ".*" was started is not known/,
      ),
    })
    expect(scene.settled).toEqual([])
  })
})

test('no Retry-After makes a step wait for longer than trigger-timeout', async () => {
  const scene = await openScene({ faults: [{ on: 'trigger', do: { kind: 'reset', when: 'before-work' } }] })
  const maintenance: FaultAction = { kind: 'answer', status: 503, headers: { 'retry-after': '86400' } }
  scene.server.addFault({ on: 'runs', occurrence: 'always', do: maintenance })
  const from = scene.clock.now()
  await expect(scene.execute({ triggerTimeoutMs: MINUTE_MS })).rejects.toMatchObject({ conclusion: 'lost' })
  expect(scene.clock.now() - from).toBeLessThanOrEqual(MINUTE_MS + 1_000)
})
