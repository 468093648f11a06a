import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { expectations as input } from '../../../src/github/inputs/expectations.ts'

function readConditions(text: string) {
  const { data, error } = input.safeParse(text)
  return { expectations: data ?? [], faults: (error?.issues ?? []).map(({ message }) => message) }
}

test('each line is a condition; empty lines and comments are not', () => {
  const text = `
    train.accuracy >= 0.9
    # what the data must have
    load.rows>1000
    stage == "production, eu"
    converged == true
    val/f1 != -1e-3
    note == 'it''s'`.replace("''s", 's')
  expect(readConditions(text)).toEqual({
    expectations: [
      { name: 'train.accuracy', operator: '>=', wanted: 0.9 },
      { name: 'load.rows', operator: '>', wanted: 1000 },
      { name: 'stage', operator: '==', wanted: 'production, eu' },
      { name: 'converged', operator: '==', wanted: true },
      { name: 'val/f1', operator: '!=', wanted: -0.001 },
      { name: 'note', operator: '==', wanted: 'its' },
    ],
    faults: [],
  })
})

test('a name in quotes is one key, whatever is in it', () => {
  const text = `"val.accuracy" >= 0.9\n  'a >= "b" = c' == "x"\n"loss" <= baseline`
  expect(readConditions(text)).toEqual({
    expectations: [
      { name: '"val.accuracy"', operator: '>=', wanted: 0.9 },
      { name: `'a >= "b" = c'`, operator: '==', wanted: 'x' },
      { name: '"loss"', operator: '<=', wanted: { offset: 0, isPercent: false } },
    ],
    faults: [],
  })
})

test.each(['train."val.accuracy"', '"train".accuracy', "train.'val.accuracy'", '"train', '""'])(
  'quotes belong around the whole name: %s',
  (name) => {
    const shown = JSON.stringify(name)
    expect(readConditions(`  ${name} >= 0.9`)).toEqual({
      expectations: [],
      faults: [`line 1, column 3: ${shown} has quotes inside; put the whole name in quotes, or none of it`],
    })
  },
)

test('the baseline is a bound, with at most one number', () => {
  const text = 'a >= baseline\nb>baseline-0.01\nc <= baseline + 5 %\nd != baseline +.5%\ne == "baseline"'
  const bound = (offset: number, isPercent = false) => ({ offset, isPercent })
  expect(readConditions(text)).toEqual({
    expectations: [
      { name: 'a', operator: '>=', wanted: bound(0) },
      { name: 'b', operator: '>', wanted: bound(-0.01) },
      { name: 'c', operator: '<=', wanted: bound(5, true) },
      { name: 'd', operator: '!=', wanted: bound(0.5, true) },
      { name: 'e', operator: '==', wanted: 'baseline' },
    ],
    faults: [],
  })
})

test.each([
  'baseline * 0.9',
  'baseline - 0.1 - 0.1',
  'baseline + x',
  'baselines',
  'baseline -',
  'baseline + 5 % 2',
])('no other arithmetic is taken: %s', (bound) => {
  const { expectations, faults } = readConditions(`accuracy >= ${bound}`)
  expect(expectations).toEqual([])
  expect(faults).toEqual([expect.stringMatching(/^line 1, column 13: /)])
})

test('what is written is what is read', () => {
  const name = fc.stringMatching(/^[A-Za-z_][\w./:-]{0,20}$/)
  const wanted = fc.oneof(
    fc
      .double({ noNaN: true, noDefaultInfinity: true })
      .filter((number) => !/^-?\d+$/.test(String(number)) || Number.isSafeInteger(number)),
    fc.stringMatching(/^[^"\r\n]{0,20}$/),
  )
  const operator = fc.constantFrom('==', '!=', '<', '<=', '>', '>=')
  fc.assert(
    fc.property(fc.array(fc.record({ name, operator, wanted }), { maxLength: 5 }), (conditions) => {
      const lines = conditions.map(
        (each) =>
          `${each.name} ${each.operator} ${typeof each.wanted === 'string' ? `"${each.wanted}"` : each.wanted}`,
      )
      const { expectations, faults } = readConditions(lines.join('\n'))
      expect(faults).toEqual([])
      expect(expectations).toEqual(
        conditions.map((each) => ({ ...each, wanted: Object.is(each.wanted, -0) ? 0 : each.wanted })),
      )
    }),
  )
})

test('any text gives conditions or faults with a place inside it', () => {
  const parts = fc.constantFrom(
    'a',
    '.',
    ' ',
    '=',
    '!',
    '<',
    '>',
    '"',
    '9',
    '\n',
    '#',
    '\u2028',
    'true',
    '::',
  )
  fc.assert(
    fc.property(fc.array(parts, { maxLength: 30 }), (pieces) => {
      const text = pieces.join('')
      const lines = text.split('\n')
      const { expectations, faults } = readConditions(text)
      const written = lines.filter((line) => line.trim() !== '' && !line.trim().startsWith('#'))
      expect(faults.length).toBeLessThanOrEqual(Math.min(5, written.length))
      if (faults.length === 0) expect(expectations).toHaveLength(written.length)
      for (const line of faults) {
        const [, row = '', column = ''] = /^line (\d+), column (\d+): \S/.exec(line) ?? []
        expect(Number(column)).toBeGreaterThanOrEqual(1)
        expect(Number(column)).toBeLessThanOrEqual((lines[Number(row) - 1] ?? '').length + 1)
        expect(line).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u)
      }
    }),
  )
})

test.each([
  '9007199254740992',
  '9007199254740993',
  '-9007199254740993',
  '123456789012345678901',
  '1e999',
  '-1e400',
])('the number %s could not be told from others, and is refused', (number) => {
  expect(readConditions(`rows == ${number}`)).toEqual({
    expectations: [],
    faults: [
      `line 1, column 9: "${number}" has more digits than JSON can carry exactly; log it as a string, and put it in quotes here`,
    ],
  })
})

test.each(['9007199254740991', '1e300', '1e16', '0.30000000000000004', '.25', '+5.', '-2.5E-10'])(
  'the number %s is taken',
  (number) => {
    expect(readConditions(`rows < ${number}`)).toEqual({
      expectations: [{ name: 'rows', operator: '<', wanted: Number(number) }],
      faults: [],
    })
  },
)

test.each([
  ['0.9 <= train.accuracy', 8, 'write train.accuracy >= 0.9'],
  ['0.9 < train.accuracy', 7, 'write train.accuracy > 0.9'],
  ['0.9 >= train.accuracy', 8, 'write train.accuracy <= 0.9'],
  ['0.9 > train.accuracy', 7, 'write train.accuracy < 0.9'],
  ['"prod" == stage', 11, 'write stage == "prod"'],
  ["'prod eu' != stage", 14, "write stage != 'prod eu'"],
  ["'prod, eu' == stage", 15, 'put a string in quotes'],
  ['"a" + "b" == stage', 14, 'put a string in quotes'],
  ['untrue == stage', 11, 'put a string in quotes'],
  ['true-ish == stage', 13, 'put a string in quotes'],
  ['0.9 == 2fast', 8, 'put a string in quotes'],
  ['0.9 == fast*', 8, 'put a string in quotes'],
  [`${'9'.repeat(60)} == stage`, 65, `write stage == ${'9'.repeat(60)}`],
  [`${'9'.repeat(61)} == stage`, 66, 'put a string in quotes'],
  ['accuracy >= 0.9 && loss < 1', 13, 'write one condition per line'],
  ['accuracy >= 0.9, loss < 1', 13, 'write one condition per line'],
  ['accuracy >= 0.9 loss < 1', 13, 'write one condition per line'],
  ['converged == true and rows > 5', 14, 'write one condition per line'],
  ['accuracy >= best, or nearly', 13, 'write one condition per line'],
  ['accuracy >= best or nearly', 13, 'write one condition per line'],
  ['accuracy >= 0,9', 13, 'write 0.9'],
  ['loss <= -12,25', 9, 'write -12.25'],
  ['loss <= 0,125', 9, 'write 0.125'],
  ['rows >= 1,000', 9, 'put a string in quotes'],
  ['stage == production', 10, 'put a string in quotes'],
  ['stage == random word', 10, 'put a string in quotes'],
  ['stage == grand or-bit', 10, 'put a string in quotes'],
  ['stage == "prod" # all', 10, 'put a string in quotes'],
  ['stage == my "prod"', 10, 'put a string in quotes'],
  ["stage == 'prod' # all", 10, 'put a string in quotes'],
  ["stage == my 'prod'", 10, 'put a string in quotes'],
])('%s: the line says what to write', (line, column, advice) => {
  const value = line.slice(column - 1)
  expect(readConditions(line).faults).toEqual([
    `line 1, column ${column}: "${value.replaceAll('"', '\\"')}" is not a number, true, false, or a string in quotes; ${advice}`,
  ])
})

const EXAMPLE = 'write a condition such as train.accuracy >= 0.9'
test.each([
  ['  accuracy ', 3, `"accuracy" has no comparison; ${EXAMPLE}`],
  ['>= 0.9', 1, 'there is no name before the comparison; write it as in train.accuracy >= 0.9'],
  ['  >= 0.9', 3, 'there is no name before the comparison; write it as in train.accuracy >= 0.9'],
  [' - accuracy >= 0.9', 2, 'a condition cannot be a list item; write it as in train.accuracy >= 0.9'],
  ['* "val.accuracy" >= 0.9', 1, 'a condition cannot be a list item; write it as in train.accuracy >= 0.9'],
  ['stage = "prod"', 7, '"=" is not a comparison; did you mean ==?'],
  ['stage === "prod"', 7, '"===" is not a comparison; did you mean ==?'],
  ['stage =< 5', 7, '"=<" is not a comparison; write one of == != < <= > >='],
  ['stage !', 7, '"!" is not a comparison; write one of == != < <= > >='],
  ['loss <', 7, 'there is no value after <; write it as in train.accuracy >= 0.9'],
  ['converged >= true', 14, 'true has no order; compare it with == or !='],
  ['converged < false', 13, 'false has no order; compare it with == or !='],
])('%s is no condition, and the line says why', (line, column, problem) => {
  expect(readConditions(line)).toEqual({ expectations: [], faults: [`line 1, column ${column}: ${problem}`] })
})

test.each(['==', '!='] as const)('a yes or no can be compared by %s', (operator) => {
  expect(readConditions(`a ${operator} true\nb ${operator} false\n c${operator}"true"`).expectations).toEqual(
    [
      { name: 'a', operator, wanted: true },
      { name: 'b', operator, wanted: false },
      { name: 'c', operator, wanted: 'true' },
    ],
  )
})

test('of many wrong lines the first five are named', () => {
  const { faults } = readConditions('x\n'.repeat(9))
  expect(faults.map((fault) => fault.slice(0, 7))).toEqual([1, 2, 3, 4, 5].map((line) => `line ${line},`))
})
