import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, jest, test } from '@jest/globals'
import { renderPage } from '../../docs/pictures/page.ts'
import { renderSummary } from '../../src/github/page/summary.ts'
import { LogView } from '../../simulator/demo/log-view.ts'
import { recordOf, START, stepOf } from '../github/records.ts'
import { PATIENCE_MS } from './scene.ts'

jest.setTimeout(PATIENCE_MS)

const ROOT = path.join(import.meta.dirname, '../..')

test('the demo shows a run that completes, one that fails, a busy server, a comparison, and no secret', async () => {
  const demo = spawn(process.execPath, ['--import', 'tsx', 'simulator/demo.ts', '--speed', '10'], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exitCode = new Promise((resolve) => demo.once('close', resolve))
  const shown = await text(demo.stdout)

  expect(await exitCode).toBe(0)
  expect(shown).toMatch(
    /A run that completes[^]*A run that fails[^]*A server that is too busy[^]*compared with main[^]*All four ended as expected/,
  )
  expect(shown).toContain('Error (Step train failed: RuntimeError): train: RuntimeError: no data for today')
  // As they stand, they can be copied into a workflow.
  expect(shown.match(/- uses: [^]*?\n\n/g)).toEqual(
    Array(4).fill(expect.stringMatching(/server-url: \$\{\{ vars\.[^]*api-key: \$\{\{ secrets\./)),
  )
  expect(shown).toMatch(/Comment on the pull request[^]*### ❌ ZenML run of training: failed/)
  const [, page = ''] = /To open in a browser: (.+)/.exec(shown) ?? []
  const html = readFileSync(page, 'utf8')
  expect(html.match(/<section>/g)).toHaveLength(9)
  expect(html).toContain('class="timeline"')
  expect(html).toContain('<code>+0.02 (+2.2 %)</code>')
  const [, report = ''] = /<a href="(zenml-report-[^"]+)">Open the report page/.exec(html) ?? []
  expect(readFileSync(path.join(path.dirname(page), report), 'utf8')).toContain('<h2>Visualizations</h2>')
  expect(shown).toMatch(
    /answered 429, 429, (429, )*200\.\n +Together they used 1 Idempotency-Key, and 1 run was started/,
  )
  expect(shown).not.toMatch(/ZENKEY_|eyJ[\w-]+\.|::add-mask|&#\d/)
})

test("the demo's page draws the timeline of the steps, with nothing from the network", async () => {
  const steps = [
    stepOf('load_data', { durationMs: 10_000 }),
    stepOf('train', { status: 'failed', startTime: START + 10_000, durationMs: 30_000 }),
  ]
  const page = await renderPage([{ title: 'Summary', markdown: renderSummary(recordOf({ steps })) }], {
    title: 'Demo',
    width: 900,
  })
  expect(page).toContain(
    '<span>&#108;oad&#95;data</span><span><i class="done" style="margin-left: 0.0%; width: 25.0%"></i></span>' +
      '<span>&#116;rain</span><span><i class="crit" style="margin-left: 25.0%; width: 75.0%"></i></span>',
  )
  expect(page).not.toMatch(/gantt|<script|src=/)
})

/** What GitHub shows of a log. */
function shownOf(...lines: readonly string[]): string[] {
  const view = new LogView()
  return lines.flatMap((line) => view.show(line) ?? [])
}

test('the demo shows a masked value as ***, from the mask on', () => {
  expect(shownOf('::add-mask::s3cret', 'with s3cret', '::error::no s3cret')).toEqual([
    'with ***',
    'Error: no ***',
  ])
})

test('the demo shows groups, annotations and their line ends as GitHub does, and no debug lines', () => {
  expect(
    shownOf(
      '::group::Steps',
      'inside',
      '::endgroup::',
      '::warning title=A%3A b::50%25%0Amore',
      '::debug::quiet',
    ),
  ).toEqual(['▼ Steps', 'inside', 'Warning (A: b): 50%\nmore'])
})

test('the demo shows commands between fences as the text that they are', () => {
  expect(shownOf('::stop-commands::f0', '::error::forged', '::f0::', '::error::real')).toEqual([
    '::error::forged',
    'Error: real',
  ])
})
