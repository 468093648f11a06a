import { expect, test } from '@jest/globals'
import { PERMISSIONS } from '../../e2e/cases/permissions.ts'
import { projectFile, section } from './markdown.ts'

test('the guide lists the permissions that were taken away one by one, and no others', () => {
  const table = section(projectFile('docs/pro.md'), '## Permissions')
  const listed = [...table.matchAll(/^\| ((?:read|create|update|promote) [^|]*?) +\|/gm)].flatMap(
    ([, cell = '']) => cell.split(', '),
  )
  const tried = PERMISSIONS.map(({ name }) => name.replace(/^permission: /, '').replace(/, .*$/, ''))
  expect(listed.length).toBeGreaterThan(10)
  expect([...listed].sort()).toEqual([...new Set(tried)].sort())
})
