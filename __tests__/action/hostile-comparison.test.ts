import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, jest, test } from '@jest/globals'
import { lexer, type MarkedToken, type Tokens } from 'marked'
import type { ActionResult } from '../../e2e/action.ts'
import { elementsOf } from '../github/report-page/html-reader.ts'
import { hostileTexts } from '../hostile/hostile-texts.ts'
import { expectHarmless, expectHarmlessComment } from '../hostile/runner-view.ts'
import { startTampering, type Tamper } from '../hostile/tampering-server.ts'
import { onPullRequest, TOKEN } from './pull-request.ts'
import { expectGreen } from './scene.ts'

jest.setTimeout(60_000)

/** Two metrics each, beside the two that the step logs: the table has thirty rows. */
const AT_ONCE = 14
/** What gets out of a code span that is not made for it. */
const MARKS_AND_BARS = ['a \\| b', '` <img src=x> `']
const texts = [
  ...hostileTexts.map(({ text }) => text).filter((text) => text.trim() !== ''),
  ...MARKS_AND_BARS,
]
const groups = Array.from({ length: Math.ceil(texts.length / AT_ONCE) }, (_, index) => ({
  group: index + 1,
  names: texts.slice(index * AT_ONCE, (index + 1) * AT_ONCE),
}))

const NUMBERS = [1, -0.5, 1e308, -1e308, 5e-324, 12_345_678]

interface Answer {
  readonly id: string
  name: string
  readonly metadata?: { run_metadata: Readonly<Record<string, unknown>> } | null
}

/** Both runs have logged metrics of these names, and the baseline is called like one. */
function logging(names: readonly string[], baseline: string): Tamper {
  return (route) => (route === 'run' ? { kind: 'json', change } : undefined)

  function change(real: unknown): unknown {
    const run = real as Answer
    const isBaseline = run.id === baseline
    if (isBaseline) run.name = names.join('\n')
    if (!run.metadata) return run
    const metrics = names.map((name, index) => {
      const number = NUMBERS[(index + (isBaseline ? 1 : 0)) % NUMBERS.length]
      return [name, { [name]: number, 'a text': name }]
    })
    const tops = names.map((name, index) => [`top ${name}`, isBaseline && index % 3 === 0 ? name : index])
    run.metadata.run_metadata = {
      ...run.metadata.run_metadata,
      ...Object.fromEntries([...metrics, ...tops]),
    }
    return run
  }
}

const TRAINING = {
  template: 'training-template',
  parameters: 'train.seconds: 0.1',
  'poll-interval': '1s',
}

test.concurrent.each(groups)(
  'metrics of hostile names and their values forge nothing in log, summary, comment and report page ($group)',
  ({ names }) =>
    onPullRequest({}, async (scene, github, step) => {
      const { server } = scene
      const folder = await mkdtemp(path.join(tmpdir(), 'runner-temp-'))
      const first = await scene.step(TRAINING)
      const baseline = first.outputs['run-id'] ?? ''
      const between = await startTampering(server.url, logging(names, baseline))
      try {
        const result = await scene.step(
          {
            ...TRAINING,
            'server-url': between.url,
            baseline: `run:${baseline}`,
            expect: 'train.accuracy >= baseline',
            comment: 'true',
            visualizations: 'true',
          },
          { ...step, env: { ...step.env, RUNNER_TEMP: folder } },
        )
        expectGreen(result, 'completed')
        expectHarmless(result, [server.apiKey, ...server.issuedTokens, TOKEN])
        const comment = github.comments(7)[0]?.body ?? ''
        expectHarmlessComment(comment)
        const rows = 2 * names.length + 2
        expect(metricsInOutput(result)).toBe(rows)
        for (const shown of [metricsIn(result.summary), metricsIn(comment), await metricsOnPage(result)]) {
          expect(shown).toHaveLength(rows)
          expect(shown.filter((cells) => !ROW.test(cells.join('\n')))).toEqual([])
        }
      } finally {
        await between.close()
        await rm(folder, { recursive: true })
      }
    }),
)

/** What is too long for an output is counted there. */
function metricsInOutput({ outputs }: ActionResult): number {
  const { metrics } = JSON.parse(outputs['comparison'] ?? '') as { metrics: { 'left-out'?: number }[] }
  const left = metrics.at(-1)?.['left-out']
  return left === undefined ? metrics.length : metrics.length - 1 + left
}

/** Four cells: a name as code, two numbers or `none`, and their change or nothing. */
const MARKS = '(?:`|</?code>)'
const NUMBER = String.raw`[-+]?[\d,.]+(?:e[-+]\d+)?`
const ROW = new RegExp(
  String.raw`^(?:(` +
    '`+)' +
    String.raw`.*\1|<code>.*</code>)` +
    String.raw`(?:\n(?:none|${MARKS}${NUMBER}${MARKS})){2}` +
    String.raw`\n(?:same|${MARKS}${NUMBER}(?: \(${NUMBER} %\))?${MARKS}(?: ✅ better| 🔻 worse)?)?$`,
)

/** The cells of each row of the comparison, as Markdown. */
function metricsIn(markdown: string): string[][] {
  const tables = (lexer(markdown) as MarkedToken[]).filter(({ type }) => type === 'table') as Tokens.Table[]
  const rows = tables.find(({ header }) => header[0]?.text === 'Metric')?.rows ?? []
  return rows.map((cells) => cells.map(({ text }) => text))
}

/** The same of the report page, as HTML; that has nothing but what it may have. */
async function metricsOnPage({ outputs }: ActionResult): Promise<string[][]> {
  const page = await readFile(outputs['report'] ?? '', 'utf8')
  elementsOf(page)
  expect(page.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u)
  const [, table = ''] = /<th>Metric<\/th>.*?<tbody>(.*?)<\/tbody>/s.exec(page) ?? []
  return [...table.matchAll(/<tr><td>(.*?)<\/td><\/tr>/gs)].map(([, row = '']) => row.split('</td><td>'))
}
