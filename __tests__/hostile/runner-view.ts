import { expect } from '@jest/globals'
import { actionOutputs } from '../../src/github/outputs.ts'
import { shapeOf, type Shape } from '../github/markdown-reader.ts'
import { readAsRunner, type RunnerCommand } from '../github/runner-reader.ts'

/** What a step left behind, wherever it ran. */
export interface Left {
  readonly stdout: string
  readonly outputs: Readonly<Record<string, string>>
  readonly state: Readonly<Record<string, string>>
  readonly summary: string
}

const TITLE =
  /^((No )?ZenML (run (was (started|followed|stopped|answered)|completed|started|failed(: .+)?|stopped|timed out|cancelled|is waiting for a person|not found|not stopped|not resolved|outcome unknown)|login failed)|Step .* failed(:.+)?|Input [a-z-]+|Code of another commit)$/

const GROUP_TITLE = /^(Connected to |Found the (snapshot|run template) |Log of (the step |the run's start: ))/

/** Of the well-known problem matcher for Python that actions/setup-python registers: its two lines. */
const PYTHON_MATCHER = [/^\s*File\s"(.*)",\sline\s(\d+),\sin\s(.*)$/, /^\s*raise\s(.*)\('(.*)'\)$/]

const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u

const CONCLUSIONS = ['completed', 'started', 'running', 'failed', 'stopped', 'timed-out', 'cancelled', 'lost']

/** Outputs that hold a text for people; the others hold ids, numbers and our own words. */
const MAX_OUTPUT_BYTES = 10_000

const JSON_OUTPUTS = ['steps', 'metadata', 'artifacts', 'comparison']

/** GitHub counts two bytes a character. */
const MAX_JSON_CHARACTERS = 100_000

/** The runner passes each value of the state to the post step as one variable; Linux takes 128 KiB. */
const MAX_STATE_BYTES = 120_000

/** The annotations that the runner would make. */
export function annotations({ stdout }: Pick<Left, 'stdout'>): RunnerCommand[] {
  return readAsRunner(stdout).commands.filter(({ name }) => ['error', 'warning', 'notice'].includes(name))
}

/** The one error of a step; fails if there are more, or none. */
export function theError(left: Pick<Left, 'stdout'>): string {
  const errors = annotations(left).filter(({ name }) => name === 'error')
  expect(errors).toHaveLength(1)
  return errors[0]!.data
}

/**
 * Fails if anything that a step left could do something: a command that is not ours, a value that is not ours, a
 * line that a problem matcher takes, Markdown or HTML in the summary beside its own.
 *
 * @param secrets the only texts that may be masked
 */
export function expectHarmless(left: Left, secrets: readonly string[]): void {
  expectHarmlessLog(left.stdout, secrets)
  expectHarmlessValues(left)
  expectHarmlessSummary(left.summary)
}

function expectHarmlessLog(stdout: string, secrets: readonly string[]): void {
  const { commands, shown } = readAsRunner(stdout)
  expectClosedGroups(commands)
  for (const { name, data, properties } of commands) {
    if (name === 'add-mask') {
      expect(secrets).toContain(data)
      continue
    }
    expect(['error', 'warning', 'notice', 'group', 'endgroup']).toContain(name)
    expect(Object.keys(properties).filter((key) => key !== 'title')).toEqual([])
    if (properties['title'] !== undefined) expect(properties['title']).toMatch(TITLE)
    if (name === 'group') expect(data).toMatch(GROUP_TITLE)
    // The lines of an exception's message are kept.
    expect(data.replaceAll('\n', '')).not.toMatch(UNPRINTABLE)
    expect(data.length).toBeLessThanOrEqual(4096)
  }
  // The step's last line has as much room as its annotation.
  const isHarmful = (line: string): boolean =>
    UNPRINTABLE.test(line) || /##\[|^\s*::/.test(line) || line.length > 4_000
  expect(shown.filter(isHarmful)).toEqual([])
  const lines = [...shown, ...commands.map(({ data }) => data)]
  expect(lines.filter((line) => PYTHON_MATCHER.some((pattern) => pattern.test(line)))).toEqual([])
}

/** No group is left open, and no annotation is hidden in one. */
function expectClosedGroups(commands: readonly RunnerCommand[]): void {
  const names = commands.map(({ name }) => name).filter((name) => name !== 'add-mask')
  for (const [index, name] of names.entries()) {
    if (name === 'group') expect(names[index + 1]).toBe('endgroup')
    if (name === 'endgroup') expect(names[index - 1]).toBe('group')
  }
}

function expectHarmlessValues({ outputs, state }: Left): void {
  const ours = new Set<string>(actionOutputs.main)
  expect(Object.keys(outputs).filter((name) => !ours.has(name))).toEqual([])
  expect(CONCLUSIONS).toContain(outputs['conclusion'])
  expect(outputs['duration'] ?? '0').toMatch(/^\d+$/)
  expect(outputs['run-url'] ?? '').toMatch(/^$|^https?:\/\/[^\s@"<>\\`]+$/)
  for (const [name, value] of Object.entries(outputs)) {
    if (JSON_OUTPUTS.includes(name)) {
      expect(() => void JSON.parse(value)).not.toThrow()
      expect(value.length).toBeLessThanOrEqual(MAX_JSON_CHARACTERS)
    } else {
      expect(Buffer.byteLength(value)).toBeLessThan(MAX_OUTPUT_BYTES)
    }
    // An error has a line for each failed step.
    expect(name === 'error' ? value.replaceAll('\n', '') : value).not.toMatch(UNPRINTABLE)
  }
  expect(
    Object.keys(state).filter(
      (name) => !/^(process|facts|planned|started|mode|settled|summaryDue|comment)$/.test(name),
    ),
  ).toEqual([])
  for (const value of Object.values(state)) {
    expect(() => void JSON.parse(value)).not.toThrow()
    expect(Buffer.byteLength(value)).toBeLessThan(MAX_STATE_BYTES)
  }
}

/** What our summaries are made of, as a Markdown parser names it; HTML that is not ours fails before. */
const ELEMENTS =
  /^(?:heading 3|paragraph|text|br|strong|table|row|cell|list|item|codespan|html|code (?:mermaid|diff|json)?|link https?:\/\/[^\s@()<>\\|"`]+)$/

function expectHarmlessSummary(summary: string): void {
  const elements = flat(shapeOf(summary))
  expect(elements.filter((element) => !ELEMENTS.test(element))).toEqual([])
  expect(elements.filter((element) => element === 'heading 3').length).toBeLessThanOrEqual(1)
  expect(summary.replaceAll(/[\n\t]/g, '')).not.toMatch(UNPRINTABLE)
  expect(Buffer.byteLength(summary)).toBeLessThan(310_000)
}

/**
 * The same of a pull request's comment, in which a name or number that is shown as it is would notify a person or link
 * something.
 */
export function expectHarmlessComment(body: string): void {
  const [marker = '', ...lines] = body.trimEnd().split('\n')
  expect(marker).toMatch(/^<!-- zenml-run-action (?:main|wait|sweep) [0-9a-f]{8} \d+\/\d+ -->$/)
  expect(lines.pop()).toMatch(/^<sub>\[[\w ]+\]\([^()]+\)(?: · `[^`]+`)?<\/sub>$/)
  const text = lines.join('\n')
  const shown = text.replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
  expect(shown.replaceAll(/\]\(http[^()]*\)/g, '')).not.toMatch(/@[\w-]|#\d|\bGH-\d/i)
  // The space without width that breaks them is ours.
  expectHarmlessSummary(text.replaceAll('\u200B', ''))
  expect(body.length).toBeLessThanOrEqual(65_536)
}

function flat(shape: Shape): string[] {
  return shape.flatMap((entry) => (typeof entry === 'string' ? [entry] : [entry[0], ...flat(entry[1])]))
}
