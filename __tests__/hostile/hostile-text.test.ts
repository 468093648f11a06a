import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import fc from 'fast-check'
import { anyText } from '../any-text.ts'
import { hostileTexts } from './hostile-texts.ts'
import { inputRoads, roads, type Road } from './hostile-roads.ts'
import { annotations, expectHarmless } from './runner-view.ts'
import { put, type Tamper } from './tampering-server.ts'
import { RunnerFiles, takeStep, type StepView } from './workflow-step.ts'

const golden = fileURLToPath(new URL('../golden/hostile.txt', import.meta.url))

jest.setTimeout(30_000)

let files: RunnerFiles
beforeAll(() => {
  files = new RunnerFiles()
})
afterAll(() => {
  files.remove()
})

async function travel(road: Road, text: string): Promise<StepView> {
  const view = await takeStep(files, road.step(text))
  expect(view.crash).toBeUndefined()
  expectHarmless(view, view.tokens)
  return view
}

const find = (title: string): Road => roads.find((road) => road.title === title)!
const failing = find('a run that fails')
const blocks: string[] = []

/** How a text shows in each place; the server's address differs from run to run. */
function shown(title: string, { stdout, outputs, summary, url }: StepView): string {
  const lines = [
    ...stdout
      .split('\n')
      .map((line) => line.replace(/^::group::/, '▼ '))
      .filter((line) => !line.startsWith('::')),
    ...annotations({ stdout }).map(({ name, data }) => `${name}: ${data}`),
    `outputs: ${outputs['pipeline'] ?? ''} | ${outputs['error'] ?? ''}`,
    ...summary.split('\n'),
  ]
  const known = lines
    .filter((line) => line.trim() !== '')
    .map((line) =>
      line.replaceAll(url, 'https://zenml.example.com').replaceAll(/127&#46;0&#46;0&#46;1&#58;\d+/g, 'HOST'),
    )
    .map((line) => line.replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'ID'))
    .map((line) =>
      line.length > 600 ? `${line.slice(0, 600).replace(/\p{Cs}/gu, '')}… (${line.length})` : line,
    )
  return `# ${title}\n${known.join('\n')}\n`
}

test.each(hostileTexts)(
  '$title does nothing, in whatever place of a run that fails',
  async ({ title, text }) => {
    const view = await travel(failing, text)
    expect(view.outputs['conclusion']).toBe('failed')
    blocks.push(shown(title, view))
  },
)

test('each text reads as in the golden file (npm run test:golden writes it anew)', () => {
  const lines = blocks.join('\n')
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(golden, lines)
  expect(existsSync(golden) ? readFileSync(golden, 'utf8') : '').toBe(lines)
})

/** The whole zoo at once: what one kind of place lets through is seen at one of its lines. */
const zoo = hostileTexts
  .map(({ text }) => text)
  .filter((text) => text.length < 1_000)
  .join('\n')
/** Short enough to be shown whole everywhere. */
const short =
  '::error::forged\n##[error]forged\r::set-output name=status::completed\uD800|`<b>[x](y)@a/b #1$x$'

describe.each([...roads, ...inputRoads])('$title', (road) => {
  test.each(
    ['', short, zoo, 'x'.repeat(200_000)].map((text) => ({
      text,
      name: JSON.stringify(text).slice(0, 40),
    })),
  )('with $name', async ({ text }) => {
    await travel(road, text)
  })
})

const pro = (dashboard: string): Tamper => {
  const change = (real: unknown): unknown =>
    put('dashboard_url', dashboard)(put('deployment_type', 'cloud')(real))
  return (route) => (route === 'info' ? { kind: 'json', change } : undefined)
}

test.each([
  'javascript:alert(1)',
  'JaVaScRiPt:alert(1)//https://cloud.example.com',
  'data:text/html,<script>alert(1)</script>',
  'vbscript:x',
  'file:///etc/passwd',
  'ftp://cloud.example.com',
  'https://admin:hunter2@cloud.example.com',
  'https://admin@cloud.example.com',
  '//cloud.example.com',
  '/relative',
  'https://',
  'https://exa mple.com',
  'blob:https://cloud.example.com/x',
  '',
])('a dashboard at %j gives no link', async (dashboard) => {
  const view = await takeStep(files, { tamper: pro(dashboard), changes: { wait: false } })
  expect(view.succeeded).toBe(true)
  expect(view.outputs['run-url']).toBe('')
  expect(view.summary).not.toContain('](')
  expect(view.stdout).not.toContain('hunter2')
  expectHarmless(view, view.tokens)
})

test.each([
  'https://cloud.example.com/workspaces/team',
  'https://cloud.example.com/a)(b|c"d\'e`f[g]<h>',
  'https://cloud.example.com/?`a`#`b`',
  'http://[::1]:8080/\u202Ex',
])('a dashboard at %j gives one link, there', async (dashboard) => {
  const view = await takeStep(files, { tamper: pro(dashboard), changes: { wait: false } })
  expect(view.outputs['run-url']).toMatch(/^https?:\/\/(cloud\.example\.com|\[::1\]:8080)\//)
  expect(view.summary.match(/\]\(/g)).toHaveLength(1)
  expectHarmless(view, view.tokens)
})

/** Pieces that mean something to a reader of logs, files or Markdown, between anything else. */
const piece = fc.oneof(
  fc.constantFrom(
    '::',
    '##[',
    '%0A',
    '\n',
    '\r',
    '\u2028',
    '\u001B[31m',
    '<',
    '`',
    '[',
    '](',
    '|',
    '@',
    '#',
    '\0',
    '\uD800',
  ),
  fc.constantFrom(
    'error',
    'add-mask',
    'set-output name=x',
    'stop-commands',
    ']',
    '<<EOF',
    '=',
    '${{',
    'File "',
    '$',
    '\u202E',
  ),
  fc.constantFrom(...hostileTexts.map(({ text }) => text).filter((text) => text.length < 1_000)),
  anyText(20),
)
const anything = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''))

test('whatever stands in every place at once, no command and no value is there but ours', async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...roads), anything, async (road, text) => {
      await travel(road, text)
    }),
    { numRuns: 40, seed: 4711 },
  )
})
