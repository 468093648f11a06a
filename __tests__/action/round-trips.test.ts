import { expect, jest, test } from '@jest/globals'
import { startPro } from '../../simulator/index.ts'
import { holdRounds } from './holding.ts'
import { expectGreen, PATIENCE_MS, withServer } from './scene.ts'

jest.setTimeout(PATIENCE_MS)

const LOGIN = [/^POST \/api\/v1\/login/, /^GET \/api\/v1\/info/]
const ACCOUNT = /^GET \/api\/v1\/current-user/
const PROJECTS = /^GET \/api\/v1\/projects\?/
const PROJECT = /^GET \/api\/v1\/projects\/default$/
const SNAPSHOTS = /^GET \/api\/v1\/pipeline_snapshots\?/
const TEMPLATES = /^GET \/api\/v1\/run_templates\?/
const SNAPSHOT = /^GET \/api\/v1\/pipeline_snapshots\/[\w-]+\?/
const TRIGGER = /^POST \/api\/v1\/(pipeline_snapshots|run_templates)\/[\w-]+\/runs/

/** The name of the seeded snapshot and template. */
const NAME = 'training-template'
const PARAMETERS = { parameters: 'train.seconds: 3' }

test.concurrent.each<[string, Readonly<Record<string, string>>, (RegExp | readonly RegExp[])[]]>([
  ['a snapshot by its name', { snapshot: NAME }, [[ACCOUNT, PROJECTS, SNAPSHOTS]]],
  [
    'a template by its name, with parameters to check',
    { template: NAME, ...PARAMETERS },
    [[ACCOUNT, PROJECTS, TEMPLATES]],
  ],
  [
    'a snapshot by its name in a project that is named',
    { snapshot: NAME, project: 'default' },
    [[ACCOUNT, PROJECT, SNAPSHOTS]],
  ],
  [
    'a snapshot with parameters, which the server gives by its id only',
    { snapshot: NAME, ...PARAMETERS },
    [[ACCOUNT, PROJECTS, SNAPSHOTS], SNAPSHOT],
  ],
])('%s: what is asked for before the start is asked for at once', (_, inputs, finding) =>
  withServer({}, async (scene) => {
    const rounds = [LOGIN, ...finding.map((round) => [round].flat()), [TRIGGER]]
    const holding = await holdRounds(scene.server.url, rounds)
    try {
      const given = { 'server-url': holding.url, wait: 'false', summary: 'false', ...inputs }
      expectGreen(await scene.step(given), 'started')
      expect(holding.strays).toEqual([])
      expect(holding.rounds).toBe(rounds.length)
    } finally {
      await holding.close()
    }
  }),
)

test.concurrent('a snapshot by its id is asked for beside the account', () =>
  withServer({}, async (scene) => {
    const snapshot = scene.server.seeded.snapshots[NAME] ?? ''
    const rounds = [LOGIN, [ACCOUNT, PROJECTS, SNAPSHOT], [TRIGGER]]
    const holding = await holdRounds(scene.server.url, rounds)
    try {
      const given = { 'server-url': holding.url, wait: 'false', snapshot, ...PARAMETERS }
      expectGreen(await scene.step(given), 'started')
      expect(holding.strays).toEqual([])
      expect(holding.rounds).toBe(rounds.length)
    } finally {
      await holding.close()
    }
  }),
)

test.concurrent(
  'in a workspace of ZenML Pro, two requests find its server, and the same three start the run',
  async () => {
    const pro = await startPro()
    try {
      await withServer({ pro }, async (scene) => {
        const rounds = [LOGIN, [ACCOUNT, PROJECT, SNAPSHOTS], [TRIGGER]]
        const holding = await holdRounds(scene.server.url, rounds)
        try {
          pro.add({ name: 'research', organization: 'Lab', serverUrl: scene.server.url })
          pro.add({ name: 'held', organization: 'Lab', serverUrl: holding.url })
          const workspace = {
            'server-url': '',
            workspace: 'held',
            'pro-api-url': pro.url,
            'api-key': pro.apiKey,
          }
          const given = { ...workspace, project: 'default', snapshot: NAME, wait: 'false' }
          expectGreen(await scene.step(given), 'started')
          expect(pro.requests).toHaveLength(2)
          expect(holding.strays).toEqual([])
          expect(holding.rounds).toBe(rounds.length)
        } finally {
          await holding.close()
        }
      })
    } finally {
      await pro.close()
    }
  },
)
