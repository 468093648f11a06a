import { existsSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from '@jest/globals'
import { APART } from '../../mutation/apart.ts'
import { TESTS_LEFT_OUT, TOPICS } from '../../mutation/topics.ts'

const root = path.join(import.meta.dirname, '../..')

test('what is changed for the mutation score, and which tests are left out, is where it is said to be', () => {
  const files = [
    ...Object.values(TOPICS)
      .flat()
      .map((file) => `src/${file}`),
    ...TESTS_LEFT_OUT,
    ...APART.map(({ file }) => file),
  ]
  expect(files.filter((file) => !existsSync(path.join(root, file)))).toEqual([])
})
