import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'
import { annotations, PATIENCE_MS, withServer } from './scene.ts'
import { workspaceFiles } from '../github/inputs/bad-configurations.ts'
import { badInputs, environmentOf, type BadInput } from '../github/inputs/bad-inputs.ts'
import { least, makeWorkspace, readAs, type With } from '../github/inputs/given.ts'

jest.setTimeout(PATIENCE_MS)

let workspace: ReturnType<typeof makeWorkspace>
beforeAll(() => {
  workspace = makeWorkspace(workspaceFiles)
})
afterAll(() => workspace.remove())

/** Of each action and each way in one; all of them are in github/inputs/bad-inputs.test.ts. */
const sample = [
  'nothing at all',
  "an empty key on Dependabot's push",
  'server-url: a password in front of an address without scheme',
  'configuration: many faults',
  'configuration-file: broken JSON in a file',
  'login/: the key in the address',
  'wait/: a project of two lines',
  'stop/: two ids on two lines',
  'resolve/: half of it',
  'promote/: no stage, and nothing to promote',
].map(titled)

function titled(title: string): BadInput {
  const found = badInputs.find((bad) => bad.title === title)
  if (found === undefined) throw new Error(`no bad input is called "${title}"`)
  return found
}

function spawned(bad: BadInput): With {
  const { 'server-url': _, ...rest }: With = { ...least[bad.action ?? 'main'], ...bad.given }
  return 'server-url' in bad.given ? { ...rest, 'server-url': bad.given['server-url'] ?? '' } : rest
}

test.concurrent.each(sample)('$title: the step is red, says only that, and sends nothing', (bad) =>
  withServer({}, async (scene) => {
    const env = environmentOf(bad, workspace.path)
    const outcome = await readAs(bad.action ?? 'main', env)
    if (outcome.ok) throw new Error('no fault was found')
    const lines = outcome.faults.faults.map(({ line }) => line)

    const result = await scene.step(spawned(bad), {
      entry: bad.action ?? 'main',
      workspace: workspace.path,
      env: { ...bad.env, ...eventFile(env['GITHUB_EVENT_PATH']) },
    })

    expect(annotations('error', result)).toEqual(lines)
    expect(result.stdout + result.stderr).not.toMatch(/\n\s+at .+:\d+:\d+/)
    expect(result.stderr).toBe('')
    expect(result.summary).toBe('')
    expect(result.exitCode).toBe(1)
    expect(scene.server.requests).toEqual([])
  }),
)

function eventFile(path: string | undefined): Record<string, string> {
  return path === undefined ? {} : { GITHUB_EVENT_PATH: path }
}
