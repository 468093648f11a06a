import { z } from 'zod'

import type { Expectation, Operator } from '../../run/outcome/evaluate-expectations.ts'
import { quote } from '../../base/printable.ts'
import { unquoted } from '../../base/words.ts'

type ParsedLine =
  | { readonly ok: true; readonly expectation: Expectation }
  | { readonly ok: false; readonly column: number; readonly problem: string }

const OPERATORS: readonly Operator[] = ['==', '!=', '<', '<=', '>', '>=']

const MAX_FAULTS = 5
const MAX_WORDS_LENGTH = 60
const EXAMPLE = 'train.accuracy >= 0.9'
const NUMBER = /^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/i

/** One condition per line, empty lines and lines that begin with # aside. */
export const expectations = z.string().transform((text, context): readonly Expectation[] => {
  const found: Expectation[] = []
  const faults: string[] = []
  for (const [index, line] of text.split(/\r\n|\r|\n/).entries()) {
    if (/^\s*(?:#|$)/.test(line)) continue
    const parsed = parseLine(line)
    if (parsed.ok) found.push(parsed.expectation)
    else faults.push(`line ${index + 1}, column ${parsed.column}: ${parsed.problem}`)
  }
  for (const fault of faults.slice(0, MAX_FAULTS)) context.addIssue(fault)
  return found
})

function parseLine(line: string): ParsedLine {
  // Within quotes, a name may have any character.
  const [nameInQuotes = ''] = /^\s*(?:"[^"]*"|'[^']*')/.exec(line) ?? []
  const comparison = /[=!<>]+/.exec(line.slice(nameInQuotes.length))
  if (comparison === null) {
    return fault(line, 0, `${shown(line.trim())} has no comparison; write a condition such as ${EXAMPLE}`)
  }
  const [sign] = comparison
  const at = nameInQuotes.length + comparison.index
  const name = line.slice(0, at).trim()
  if (name === '') return fault(line, at, `there is no name before the comparison; write it as in ${EXAMPLE}`)
  if (/^[-*]\s/.test(name))
    return fault(line, 0, `a condition cannot be a list item; write it as in ${EXAMPLE}`)
  const operator = OPERATORS.find((known) => known === sign)
  if (operator === undefined) {
    const hint = sign === '=' || sign === '===' ? 'did you mean ==?' : `write one of ${OPERATORS.join(' ')}`
    return fault(line, at, `${shown(sign)} is not a comparison; ${hint}`)
  }
  const from = at + sign.length
  const value = line.slice(from).trim()
  const column = from + (line.slice(from).length - line.slice(from).trimStart().length)
  const parsed = readValue(value, column, line, name, operator)
  return parsed.ok && hasStrayQuotes(name) ? fault(line, 0, `${shown(name)} ${STRAY_QUOTES}`) : parsed
}

export const STRAY_QUOTES = 'has quotes inside; put the whole name in quotes, or none of it'

/** Whether a name has quotes that are not around all of it: no value would be found under it. */
export function hasStrayQuotes(name: string): boolean {
  return (unquoted(name) ?? '') === '' && /"|\.'/.test(name)
}

function readValue(text: string, column: number, line: string, name: string, operator: Operator): ParsedLine {
  if (text === '')
    return fault(line, column, `there is no value after ${operator}; write it as in ${EXAMPLE}`)
  if (text === 'true' || text === 'false') {
    if (operator !== '==' && operator !== '!=') {
      return fault(line, column, `${text} has no order; compare it with == or !=`)
    }
    return { ok: true, expectation: { name, operator, wanted: text === 'true' } }
  }
  if (/^baseline\b/i.test(text)) return readBound(text, column, line, name, operator)
  if (NUMBER.test(text)) {
    const wanted = Number(text)
    const isExact = Number.isFinite(wanted) && !(/^[-+]?\d+$/.test(text) && !Number.isSafeInteger(wanted))
    if (isExact) return { ok: true, expectation: { name, operator, wanted } }
    const advice = 'log it as a string, and put it in quotes here'
    return fault(line, column, `${shown(text)} has more digits than JSON can carry exactly; ${advice}`)
  }
  const wanted = unquoted(text)
  if (wanted !== undefined) return { ok: true, expectation: { name, operator, wanted } }
  const advice = valueAdvice(text, name, operator)
  return fault(line, column, `${shown(text)} is not a number, true, false, or a string in quotes; ${advice}`)
}

const BOUND = /^baseline(?:\s*([+-])\s*(\d+\.?\d*|\.\d+)\s*(%?))?$/

function readBound(text: string, column: number, line: string, name: string, operator: Operator): ParsedLine {
  const found = BOUND.exec(text)
  if (found === null) {
    const forms = 'write baseline alone, or with one number, as in baseline - 0.01 or baseline + 5 %'
    return fault(line, column, `${shown(text)} is not a value to compare with; ${forms}`)
  }
  const [, sign, amount = '0', percent = ''] = found
  const offset = Number(amount) * (sign === '-' ? -1 : 1)
  return { ok: true, expectation: { name, operator, wanted: { offset, isPercent: percent !== '' } } }
}

/** What the line says when it is read from right to left. */
const REVERSED: Readonly<Record<Operator, Operator>> = {
  '==': '==',
  '!=': '!=',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
}

function valueAdvice(text: string, name: string, operator: Operator): string {
  if (/[=!<>]|&&|\|\||[,;]\s|\s(?:and|or)\s/i.test(text)) return 'write one condition per line'
  // In 1,000 the comma may stand between thousands.
  if (/^[-+]?(?:0,\d+|\d+,(?!\d{3}$)\d+)$/.test(text)) return `write ${text.replace(',', '.')}`
  const isReversed = NUMBER.test(name) || /^(?:true|false|"[\w .-]*"|'[\w .-]*')$/.test(name)
  if (!isReversed || name.length > MAX_WORDS_LENGTH || !/^[A-Za-z_][\w.-]{0,100}$/.test(text))
    return 'put a string in quotes'
  return `write ${text} ${REVERSED[operator]} ${name}`
}

function shown(words: string): string {
  return quote(words, MAX_WORDS_LENGTH)
}

/** @param offset counts from 0 */
function fault(line: string, offset: number, problem: string): ParsedLine {
  const indentation = line.length - line.trimStart().length
  return { ok: false, column: Math.max(offset, indentation) + 1, problem }
}
