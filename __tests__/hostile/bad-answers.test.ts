import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'
import { stepOf } from './bad-answer.ts'
import { badAnswers } from './bad-answers.ts'
import { annotations, expectHarmless, theError } from './runner-view.ts'
import { RunnerFiles, takeStep, type StepView } from './workflow-step.ts'

const golden = fileURLToPath(new URL('../golden/bad-answers.txt', import.meta.url))

/** Time is virtual: what takes longer than this hangs. */
jest.setTimeout(20_000)

const GREEN = ['completed', 'started']
const blocks = new Map<string, string>()
let files: RunnerFiles
beforeAll(() => {
  files = new RunnerFiles()
})
afterAll(() => {
  files.remove()
})

test.each(badAnswers)('$title', async (bad) => {
  const met = jest.fn()
  const view = await takeStep(files, stepOf(bad, met))
  expect(met).toHaveBeenCalled()
  expect(view.crash).toBeUndefined()
  expect(view.outputs['conclusion']).toBe(bad.ends ?? 'failed')
  const line =
    GREEN.includes(bad.ends ?? 'failed') || view.succeeded === true ? expectGreen(view) : expectRed(view)
  expectHarmless(view, view.tokens)
  expectNoSecret(view)
  expect(view.runs.filter(({ gone }) => !gone).length).toBeLessThanOrEqual(1)
  blocks.set(bad.title, `# ${bad.title}\n${bad.ends ?? 'failed'}: ${readable(line, view)}\n`)
})

/** Neither a token, once it was handed out, nor what stood in an address. */
function expectNoSecret({ stdout, outputs, state, summary, tokens }: StepView): void {
  const log = stdout.replaceAll(/^::add-mask::.*$/gm, '')
  const shown = JSON.stringify([log, outputs, state, summary])
  for (const secret of ['hunter2', 'ZENKEY_', ...tokens]) expect(shown).not.toContain(secret)
}

function expectGreen(view: StepView): string {
  expect(view.succeeded).toBe(true)
  expect(view.outputs['error']).toBe('')
  expect(annotations(view).filter(({ name }) => name === 'error')).toEqual([])
  return view.stdout.trimEnd().split('\n').at(-1) ?? ''
}

/**
 * One line, the same in log and output, that a person can read: no stack, no object, no type's name. What failed in
 * the run is annotated where it failed, so the line is then plain.
 */
function expectRed(view: StepView): string {
  expect(view.succeeded).toBe(false)
  const line = view.outputs['error'] ?? ''
  const annotation = theError(view)
  if (annotation !== line) expect(view.stdout.trimEnd().split('\n').at(-1)).toBe(line)
  expect(line.length).toBeGreaterThan(20)
  expect(line.length).toBeLessThan(800)
  expect(line).not.toMatch(/\[object|undefined|\bNaN\b|ZodError|SyntaxError|TypeError|RangeError|UND_ERR|\n/)
  expect(view.stdout).not.toMatch(/^\s+at .+:\d+:\d+/m)
  return line
}

/** What differs from run to run is written as a person would know it. */
function readable(line: string, { url }: StepView): string {
  return (
    line
      .replaceAll(url, 'https://zenml.example.com')
      .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'ID')
      // Whether the end could be read in real time decides whose duration it is.
      .replaceAll(/(?<=completed after )\d+ (?:min|s)(?: \d+ s)?/g, 'TIME')
  )
}

test('the lines read as in the golden file (npm run test:golden writes it anew)', () => {
  const lines = badAnswers.map(({ title }) => blocks.get(title) ?? `# ${title}\n(not taken)\n`).join('\n')
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(golden, lines)
  expect(existsSync(golden) ? readFileSync(golden, 'utf8') : '').toBe(lines)
})
