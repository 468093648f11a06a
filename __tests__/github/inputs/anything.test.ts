import { afterAll, beforeAll, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { anyText } from '../../any-text.ts'
import { inputTables, type ActionName, type InputName } from '../../../src/github/inputs/table.ts'
import { workspaceFiles } from './bad-configurations.ts'
import { badInputs } from './bad-inputs.ts'
import { least, makeWorkspace, read, readAs, variables } from './given.ts'

const inputNames: readonly InputName[] = inputTables.main.names
const actions: readonly ActionName[] = ['main', 'login', 'wait', 'stop', 'resolve', 'promote']

let workspace: ReturnType<typeof makeWorkspace>
beforeAll(() => {
  workspace = makeWorkspace(workspaceFiles)
})
afterAll(() => workspace.remove())

const anyValue = fc.oneof(
  anyText(40),
  fc.constantFrom(
    ...badInputs.flatMap((bad) => Object.values(bad.given)).filter((text) => text.length < 2000),
  ),
)

test.each(actions)(
  'whatever is given to %s, the outcome is a value or faults, each on one harmless line',
  async (action) => {
    const names: readonly InputName[] = inputTables[action].names
    const given = fc.dictionary(fc.constantFrom(...names), anyValue, { noNullPrototype: true })
    await fc.assert(
      fc.asyncProperty(given, async (texts) => {
        const outcome = await readAs(action, { ...variables(texts), GITHUB_WORKSPACE: workspace.path })
        if (outcome.ok) return
        expect(outcome.faults.faults.length).toBeGreaterThan(0)
        for (const { line } of outcome.faults.faults) {
          expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]|##\[/u)
          expect(line.length).toBeLessThan(500)
        }
      }),
      { numRuns: 200 },
    )
  },
)

test('wherever a key is pasted, no line shows any part of it', async () => {
  const secret = fc.stringMatching(/^[A-HJ-NP-Z2-9]{24,60}$/)
  const secrets: readonly InputName[] = inputTables.main.secrets
  const place = fc.constantFrom(...inputNames.filter((name) => !secrets.includes(name)))
  await fc.assert(
    fc.asyncProperty(
      secret,
      place,
      fc.string({ maxLength: 90 }),
      fc.string({ maxLength: 9 }),
      async (key, input, before, after) => {
        const texts = { ...least.main, 'api-key': key, [input]: `${before}${key}${after}` }
        const outcome = await read({ ...variables(texts), GITHUB_WORKSPACE: workspace.path })
        const lines = outcome.ok
          ? [...outcome.notices, ...outcome.warnings]
          : outcome.faults.faults.map(({ line }) => line)
        for (const line of lines) {
          for (let at = 0; at + 8 <= key.length; at += 1) expect(line).not.toContain(key.slice(at, at + 8))
        }
      },
    ),
    { numRuns: 300 },
  )
})
