import { expect } from '@jest/globals'
import { actionOutputs } from '../../src/github/outputs.ts'
import { readAsRunner, type RunnerCommand } from '../github/runner-reader.ts'

/** What a step left behind, wherever it ran. */
export interface Left {
  readonly stdout: string
  readonly outputs: Readonly<Record<string, string>>
  readonly state: Readonly<Record<string, string>>
  readonly summary: string
}

const TITLE =
  /^((No )?ZenML (run (was started|completed|started|failed|stopped|timed out|cancelled|lost from sight)|login failed)|Input [a-z-]+)$/

/** Of the well-known problem matcher for Python that actions/setup-python registers: its two lines. */
const PYTHON_MATCHER = [/^\s*File\s"(.*)",\sline\s(\d+),\sin\s(.*)$/, /^\s*raise\s(.*)\('(.*)'\)$/]

const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u

const CONCLUSIONS = ['completed', 'started', 'failed', 'stopped', 'timed-out', 'cancelled', 'lost']

/** Outputs that hold a text for people; the others hold ids, numbers and our own words. */
const MAX_OUTPUT_BYTES = 10_000

/** The runner passes each value of the state to the post step as one variable; Linux takes 128 KiB. */
const MAX_STATE_BYTES = 120_000

/** The annotations that the runner would make. */
export function annotations({ stdout }: Pick<Left, 'stdout'>): RunnerCommand[] {
  return readAsRunner(stdout).commands.filter(({ name }) => name !== 'add-mask')
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
  for (const block of left.summary.split(/^(?=### )/m)) if (block !== '') expectHarmlessSummary(block)
}

function expectHarmlessLog(stdout: string, secrets: readonly string[]): void {
  const { commands, shown } = readAsRunner(stdout)
  for (const { name, data, properties } of commands) {
    if (name === 'add-mask') {
      expect(secrets).toContain(data)
      continue
    }
    expect(['error', 'warning', 'notice']).toContain(name)
    expect(Object.keys(properties).filter((key) => key !== 'title')).toEqual([])
    if (properties['title'] !== undefined) expect(properties['title']).toMatch(TITLE)
    expect(data).not.toMatch(UNPRINTABLE)
    expect(data.length).toBeLessThanOrEqual(4096)
  }
  for (const line of shown) {
    expect(line).not.toMatch(UNPRINTABLE)
    expect(line).not.toMatch(/##\[|^\s*::/)
    expect(line.length).toBeLessThanOrEqual(2_000)
  }
  for (const line of [...shown, ...commands.map(({ data }) => data)])
    for (const pattern of PYTHON_MATCHER) expect(line).not.toMatch(pattern)
}

function expectHarmlessValues({ outputs, state }: Left): void {
  const ours = new Set<string>(actionOutputs.main)
  expect(Object.keys(outputs).filter((name) => !ours.has(name))).toEqual([])
  expect(CONCLUSIONS).toContain(outputs['conclusion'])
  expect(outputs['duration'] ?? '0').toMatch(/^\d+$/)
  expect(outputs['run-url'] ?? '').toMatch(/^$|^https?:\/\/[^\s@"<>\\`]+$/)
  for (const value of Object.values(outputs)) {
    expect(value).not.toMatch(UNPRINTABLE)
    expect(Buffer.byteLength(value)).toBeLessThan(MAX_OUTPUT_BYTES)
  }
  expect(Object.keys(state).filter((name) => !/^(facts|planned|started|mode|settled)$/.test(name))).toEqual(
    [],
  )
  for (const value of Object.values(state)) {
    expect(() => void JSON.parse(value)).not.toThrow()
    expect(Buffer.byteLength(value)).toBeLessThan(MAX_STATE_BYTES)
  }
}

/**
 * Text in which no Markdown parser finds anything: every character with a meaning is a numeric entity, and `$`,
 * with which GitHub writes formulas, is one too.
 */
const TEXT = String.raw`(?:[^\\\x60*_{}[\]()<>#+!|~&@:.$\-\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]|&#\d{2,3};)+`
const LINK = String.raw`\[(?:${TEXT})?\]\(https?://[^\s()<>\\|"\x60]+\)`
const SUMMARY = [
  String.raw`^### \p{Extended_Pictographic}\uFE0F? ZenML run(?: of (?:${TEXT})?)?: [a-z-]+\n\n`,
  String.raw`(?:\| \| \|\n\| --- \| --- \|\n(?:\| (?:Run|State in ZenML|Followed for) \| (?:${LINK}|${TEXT}) \|\n)+\n)?`,
  String.raw`(?:${TEXT}\n)?\n*$`,
].join('')

function expectHarmlessSummary(block: string): void {
  expect(block).toMatch(new RegExp(SUMMARY, 'u'))
  expect(Buffer.byteLength(block)).toBeLessThan(100_000)
}
