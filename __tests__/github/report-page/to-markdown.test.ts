import { expect, test } from '@jest/globals'
import { readMarkdown } from '../../../src/github/report-page/read-markdown.ts'
import { toMarkdown } from '../../../src/github/report-page/to-markdown.ts'

test('an empty item, which would make a heading of the one before it, is left out', () => {
  const list = readMarkdown('- Approved by security\n    - \n- last')
  expect(toMarkdown(list, { blocks: 9, lines: 9 })).toBe('- Approved by security\n- last')
})
