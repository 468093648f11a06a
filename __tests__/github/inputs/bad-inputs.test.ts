import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { afterAll, beforeAll, expect, test } from '@jest/globals'

import { inputTables, type InputName } from '../../../src/github/inputs/table.ts'
import { workspaceFiles } from './bad-configurations.ts'
import { badInputs, environmentOf, type BadInput } from './bad-inputs.ts'
import { KEY, least, makeWorkspace, readAs } from './given.ts'

const golden = fileURLToPath(new URL('../../golden/inputs.txt', import.meta.url))

let workspace: ReturnType<typeof makeWorkspace>
beforeAll(() => {
  workspace = makeWorkspace(workspaceFiles)
})
afterAll(() => workspace.remove())

function readBad(bad: BadInput) {
  return readAs(bad.action ?? 'main', environmentOf(bad, workspace.path))
}

test.each(badInputs)('$title: ends with clear lines and no secret', async (bad) => {
  const outcome = await readBad(bad)
  if (outcome.ok) throw new Error('no fault was found')
  const { faults, message } = outcome.faults
  expect(faults.length).toBeGreaterThan(0)
  expect(message.split('\n')).toEqual(faults.map((fault) => fault.line))
  for (const { input, line } of faults) {
    expect(line).toMatch(/^"?[a-z][a-z_-]*"?: ./)
    expect(line).toContain(input)
    expect(line.length).toBeLessThan(400)
    expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|##\[|undefined|\[object/u)
    expect(line).not.toContain('hunter2')
    expect(line).not.toContain(KEY.slice(0, 10))
  }
  const names: readonly InputName[] = inputTables[bad.action ?? 'main'].names
  const places = faults.map(({ input }) => names.findIndex((name) => name === input))
  expect(places).toEqual([...places].sort((a, b) => a - b))
})

test.each(badInputs)('$title: secrets are masked before anything is said', async (bad) => {
  const action = bad.action ?? 'main'
  const { masked } = await readBad(bad)
  const given: Readonly<Record<string, string>> = { ...least[action], ...bad.given }
  const secrets: readonly InputName[] = inputTables[action].secrets
  const values = secrets.map((name) => given[name]?.trim() ?? '').filter((value) => value.length > 3)
  expect(masked).toEqual(expect.arrayContaining(values.flatMap((value) => value.split('\n'))))
})

test('the lines read as in the golden file (npm run test:golden writes it anew)', async () => {
  const blocks: string[] = []
  for (const bad of badInputs) {
    const outcome = await readBad(bad)
    if (!outcome.ok) blocks.push(`# ${bad.title}\n${outcome.faults.message}\n`)
  }
  const lines = blocks.join('\n')
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(golden, lines)
  expect(existsSync(golden) ? readFileSync(golden, 'utf8') : '').toBe(lines)
})
