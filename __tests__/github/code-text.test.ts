import { expect, test } from '@jest/globals'
import { codeLine, codeText, otherCode } from '../../src/github/code-text.ts'
import type { CodeSource } from '../../src/zenml/code-source.ts'
import { definition } from './run-events.ts'
import { recordOf } from './records.ts'

const { code } = definition
const NOTHING: CodeSource = {
  kind: undefined,
  name: undefined,
  madeAt: undefined,
  madeBy: undefined,
  recordedAt: undefined,
  commit: undefined,
  stack: undefined,
}
const named = { ...NOTHING, kind: 'snapshot', name: 'nightly' } as const
const plain = (text: string): string => text

test.each<[string | undefined, CodeSource]>([
  ['Snapshot nightly, made 5 Jan 2026 by ann from commit 0123456, stack production', code],
  [
    'Run template nightly, made 5 Jan 2026 by ann from commit 0123456',
    { ...code, kind: 'template', stack: undefined },
  ],
  ['Snapshot nightly, made 5 Jan 2026 by ann, stack production', { ...code, commit: undefined }],
  ['Snapshot nightly, made 5 Jan 2026', { ...named, madeAt: code.madeAt }],
  ['Snapshot nightly, made by ann', { ...named, madeBy: 'ann' }],
  ['Snapshot nightly, stack production', { ...named, stack: 'production' }],
  ['Snapshot nightly', named],
  ['Snapshot nightly, made from commit 0123abc', { ...named, commit: '0123abc' }],
  ['Snapshot nightly', { ...named, madeAt: 1e18 }],
  ['Code of commit 0123456, stack production', { ...code, kind: undefined, name: undefined }],
  [undefined, { ...NOTHING, stack: 'production' }],
])('%j: what is not known is left out', (line, from) => {
  expect(codeText(from, plain)).toBe(line)
})

test('a template of code that was recorded on another day says which, unless there is a commit', () => {
  const template = { ...code, kind: 'template', recordedAt: Date.UTC(2025, 8, 30) } as const
  expect(codeText(template, plain)).toMatch(/made 5 Jan 2026 by ann from commit 0123456, /)
  expect(codeText({ ...template, commit: undefined }, plain)).toBe(
    'Run template nightly, made 5 Jan 2026 by ann with code from 30 Sep 2025, stack production',
  )
  const sameDay = { ...template, commit: undefined, recordedAt: Date.UTC(2026, 0, 5) }
  expect(codeText(sameDay, plain)).not.toContain('with code from')
})

const HEAD = 'a'.repeat(40)
const MERGE = 'b'.repeat(40)
const BASE = 'c'.repeat(40)

test.each([
  [{ head: HEAD, merge: MERGE, workflow: undefined }, ' · for commit `aaaaaaa`'],
  [{ head: undefined, merge: undefined, workflow: BASE }, ' · workflow at commit `ccccccc`'],
  [
    { head: HEAD, merge: undefined, workflow: BASE },
    ' · for commit `aaaaaaa` · workflow at commit `ccccccc`',
  ],
])('the line of %j ends with %j', (commits, end) => {
  const line = codeLine(recordOf({ code, commits }))
  expect(line).toBe(
    `Snapshot \`nightly\`, made 5 Jan 2026 by \`ann\` from commit \`0123456\`, stack \`production\`${end}`,
  )
})

test.each([
  [{ head: HEAD, merge: MERGE, workflow: undefined }, 'For commit `aaaaaaa`'],
  [{ head: undefined, merge: undefined, workflow: BASE }, 'Workflow at commit `ccccccc`'],
])('where nothing is known of the code, as after a failed login, the line of %j is %j', (commits, line) => {
  expect(codeLine(recordOf({ commits }))).toBe(line)
})

test('on a pull request with another commit, one sentence says whose code runs and what to do', () => {
  expect(otherCode(code, { head: HEAD, merge: MERGE, workflow: undefined })).toBe(
    'The run uses the code of "nightly", which was made from commit 0123456, not from the pull request\'s head aaaaaaa. ' +
      "To run the pull request's own code, create a snapshot of it first: " +
      'see "Train the pull request\'s own code" in this action\'s documentation (docs/pull-requests.md)',
  )
})

const PULL = { head: HEAD, merge: MERGE, workflow: undefined }
test.each<[string, CodeSource | undefined, Parameters<typeof otherCode>[1]]>([
  ['its own commit', { ...code, commit: HEAD.toUpperCase() }, PULL],
  ['the commit as it would be merged, which actions/checkout takes', { ...code, commit: MERGE }, PULL],
  ['no commit that the server knows', { ...code, commit: undefined }, PULL],
  ['an abbreviated commit', { ...code, commit: '0123456' }, PULL],
  ['nothing known', undefined, PULL],
  ['a push', code, { head: undefined, merge: undefined, workflow: BASE }],
])('with %s there is nothing to tell', (_, from, commits) => {
  expect(otherCode(from, commits)).toBeUndefined()
})
