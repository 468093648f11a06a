import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'
import type { PipelineSpec, VisualizationSpec } from '../../simulator/index.ts'
import { shapeOf } from '../github/markdown-reader.ts'
import { elementsOf, unescapedHtml } from '../github/report-page/html-reader.ts'
import { hostileTexts } from './hostile-texts.ts'
import { expectHarmless } from './runner-view.ts'
import { RunnerFiles, takeStep, type StepView } from './workflow-step.ts'

jest.setTimeout(30_000)

let files: RunnerFiles
const reportFolder = mkdtempSync(path.join(tmpdir(), 'reports-'))
beforeAll(() => {
  files = new RunnerFiles()
})
afterAll(() => {
  files.remove()
  rmSync(reportFolder, { recursive: true })
})

/** One step whose output `o` shows these things. */
function showing(visualizations: readonly VisualizationSpec[], output = 'o'): PipelineSpec {
  const step = {
    name: 's',
    seconds: 0.1,
    outputs: { [output]: 'builtins.str' },
    visualizations: { [output]: visualizations },
  }
  const chosen = visualizations.map((_, index) => ({ step: 's', output, index, name: output }))
  return { name: 'shown', steps: [step], chosen: output === 'o' ? [] : chosen.slice(0, 1) }
}

interface Seen {
  readonly view: StepView
  readonly page: string
}

/** What a step shows of such a run. Fails if anything of it could do something. */
async function look(pipeline: PipelineSpec): Promise<Seen> {
  const view = await takeStep(files, {
    tamper: () => undefined,
    server: { pipelines: [pipeline] },
    changes: { target: { kind: 'template', reference: 'shown-template' }, visualizations: true },
    reportFolder,
  })
  expect(view.crash).toBeUndefined()
  expect(view.succeeded).toBe(true)
  expectHarmless(view, view.tokens)
  const page = readFileSync(view.outputs['report'] ?? '', 'utf8')
  elementsOf(page)
  return { view, page }
}

const all = (value: string): VisualizationSpec[] =>
  ['markdown', 'csv', 'json', 'html', 'image'].map((type) => ({ type, value }))

test.each(hostileTexts)('$title does nothing, in whatever an artifact shows', async ({ text }) => {
  const inEveryPlace = `# ${text}\n\n- ${text}\n\n| ${text} |\n| --- |\n| ${text} |\n\n${text}`
  // A long one is about time and memory, which five of its kind show as well as thirty.
  await look(showing(text.length < 10_000 ? [...all(text), ...all(inEveryPlace)] : all(text)))
})

test.each(hostileTexts.filter(({ text }) => text.length < 1_000 && text.trim() !== ''))(
  '$title does nothing as the name of an artifact, of a chosen visualization or a type',
  async ({ text }) => {
    await look(showing([...all('x'), { type: text, value: 'x' }], text))
  },
)

const MARKDOWN = `Heading
===
# One
####### Seven
![picture](https://evil.example.com/x.png) [click](javascript:alert(1)) [ref]: https://evil.example.com
[ref][ref] <https://evil.example.com> https://evil.example.com www.evil.example.com evil@example.com
@octocat octo-org/example#1 GH-1 #1 a_b_c_ __x__ *y* ~~z~~ $x$ :tada: \`code\`
<img src=x onerror=alert(1)> <details><summary>x</summary> <!-- x
</details>
> [!WARNING]
> quoted

    indented <b>code</b>

- [ ] task
- item
    - nested
1. one
\`\`\`html
<b>fenced</b>
\`\`\`\`
| a | b |
| --- | --- |
| \`x|y\` | <b>x</b> \\| z |
~~~mermaid
graph TD; A-->B
`

test('Markdown forges no heading, link, picture, HTML, quote or mention', async () => {
  const { view, page } = await look(showing([{ type: 'markdown', value: MARKDOWN }]))
  const [, forged = ''] = view.summary.split('**s&#46;o**')
  const shape = JSON.stringify(shapeOf(forged))
  expect(shape).not.toMatch(/heading|link|image|html|blockquote|del|"em"|mermaid|checkbox/)
  expect(forged).toContain('picture `https://evil.example.com/x.png`')
  expect(forged).toContain('&#60;img src=x onerror=alert&#40;1&#41;&#62;')
  expect(forged).toContain('**One**')
  expect(page).toContain('<h3>One</h3>')
  expect(page).toContain('picture <code>https://evil.example.com/x.png</code>')
  expect(elementsOf(page).filter(({ attributes }) => attributes.get('href')?.includes('evil'))).toEqual([])
})

test('a cell is no formula, no second column and no HTML', async () => {
  const cells = [
    '=cmd|/C calc!A0',
    '+1+1',
    '-2+3',
    '@SUM(A1)',
    '\t=1',
    '"a\nb | c"',
    '<b>x</b>',
    '-0.5',
    '1e-7',
    '`x`',
  ]
  const { view, page } = await look(
    showing([{ type: 'csv', value: `name,value\n${cells.map((cell) => `${cell},1`).join('\n')}` }]),
  )
  const [, shown = ''] = view.summary.split('**s&#46;o**')
  for (const [cell, text] of [
    ["'=cmd|/C calc!A0", '&#39;&#61;cmd&#124;/C calc&#33;A0'],
    ["'+1+1", "'&#43;1+1"],
    ["'-2+3", "'&#45;2+3"],
    ["'@SUM(A1)", "'&#64;SUM&#40;A1&#41;"],
    ['a b | c', 'a b &#124; c'],
    ['-0.5', '&#45;0.5'],
    ['1e-7', '1e-7'],
  ]) {
    expect(shown).toContain(`| ${text?.replace('&#39;', "'") ?? ''} | 1 |`)
    expect(unescapedHtml(page)).toContain(`<tr><td>${cell ?? ''}</td><td>1</td></tr>`)
  }
})

test('the summary shows twenty rows of a table, and says how many more there are', async () => {
  const rows = Array.from({ length: 30 }, (_, index) => `row${index + 1},1`)
  const { view } = await look(showing([{ type: 'csv', value: ['name,value', ...rows].join('\n') }]))
  expect(view.summary).toContain('| row20 | 1 |')
  expect(view.summary).not.toContain('row21')
  expect(view.summary).toContain('(10 more rows not shown here.)')
})

test('a page that tries to get out stays in a frame that may do nothing', async () => {
  const html =
    '"></iframe><img src=https://evil.example.com/x><meta http-equiv=refresh content="0;url=https://evil.example.com">' +
    '<base href="https://evil.example.com/"><form action=https://evil.example.com><button autofocus>x</button></form>' +
    '<a href="https://evil.example.com" target=_top onclick="parent.location=1">x</a><style>@import "https://evil.example.com"</style>'
  const { page } = await look(showing([{ type: 'html', value: html }]))
  const [frame] = elementsOf(page).filter(({ tag }) => tag === 'iframe')
  expect(frame?.attributes.get('sandbox')).toBe('')
  expect(unescapedHtml(frame?.attributes.get('srcdoc') ?? '')).toContain(html)
  expect(page.replace(/srcdoc="[^"]*"/, '')).not.toContain('evil')
})

test('two megabytes of what takes a careless reader long take no time', async () => {
  const size = 1_900_000
  const started = Date.now()
  await look(
    showing([
      ...['[', '`', '*', '|', '"', '- ', '\n- ', '**a', '[a](', '\\', '#', '|\n|-', '&'].map((text) => ({
        type: 'markdown',
        value: text.repeat(size / text.length / 2),
      })),
      ...['"', ',', '\n', '"\n', '""",', '=,'].map((text) => ({
        type: 'csv',
        value: text.repeat(size / text.length / 2),
      })),
      { type: 'json', value: '['.repeat(size / 2) },
      { type: 'json', value: `${'['.repeat(size / 4)}${']'.repeat(size / 4)}` },
    ]),
  )
  expect(Date.now() - started).toBeLessThan(20_000)
})
