import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'

import { annotations, PATIENCE_MS, withServer } from './scene.ts'
import { workspaceFiles } from '../github/inputs/bad-configurations.ts'
import { badInputs, environmentOf, type BadInput } from '../github/inputs/bad-inputs.ts'
import { least, makeWorkspace, readAs, type With } from '../github/inputs/given.ts'

jest.setTimeout(PATIENCE_MS)

/** The log annotates no more; the others are plain lines. */
const MAX_ANNOTATIONS = 10

let workspace: ReturnType<typeof makeWorkspace>
beforeAll(() => {
  workspace = makeWorkspace(workspaceFiles)
})
afterAll(() => workspace.remove())

/** Each tenth, so that every kind is there; no environment can hold a NUL. */
const sample = badInputs
  .filter(({ given }) => !Object.values(given).some((text) => text.includes('\0')))
  .filter((_, index) => index % 10 === 0)

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

    expect(annotations('error', result)).toEqual(lines.slice(0, MAX_ANNOTATIONS))
    for (const line of lines.slice(MAX_ANNOTATIONS)) expect(result.stdout).toContain(line)
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
