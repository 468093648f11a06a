import { readdirSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from '@jest/globals'
import { projectFile } from './markdown.ts'

const ROOT = path.join(import.meta.dirname, '../..')

/** All texts that the action or a server can say, with texts that the code puts together in one piece. */
const said = ['src', 'simulator']
  .flatMap((folder) =>
    readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => projectFile(path.join(folder, name))),
  )
  .join('\n')
  .replaceAll(/['"`]\s*\+\s*['"`]/g, '')

const headings = [...projectFile('docs/troubleshooting.md').matchAll(/^### `(.*)`$/gm)].map(
  ([, heading = '']) => heading,
)

/** What the code puts into its sentences when the action runs. */
const FILLED_IN =
  /…|: |Cancelled\. |\d{3}|\b(?:log in|the server|something that is not a ZenML API|snapshot|run templates?)\b/

/** The pieces of a heading that stand in the code as they are. */
function fixedParts(heading: string): string[] {
  return heading
    .replace(/^[a-z-]+: /, '')
    .split(FILLED_IN)
    .map((part) => part.replace(/^[\s;.,()]+|[\s;.,()]+$/g, ''))
    .filter((part) => part.length > 3)
}

test('the guide has errors to explain', () => {
  expect(headings.length).toBeGreaterThan(20)
})

test.each(headings)('the error "%s" is one that a user can meet', (heading) => {
  const unknown = fixedParts(heading).filter((part) => !said.includes(part))
  expect(unknown).toEqual([])
})
