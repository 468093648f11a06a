import { describe, expect, test } from '@jest/globals'
import { reportPage } from '../../../src/github/report-page/page.ts'
import type { RunRecord } from '../../../src/github/run-record.ts'
import type { Gallery, Visualization } from '../../../src/run/facts.ts'
import { recordOf, START, stepOf } from '../records.ts'
import { elementsOf, unescapedHtml } from './html-reader.ts'

const redactor = { redact: (text: string) => text.replaceAll('the-secret', '***') }

function pageOf(changes: Partial<RunRecord>): string {
  return [...reportPage(recordOf(changes), redactor)].join('')
}

function showing(...shown: Visualization[]): string {
  return pageOf({ gallery: { shown, missing: [] } })
}

const show = (type: Visualization['type'], value: string, name = 'evaluate.x'): Visualization => ({
  name,
  type,
  value,
})

const base64 = (text: string): string => Buffer.from(text).toString('base64')
const PNG = base64('\x89PNG\r\n').replace(/^.*$/, () =>
  Buffer.from('\x89PNG\r\n\x1a\nx', 'latin1').toString('base64'),
)

test('the page holds the result, the steps, when they ran, the comparison, and what artifacts show', () => {
  const page = pageOf({
    steps: [stepOf('load'), stepOf('train', { startTime: START + 10_000, status: 'failed' })],
    comparison: {
      input: 'main',
      baseline: { id: 'x', name: 'nightly-4', url: 'https://zenml.example.com/runs/4' },
      missing: undefined,
      metrics: [{ name: 'train.accuracy', value: 0.95, baseline: 0.93, better: 'higher' }],
    },
    gallery: { shown: [show('markdown', '# Report\n\nall is **well**')], missing: ['a.b: too large'] },
  })
  elementsOf(page)
  expect(page).toContain('<h1>✅ ZenML run of training: completed</h1>')
  expect(page).toContain('<a href="https://zenml.example.com/runs/1" rel="noreferrer noopener">nightly</a>')
  expect(page).toContain('<tr><td>✅ load</td><td>completed in 10 s</td>')
  expect(page).toMatch(/<svg class="timeline" [^]*<rect class="failed" x="50.00%" y="54" width="50.00%"/)
  expect(page).toContain(
    '<tr><td><code>train.accuracy</code></td><td><code>0.93</code></td><td><code>0.95</code></td>' +
      '<td><code>+0.02 (+2.2 %)</code> ✅ better</td></tr>',
  )
  expect(page).toContain(
    '<figcaption>evaluate.x</figcaption><h3>Report</h3>\n<p>all is <strong>well</strong></p>',
  )
  expect(page).toContain('<ul><li class="depth0">a.b: too large</li></ul>')
})

test('the page loads nothing and runs nothing, and is readable on a phone and in the dark', () => {
  const page = pageOf({})
  const policy = elementsOf(page).find(({ attributes }) => attributes.has('http-equiv'))
  expect(policy?.attributes.get('content')).toBe(
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'",
  )
  expect(page.indexOf('Content-Security-Policy')).toBeLessThan(page.indexOf('<style>'))
  expect(page).toContain('<meta name="viewport" content="width=device-width, initial-scale=1">')
  expect(page).toContain('prefers-color-scheme: dark')
})

test('HTML stands in a frame without any permission, under the same policy, and no link makes it connect', () => {
  const page = showing(
    show('html', '<h1 title="a">Report</h1><LINK rel=preconnect href=https://evil.example.com>'),
  )
  const frame = elementsOf(page).find(({ tag }) => tag === 'iframe')
  const html = unescapedHtml(frame?.attributes.get('srcdoc') ?? '')
  expect(frame?.attributes.get('sandbox')).toBe('')
  expect(html).toMatch(
    /^<!doctype html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="default-src 'none'/,
  )
  expect(html).toContain('<h1 title="a">Report</h1><x-LINK rel=preconnect')
  expect(html).toContain('<style>a, area { pointer-events: none !important; }</style>')
})

test('an address that is none of the web is not linked', () => {
  const page = pageOf({
    runUrl: 'javascript:alert(1)',
    gallery: { shown: [show('html', '<script>')], missing: [] },
  })
  expect(page).not.toContain('href="javascript')
  expect(page).toContain('View it in ZenML.')
})

test('JSON has at most 5,000 lines, and says how many more there are', () => {
  const page = showing(show('json', JSON.stringify(Array.from({ length: 6_000 }, (_, index) => index))))
  expect(page).toContain('4998,</pre><p>(1,002 more lines not shown here.)</p>')
})

test.each(['<p>x</p><script>draw()</script>', '<SCRIPT src=x>', '<canvas>', '<iframe src="https://x">'])(
  'in place of HTML that needs scripts (%s) stands a link to the run',
  (html) => {
    const page = showing(show('html', html))
    expect(elementsOf(page).filter(({ tag }) => tag === 'iframe')).toEqual([])
    expect(page).toContain(
      'This HTML needs scripts, which the report page does not run. View it ' +
        '<a href="https://zenml.example.com/runs/1" rel="noreferrer noopener">in ZenML</a>.',
    )
  },
)

describe('pictures', () => {
  test.each([
    ['image/png', Buffer.from('\x89PNG\r\n\x1a\nx', 'latin1')],
    ['image/jpeg', Buffer.from('\xff\xd8\xff\xe0', 'latin1')],
    ['image/gif', Buffer.from('GIF89a')],
    ['image/webp', Buffer.from('RIFF0000WEBPVP8 ')],
    ['image/svg+xml', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>')],
    ['image/svg+xml', Buffer.from('<?xml version="1.0"?>\n<!-- x -->\n<svg/>'.replace('/>', ' />'))],
  ])('%s is shown as a picture, whatever is in it', (type, bytes) => {
    const page = showing(show('image', bytes.toString('base64')))
    const picture = elementsOf(page).find(({ tag }) => tag === 'img')
    expect(picture?.attributes.get('src')).toBe(`data:${type};base64,${bytes.toString('base64')}`)
    expect(picture?.attributes.get('alt')).toBe('evaluate.x')
  })

  test.each([
    ['no base64', '"><script>alert(1)</script>'],
    ['base64 of a page', base64('<html><script>alert(1)</script>')],
    ['base64 with something behind it', `${PNG}"onerror="alert(1)`],
    ['nothing', ''],
    // Read again and again for each place where it could end, it would take an hour.
    ['a letter before two million spaces', `A${' '.repeat(2_000_000)}!`],
  ])('%s is said to be none', (_, value) => {
    const page = showing(show('image', value))
    expect(elementsOf(page).filter(({ tag }) => tag === 'img')).toEqual([])
    expect(page).toContain('Not shown: browsers do not know this image format.')
  })

  test('a secret in the text of a picture is covered before it is encoded', () => {
    const page = showing(show('image', base64('<svg><text>the-secret</text></svg>')))
    const source =
      elementsOf(page)
        .find(({ tag }) => tag === 'img')
        ?.attributes.get('src') ?? ''
    expect(Buffer.from(source.split(',')[1] ?? '', 'base64').toString()).toBe('<svg><text>***</text></svg>')
  })
})

test('a table has its heads, at most 500 rows, and says how many more there are', () => {
  const rows = Array.from({ length: 600 }, (_, index) => `r${index},"a, ""b"""`)
  const page = showing(show('csv', ['name,value', ...rows].join('\n')))
  expect(page).toContain(
    '<thead><tr><th>name</th><th>value</th></tr></thead><tbody><tr><td>r0</td><td>a, &#34;b&#34;</td></tr>',
  )
  expect(page).toContain('r499')
  expect(page).not.toContain('r500')
  expect(page).toContain('(100 more rows not shown here.)')
})

test('JSON is folded and written with indents; numbers stand in one table', () => {
  const gallery: Gallery = {
    shown: [
      show('json', '{"a":[1,2]}'),
      show('json', '0.93', 'train.accuracy'),
      show('json', 'nope {', 'x.y'),
    ],
    missing: [],
  }
  const page = pageOf({ gallery })
  expect(page).toContain(
    '<summary>JSON (6 lines)</summary><pre>{\n  &#34;a&#34;: [\n    1,\n    2\n  ]\n}</pre>',
  )
  expect(page).toContain('<tr><td>train.accuracy</td><td>0.93</td></tr>')
  expect(page).toContain('<tr><td>x.y</td><td>nope {</td></tr>')
})

test('JSON that is nested deeply is shown as it came: indents would make it a hundred times as long', () => {
  const deep = `${'['.repeat(400)}${Array(50_000).fill(1).join()}${']'.repeat(400)}`
  expect(showing(show('json', deep)).length).toBeLessThan(100_000)
  expect(showing(show('json', deep))).toContain('<summary>JSON (1 line)</summary><pre>[[[')
})

test('the page does not grow without end: what comes behind is named, and said not to be shown', () => {
  // Each character of a cell takes five on the page.
  const row = `|${'<'.repeat(10)}`.repeat(49)
  const rows = `${row}\n${'|-'.repeat(49)}\n${`${row}\n`.repeat(830)}`
  const names = Array.from({ length: 20 }, (_, index) => `evaluate.t${index}`)
  const page = showing(...names.map((name) => show('markdown', rows, name)))
  expect(page.length).toBeGreaterThan(20_000_000)
  expect(page.length).toBeLessThan(32_000_000)
  expect(page).toContain(
    '<figcaption>evaluate.t19</figcaption><p>Not shown, because the page has reached its maximum size.',
  )
})

test.each([
  ['a table', show('csv', 'a,b\nthe-,secret')],
  ['a list', show('markdown', '- the-\n- secret')],
])('a secret whose pieces stand in the cells or items of %s is covered', (_, visualization) => {
  const redact = (text: string): string => text.replaceAll(/the-[^a-z<>]{0,5}secret/g, '***')
  const record = recordOf({ gallery: { shown: [visualization], missing: [] } })
  const text = [...reportPage(record, { redact })].join('').replaceAll(/<[^>]*>/g, '')
  expect(text).toContain('***')
  expect(text).not.toContain('secret')
})

test('an exception with backticks is shown as it is', () => {
  const log = { lines: [], left: 0, missing: undefined }
  const fault = { type: 'ValueError', message: 'Use ``fit`` first', frame: undefined, code: undefined }
  const page = pageOf({ conclusion: 'failed', failures: [{ step: 'train', fault, log }] })
  expect(page).toContain('<code>ValueError: Use ``fit`` first</code>')
  expect(page).not.toContain('&#60;details&#62;')
})

test('the page, which nothing masks once it is uploaded, has no lines of logs and no values of parameters', () => {
  const log = { lines: ['login with hf_secret_1'], left: 0, missing: undefined }
  const fault = { type: 'ValueError', message: 'wrong token', frame: undefined, code: undefined }
  const changes = [{ path: 'load.hub_token', before: '"none"', after: '"hf_secret_2"' }]
  const page = pageOf({ conclusion: 'failed', failures: [{ step: 'train', fault, log }], changes })
  expect(page).toContain('<code>ValueError: wrong token</code>')
  expect(page).not.toContain('hf_secret')
})

test('of a Markdown text that begins with code in three backticks, the rest is no code', () => {
  expect(showing(show('markdown', '```pip install x``` does it.\n\n# Next'))).toContain('<h3>Next</h3>')
})
