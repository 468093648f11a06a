import { expect, test } from '@jest/globals'
import { expandMatrix } from '../../../src/github/sweep/matrix.ts'

const fruits = { fruit: ['apple', 'pear'], animal: ['cat', 'dog'] }

test('the first list varies slowest, as in a matrix of jobs', () => {
  expect(expandMatrix(fruits).cells).toEqual([
    { fruit: 'apple', animal: 'cat' },
    { fruit: 'apple', animal: 'dog' },
    { fruit: 'pear', animal: 'cat' },
    { fruit: 'pear', animal: 'dog' },
  ])
})

test("include does what GitHub's own example says", () => {
  const include = [
    { color: 'green' },
    { color: 'pink', animal: 'cat' },
    { fruit: 'apple', shape: 'circle' },
    { fruit: 'banana' },
    { fruit: 'banana', animal: 'cat' },
  ]
  expect(expandMatrix({ ...fruits, include }).cells).toEqual([
    { fruit: 'apple', animal: 'cat', color: 'pink', shape: 'circle' },
    { fruit: 'apple', animal: 'dog', color: 'green', shape: 'circle' },
    { fruit: 'pear', animal: 'cat', color: 'pink' },
    { fruit: 'pear', animal: 'dog', color: 'green' },
    { fruit: 'banana' },
    { fruit: 'banana', animal: 'cat' },
  ])
})

test('include alone makes one cell of each entry', () => {
  const include = [{ 'train.epochs': 5 }, { 'train.epochs': 20, seed: 1 }]
  expect(expandMatrix({ include }).cells).toEqual(include)
})

test('exclude removes what has all that an entry says, before anything is included', () => {
  const exclude = [{ fruit: 'apple', animal: 'dog' }, { animal: 'cat' }]
  const include = [{ fruit: 'apple', animal: 'dog' }]
  expect(expandMatrix({ ...fruits, exclude, include }).cells).toEqual([
    { fruit: 'pear', animal: 'dog' },
    { fruit: 'apple', animal: 'dog' },
  ])
})

test('values may be lists and mappings', () => {
  const layers = [[8, 8], [16]]
  expect(expandMatrix({ layers, exclude: [{ layers: [16] }] }).cells).toEqual([{ layers: [8, 8] }])
})

test.each([
  [{ epochs: 5 }, ['"epochs" is not a list; write its values in brackets, such as [1, 2]']],
  [
    { epochs: [], seed: 'a' },
    [
      '"epochs" is an empty list, so there is nothing to run; give it a value',
      '"seed" is not a list; write its values in brackets, such as [1, 2]',
    ],
  ],
  [{ include: { a: 1 } }, ['include is not a list of mappings; write it as in include: [{train.epochs: 5}]']],
  [
    { a: [1], exclude: [1] },
    ['exclude is not a list of mappings; write it as in exclude: [{train.epochs: 5}]'],
  ],
  [{ a: [1], exclude: [{ b: 1 }] }, ['exclude names "b", which has no list in the matrix']],
  // GitHub would run what was to be left out.
  [
    { a: [0.5, 1], exclude: [{ a: '0.5' }, { a: 1 }] },
    [
      'exclude has "{\\"a\\":\\"0.5\\"}", which no combination has; write the values as the lists have them, or remove it',
    ],
  ],
  [{ a: [1], exclude: [{ a: 1 }] }, ['has no combination, so there is nothing to run']],
  [{}, ['has no combination, so there is nothing to run']],
  [{ a: numbers(257) }, ['has 257 combinations, and at most 256 are allowed']],
  [{ a: numbers(300), b: numbers(300) }, ['has 90,000 combinations, and at most 256 are allowed']],
])('%j: the problems %j', (matrix, problems) => {
  expect(expandMatrix(matrix)).toEqual({ problems })
})

test('256 cells are allowed, and what is excluded does not count', () => {
  expect(expandMatrix({ a: numbers(257), exclude: [{ a: 0 }] }).cells).toHaveLength(256)
})

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}
