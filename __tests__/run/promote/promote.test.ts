import { afterEach, describe, expect, test } from '@jest/globals'
import { startPro, type Fault } from '../../../simulator/index.ts'
import { closeScenes, until } from '../scene.ts'
import { MODEL, openModels, type ModelScene } from './promotion.ts'

afterEach(closeScenes)

const model = expect.any(String)

describe('what is sent, and what is so afterwards', () => {
  test('a stage that nobody has is set without force, and looked at before and after', async () => {
    const scene = await openModels([null, null])
    const end = await scene.promote(2)
    expect(end).toMatchObject({
      conclusion: 'promoted',
      version: { number: 2, stage: 'production' },
      previous: undefined,
      sentence: `Version 2 of the model "${MODEL}" is in production now`,
    })
    expect(scene.puts()).toEqual([{ stage: 'production', force: false, model }])
    expect(scene.stages()).toEqual([null, 'production'])
    const lines = scene.sent(/model_versions/).map((line) => line.replace(/[0-9a-f-]{36}/g, 'ID'))
    expect(lines.filter((line) => line.startsWith('PUT') || line.includes('stage='))).toEqual([
      expect.stringMatching(/^GET .*\/models\/ID\/model_versions\?stage=production&/),
      'PUT /api/v1/model_versions/ID',
      expect.stringMatching(/^GET .*\/models\/ID\/model_versions\?stage=production&/),
    ])
  })

  test.each(['0.74.0', '0.85.0', '0.98.0'] as const)(
    'an older version is archived on %s',
    async (version) => {
      const scene = await openModels(['production', 'staging'], { version })
      const end = await scene.promote(2)
      expect(end).toMatchObject({
        conclusion: 'promoted',
        previous: { number: 1 },
        sentence: `Version 2 of the model "${MODEL}" is in production now; version 1 was archived`,
      })
      expect(scene.puts()).toEqual([{ stage: 'production', force: true, model }])
      expect(scene.stages()).toEqual(['archived', 'production'])
    },
  )

  test('a version that has the stage is left as it is', async () => {
    const scene = await openModels(['production'])
    const end = await scene.promote(1)
    expect(end).toMatchObject({
      conclusion: 'promoted',
      sentence: `Version 1 of the model "${MODEL}" is in production already; nothing was changed`,
    })
    expect(scene.puts()).toEqual([])
  })

  test('a newer version keeps the stage, and the line says how to go back', async () => {
    const scene = await openModels([null, 'production'])
    const end = await scene.promote(1)
    expect(end).toMatchObject({
      conclusion: 'superseded',
      version: { number: 1, stage: undefined },
      previous: { number: 2 },
      sentence: `Version 2 of the model "${MODEL}" is in production and is newer than version 1; write replace: always to go back`,
    })
    expect(scene.puts()).toEqual([])
    expect(await scene.promote(1, { replace: 'always' })).toMatchObject({ conclusion: 'promoted' })
    expect(scene.stages()).toEqual(['production', 'archived'])
  })

  test('the number says which is newer, and not the name', async () => {
    const scene = await openModels([])
    scene.server.addModelVersion(MODEL, { name: 'z' })
    scene.server.addModelVersion(MODEL, { name: 'a', stage: 'production' })
    const end = await scene.promote({ kind: 'model', model: MODEL, version: 'z' })
    expect(end.sentence).toMatch(/^Version "a" \(number 2\) .* is newer than version "z" \(number 1\);/)
  })

  test.each([
    [1, [null, 'production'], 'always'],
    [2, ['production', null], 'older'],
  ])('never: version %d does not take the place of another one of %j', async (version, stages, advice) => {
    const scene = await openModels(stages)
    const end = await scene.promote(version, { replace: 'never' })
    expect(end.conclusion).toBe('taken')
    expect(end.sentence).toMatch(
      new RegExp(
        `is in production, and replace is never; write replace: ${advice} to put version ${version} `,
      ),
    )
    expect(scene.puts()).toEqual([])
  })

  test.each(['older', 'never'] as const)(
    'a version in production is not taken out of it by stage: staging (replace: %s)',
    async (replace) => {
      const scene = await openModels(['production', 'staging'])
      expect(await scene.promote(1, { stage: 'staging', replace })).toMatchObject({
        conclusion: 'taken',
        sentence: `Version 1 of the model "${MODEL}" is in production, and would no longer be if it were in staging; write replace: always if that is meant`,
      })
      expect(scene.puts()).toEqual([])
    },
  )

  test('a version in production goes back to staging with replace: always, and is archived without it', async () => {
    const scene = await openModels(['production'])
    const back = await scene.promote(1, { stage: 'staging', replace: 'always' })
    expect(back).toMatchObject({ conclusion: 'promoted' })
    expect(scene.stages()).toEqual(['staging'])
    await scene.promote(1, { stage: 'production' })
    expect(await scene.promote(1, { stage: 'archived' })).toMatchObject({ conclusion: 'promoted' })
    expect(scene.stages()).toEqual(['archived'])
  })

  test('several versions may be archived, whatever replace says', async () => {
    const scene = await openModels(['archived', 'production', 'archived'])
    const end = await scene.promote(2, { stage: 'archived', replace: 'never' })
    expect(end).toMatchObject({ conclusion: 'promoted', previous: undefined })
    expect(end.sentence).toBe(`Version 2 of the model "${MODEL}" is archived now`)
    expect(scene.puts()).toEqual([{ stage: 'archived', force: true, model }])
    expect(scene.stages()).toEqual(['archived', 'archived', 'archived'])
    expect(await scene.promote(2, { stage: 'archived' })).toMatchObject({ conclusion: 'promoted' })
    expect(scene.puts()).toHaveLength(1)
    // None of them is in the way, so nobody looks for them.
    await scene.promote(2, { stage: 'staging' })
    await scene.promote(2, { stage: 'archived' })
    expect(scene.puts()).toHaveLength(3)
    expect(scene.sent(/^GET .*stage=archived/)).toEqual([])
  })
})

describe('another job at the same moment', () => {
  /** The server does this when the first request to set the stage arrives. */
  async function meanwhile(
    stages: readonly (string | null)[],
    act: (scene: ModelScene) => void,
  ): Promise<ModelScene> {
    const job: { act: (() => void) | undefined } = { act: undefined }
    const scene = await openModels(stages, {
      beforeStage: () => {
        job.act?.()
        job.act = undefined
      },
    })
    job.act = () => {
      act(scene)
    }
    return scene
  }

  const set = (scene: ModelScene, version: number, stage: string): void => {
    scene.server.setStage(scene.versions[version - 1]!.id, stage)
  }

  test('a newer version that took the free stage keeps it: no request with force is sent', async () => {
    const scene = await meanwhile([null, null], (server) => {
      set(server, 2, 'production')
    })
    expect(await scene.promote(1)).toMatchObject({ conclusion: 'superseded', version: { stage: undefined } })
    expect(scene.puts()).toEqual([{ stage: 'production', force: false, model }])
    expect(scene.stages()).toEqual([null, 'production'])
  })

  test('an older version that took the free stage is replaced', async () => {
    const scene = await meanwhile([null, null], (server) => {
      set(server, 1, 'production')
    })
    expect(await scene.promote(2)).toMatchObject({ conclusion: 'promoted' })
    expect(scene.puts()).toMatchObject([{ force: false }, { force: true }])
    expect(scene.stages()).toEqual(['archived', 'production'])
  })

  test('a newer version that is archived by the request is named, and the step is red', async () => {
    const scene = await meanwhile(['production', null, null], (server) => {
      set(server, 1, 'archived')
      set(server, 3, 'production')
    })
    const end = await scene.promote(2)
    expect(end).toMatchObject({
      conclusion: 'superseded',
      version: { number: 2, stage: 'production' },
      sentence: `Version 2 of the model "${MODEL}" is in production, but version 3, which is newer, was archived at the same time. If another job had just promoted it, promote it again`,
    })
    expect(scene.stages()).toEqual(['archived', 'production', 'archived'])
  })

  test('a newer version that the first of two requests archived is named, too', async () => {
    const scene = await meanwhile(['production', null, null], (server) => {
      set(server, 1, 'archived')
      set(server, 3, 'production')
    })
    scene.server.addFault({ on: 'stage', do: { kind: 'reset', when: 'after-work' } })
    const promoting = scene.promote(2)
    await until(() => scene.versions[1]?.stage === 'production')
    scene.server.setStage(scene.versions[1]!.id, null)
    set(scene, 1, 'production')
    const end = await promoting
    expect(end.sentence).toMatch(/but version 3, which is newer, was archived at the same time/)
    expect(scene.puts()).toHaveLength(2)
  })

  test('a newer version that was archived long ago is no reason to be red', async () => {
    const scene = await openModels(['production', null, 'archived'])
    expect(await scene.promote(2)).toMatchObject({ conclusion: 'promoted' })
  })

  test('two versions in one stage are not called promoted', async () => {
    const scene = await openModels(['production', 'production'])
    const end = await scene.promote(1, { replace: 'always' })
    expect(end).toMatchObject({
      conclusion: 'failed',
      sentence: `Version 1 of the model "${MODEL}" and version 2 are both in production: something else set it at the same time. Archive one of them with stage: archived`,
    })
    expect(scene.puts()).toHaveLength(1)
  })

  test('a newer version that is in production beside it a moment later is named, and that it has the stage itself', async () => {
    // The newer one's own step did not see this one yet.
    const scene = await openModels([null, null])
    scene.server.addFault({ on: 'stage', do: { kind: 'delay', seconds: 1 } })
    const promoting = scene.promote(1)
    await until(() => scene.puts().length > 0)
    await until(() => scene.stages()[0] === 'production')
    set(scene, 2, 'production')
    expect(await promoting).toMatchObject({
      conclusion: 'failed',
      sentence: `Version 1 of the model "${MODEL}" and version 2 are both in production: something else set it at the same time. Archive one of them with stage: archived`,
    })
  })

  test('a yes of the server that a look does not show is no success', async () => {
    const scene = await openModels(['staging'])
    const body = JSON.stringify({ id: scene.versions[0]!.id })
    scene.server.addFault({ on: 'stage', occurrence: 'always', do: { kind: 'answer', status: 200, body } })
    const end = await scene.promote(1)
    expect(end).toMatchObject({
      conclusion: 'failed',
      sentence: `ZenML accepted the stage, but version 1 of the model "${MODEL}" is in staging: something else may have changed it. Run the step again`,
    })
    expect(scene.puts()).toHaveLength(1)
  })

  test('a replica that lags behind is waited for', async () => {
    const scene = await openModels([null])
    const [version] = scene.versions
    const stale = {
      ...{ id: version!.id, name: '1' },
      body: { number: 1, stage: null, model: { id: 'a-model', name: MODEL } },
    }
    const late: Fault = {
      on: 'model-version',
      do: { kind: 'answer', status: 200, body: JSON.stringify(stale) },
    }
    scene.server.addFault({ ...late, occurrence: 2 })
    expect(await scene.promote(1)).toMatchObject({ conclusion: 'promoted' })
    expect(scene.puts()).toHaveLength(1)
  })

  test('a list that still has the old holder, while the version itself has its stage, is waited for', async () => {
    const job: { act?: () => void } = {}
    const scene = await openModels(['production', null], { beforeStage: () => job.act?.() })
    job.act = () => {
      const [, id] = /models\/([^/]+)\/model_versions/.exec(scene.sent(/stage=production/)[0]!)!
      const old = { number: 1, stage: 'production', model: { id, name: MODEL } }
      const items = [{ id: scene.versions[0]!.id, name: '1', body: old }]
      const body = JSON.stringify({ total: 1, total_pages: 1, items })
      const stale = { kind: 'answer', status: 200, body } as const
      scene.server.addFault({ on: 'model-versions', occurrence: { from: 1, to: 4 }, do: stale })
    }
    const end = await scene.promote(2)
    expect(end.sentence).toBe(
      `Version 2 of the model "${MODEL}" is in production now; version 1 was archived`,
    )
    expect(scene.puts()).toHaveLength(1)
  })
})

describe('an answer that is lost', () => {
  test('the stage was set: a look shows it, and nothing is sent again', async () => {
    const scene = await openModels(['production', null])
    scene.server.addFault({ on: 'stage', do: { kind: 'reset', when: 'after-work' } })
    expect(await scene.promote(2)).toMatchObject({ conclusion: 'promoted', previous: { number: 1 } })
    expect(scene.puts()).toHaveLength(1)
    expect(scene.stages()).toEqual(['archived', 'production'])
  })

  test.each<[string, Fault['do']]>([
    ['a connection that is reset', { kind: 'reset', when: 'before-work' }],
    ['a page of a proxy', { kind: 'html', status: 502 }],
    ['a page of a proxy that says all is well', { kind: 'html', status: 200 }],
    ['a yes in words', { kind: 'answer', status: 200, body: '{"detail":"ok"}' }],
    [
      'a 500 of the database',
      { kind: 'answer', status: 500, body: '{"detail":["OperationalError","gone"]}' },
    ],
    ['a server that is too busy', { kind: 'too-busy' }],
  ])('the stage was not set, by %s: it is sent again', async (_, fault) => {
    const scene = await openModels([null])
    scene.server.addFault({ on: 'stage', do: fault })
    expect(await scene.promote(1)).toMatchObject({ conclusion: 'promoted', version: { stage: 'production' } })
    expect(scene.puts()).toHaveLength(2)
    expect(scene.events).toContainEqual(
      expect.objectContaining({
        kind: 'retry',
        line: expect.stringMatching(/^Could not set the stage of the model version: /),
      }),
    )
  })

  test.each([
    [true, 'promoted', 'the first request was done after all: a look shows it'],
    [false, 'lost', 'it may still be done, and nobody says that it was not'],
  ])('the second request is refused; set meanwhile: %s, so %s: %s', async (work, conclusion) => {
    const scene = await openModels([null])
    scene.server.addFault({ on: 'stage', do: { kind: 'html', status: 504 } })
    const body = '{"detail":["IllegalOperationError","Not permitted"]}'
    scene.server.addFault({ on: 'stage', occurrence: 2, do: { kind: 'answer', status: 403, body, work } })
    expect(await scene.promote(1)).toMatchObject({ conclusion })
    expect(scene.puts()).toHaveLength(2)
  })

  test.each([
    ['that ZenML had set', true, 'promoted'],
    ['that ZenML had not set', false, undefined],
  ])(
    'a no of something in between, about a stage %s, is not believed without a look',
    async (_, work, end) => {
      const scene = await openModels([null])
      const body = '{"detail":"blocked by policy"}'
      scene.server.addFault({ on: 'stage', do: { kind: 'answer', status: 403, body, work } })
      const ended = scene.promote(1)
      if (end === undefined) await expect(ended).rejects.toThrow(/blocked by policy/)
      else expect(await ended).toMatchObject({ conclusion: end, version: { stage: 'production' } })
      expect(scene.puts()).toHaveLength(1)
    },
  )

  test('a newer version that has the stage by then is not replaced', async () => {
    const scene = await openModels([null, null])
    scene.server.addFault({ on: 'stage', do: { kind: 'html', status: 502 } })
    const promoting = scene.promote(1)
    await until(() => scene.puts().length === 1)
    scene.server.setStage(scene.versions[1]!.id, 'production')
    expect(await promoting).toMatchObject({ conclusion: 'superseded' })
    expect(scene.puts()).toHaveLength(1)
  })

  test('after two minutes without a yes or a no, the step fails with what the server answered', async () => {
    const scene = await openModels([null])
    scene.server.addFault({ on: 'stage', occurrence: 'always', do: { kind: 'html', status: 502 } })
    const end = await scene.promote(1)
    expect(end.conclusion).toBe('failed')
    expect(end.sentence).toMatch(
      /^Could not set the stage .* answered 502: a web page .*\. Gave up after 2 min$/,
    )
    expect(scene.stages()).toEqual([null])
  })

  test('a server that wants to be left alone for a day is asked once more when the two minutes are over', async () => {
    const scene = await openModels([null])
    const headers = { 'retry-after': '86400' }
    const body = '{"detail":"maintenance"}'
    scene.server.addFault({
      on: 'stage',
      occurrence: 'always',
      do: { kind: 'answer', status: 503, body, headers },
    })
    const begin = scene.clock.elapsed()
    expect(await scene.promote(1)).toMatchObject({ conclusion: 'failed' })
    expect(scene.clock.elapsed() - begin).toBeLessThan(180_000)
    expect(scene.puts()).toHaveLength(2)
  })

  test('if the server cannot be asked any more, nobody says that it was set or not', async () => {
    const scene = await openModels([null])
    scene.server.addFault({ on: 'stage', do: { kind: 'reset', when: 'after-work' } })
    const away: Fault = { on: 'model-version', do: { kind: 'html', status: 502 } }
    scene.server.addFault({ ...away, occurrence: { from: 2, to: 99 } })
    const end = await scene.promote(1)
    expect(end.conclusion).toBe('lost')
    expect(end.sentence).toMatch(
      /^It is not known whether version 1 of the model "classifier" is in production now: Could not read the model version: .* Run the step again to be sure$/,
    )
  })
})

test.each([
  ['promote', 'model', 'promote models', 1],
  ['update', 'model_version', 'update model versions', 1],
  ['read', 'model', 'read models', 0],
] as const)(
  'without the permission to %s a %s nothing is set, and the line names it',
  async (action, type, words, sent) => {
    const pro = await startPro()
    try {
      const scene = await openModels([null], { pro, seededBy: 'another' })
      pro.add({ name: 'research', serverUrl: scene.server.url })
      pro.permit({ deny: { [action]: [type] } })
      const [version] = scene.versions
      await expect(
        scene.promote({ kind: 'model', model: MODEL, version: version?.id ?? '' }),
      ).rejects.toThrow(new RegExp(`Give the account permission to ${words}$`))
      expect(scene.puts()).toHaveLength(sent)
      expect(scene.stages()).toEqual([null])
    } finally {
      await closeScenes()
      await pro.close()
    }
  },
)

describe('the workflow is cancelled', () => {
  test('before anything is sent: nothing is changed', async () => {
    const scene = await openModels([null])
    scene.cancelled.abort(new Error('cancelled'))
    expect(await scene.promote(1)).toMatchObject({
      conclusion: 'cancelled',
      sentence: 'Cancelled before the stage was set; nothing was changed',
    })
    expect(scene.puts()).toEqual([])
  })

  test('while the request is under way: what came of it is still looked at', async () => {
    const scene = await openModels([null])
    scene.server.addFault({ on: 'stage', do: { kind: 'delay', seconds: 3 } })
    const promoting = scene.promote(1)
    await until(() => scene.puts().length === 1)
    scene.cancelled.abort(new Error('cancelled'))
    expect(await promoting).toMatchObject({ conclusion: 'promoted' })
  })

  test('and no time is left to look: the step says that it does not know', async () => {
    const scene = await openModels([null])
    scene.server.addFault({ on: 'stage', do: { kind: 'hang' } })
    const promoting = scene.promote(1)
    await until(() => scene.puts().length === 1)
    scene.cancelled.abort(new Error('cancelled'))
    scene.over.abort(new Error('cancelled'))
    const end = await promoting
    expect(end.conclusion).toBe('cancelled')
    expect(end.sentence).toMatch(
      /^Cancelled\. It is not known whether version 1 of .* is in production now: there was no time left to find out\. /,
    )
  })

  test('an answer that was lost is not sent again', async () => {
    const scene = await openModels([null])
    scene.server.addFault({ on: 'stage', do: { kind: 'html', status: 502 } })
    const promoting = scene.promote(1)
    await until(() => scene.puts().length === 1)
    scene.cancelled.abort(new Error('cancelled'))
    expect(await promoting).toMatchObject({
      conclusion: 'cancelled',
      sentence: expect.stringContaining(
        'in production now: there was no time left to find out. Run the step',
      ),
    })
    expect(scene.puts()).toHaveLength(1)
  })
})
