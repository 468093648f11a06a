import { marked } from 'marked'

/** A text in GitHub Markdown, such as a job summary. */
export interface Piece {
  /** What it is called on the page. */
  readonly title: string
  readonly markdown: string
}

export interface PageOptions {
  readonly title: string
  /** Address of Mermaid's bundle; without one plain bars take the place of a chart. */
  readonly mermaid?: string | undefined
  /** Addresses of style sheets with fonts. */
  readonly fonts?: readonly string[]
  /** Of the text, in pixels. */
  readonly width: number
}

/** Near to how GitHub shows Markdown; fonts as the machine has them. */
const STYLE = `
body { margin: 0; background: #fff; color: #1f2328; font: 14px/1.5 -apple-system, "Segoe UI", "Noto Sans",
  "Liberation Sans", Helvetica, Arial, sans-serif, "Noto Color Emoji"; overflow-wrap: break-word; }
main { padding: 16px; box-sizing: border-box; }
section { margin: 0 0 24px; border: 1px solid #d1d9e0; border-radius: 6px; padding: 0 16px 4px; }
header { margin: 0 -16px 12px; padding: 8px 16px; background: #f6f8fa; border-bottom: 1px solid #d1d9e0;
  border-radius: 6px 6px 0 0; font-weight: 600; font-size: 13px; }
h3 { font-size: 1.25em; line-height: 1.25; margin: 16px 0; }
p, table, pre, details, ul { margin: 0 0 16px; }
a { color: #0969da; text-decoration: underline; text-underline-offset: 3px; }
table { border-collapse: collapse; display: block; width: max-content; max-width: 100%; overflow: auto; }
th, td { border: 1px solid #d1d9e0; padding: 6px 13px; text-align: left; }
tr:nth-child(2n) td { background: #f6f8fa; }
code, pre { font: 85% ui-monospace, SFMono-Regular, "Liberation Mono", monospace; }
code { background: #818b981f; border-radius: 6px; padding: .2em .4em; white-space: break-spaces; }
pre { background: #f6f8fa; border-radius: 6px; padding: 16px; overflow: auto; line-height: 1.45; }
pre code { background: none; padding: 0; font-size: 100%; white-space: pre; }
pre.mermaid { background: none; padding: 0; text-align: center; }
.timeline { display: grid; grid-template-columns: max-content 1fr; gap: 4px 12px; margin: 0 0 16px; }
.timeline i { display: block; box-sizing: border-box; height: 100%; background: #8a90dd; border-radius: 3px; }
.timeline .crit { background: #ff8888; }
.language-diff .added { color: #116329; background: #dafbe1; }
.language-diff .removed { color: #82071e; background: #ffebe9; }
summary { cursor: pointer; }
sub { font-size: 80%; }
`

const MERMAID_BLOCK = /<pre><code class="language-mermaid">([^]*?)<\/code><\/pre>/g

/** One HTML page that shows the pieces one below the other; it needs no network. */
export async function renderPage(
  pieces: readonly Piece[],
  { title, mermaid, fonts = [], width }: PageOptions,
): Promise<string> {
  const sections = await Promise.all(pieces.map(async (piece) => sectionOf(piece, mermaid !== undefined)))
  const links = fonts.map((href) => `<link rel="stylesheet" href="${escapeHtml(href)}">`).join('')
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)}</title>${links}<style>${STYLE}main { max-width: ${width}px; }</style></head>
<body><main${mermaid === undefined ? '' : ' hidden'}>
${sections.join('\n')}
</main>${mermaid === undefined ? '' : drawing(mermaid)}</body></html>
`
}

async function sectionOf({ title, markdown }: Piece, drawsCharts: boolean): Promise<string> {
  const html = (await marked(markdown, { gfm: true })).replaceAll(DIFF_BLOCK, coloured)
  const shown = html.replaceAll(MERMAID_BLOCK, (_, chart: string) =>
    drawsCharts ? `<pre class="mermaid">${chart}</pre>` : timeline(chart),
  )
  return `<section><header>${escapeHtml(title)}</header>\n${shown}</section>`
}

/** A line of the summary's chart: name, state, start and end in milliseconds. */
const BAR = /^ {2}(.+) :(?:(\w+), )?s\d+, (\d+), (\d+)$/gm

/** The chart as bars of plain HTML; its names are in entity codes that HTML has too, with a sign in front. */
function timeline(chart: string): string {
  const bars = [...chart.matchAll(BAR)].map(([, name = '', state = '', from, to]) => {
    return { name: name.replaceAll(/#(?=\d+;)/g, '&#'), state, from: Number(from), to: Number(to) }
  })
  const start = Math.min(...bars.map(({ from }) => from))
  const part = (ms: number): string =>
    `${((100 * ms) / Math.max(1, ...bars.map(({ to }) => to - start))).toFixed(1)}%`
  const rows = bars.map(
    ({ name, state, from, to }) =>
      `<span>${name}</span><span><i class="${state}" style="margin-left: ${part(from - start)}; width: ${part(to - from)}"></i></span>`,
  )
  return `<div class="timeline">${rows.join('')}</div>`
}

const DIFF_BLOCK = /<pre><code class="language-diff">[^]*?<\/code><\/pre>/g

function coloured(block: string): string {
  return block
    .replaceAll(/^((?:<pre><code[^>]*>)?)(\+.*)$/gm, '$1<span class="added">$2</span>')
    .replaceAll(/^((?:<pre><code[^>]*>)?)(-.*)$/gm, '$1<span class="removed">$2</span>')
}

/** Says how high the page has become when all charts are drawn. */
function drawing(mermaid: string): string {
  return `<script src="${escapeHtml(mermaid)}"></script><script>
mermaid.initialize({ startOnLoad: false, securityLevel: 'strict' })
document.fonts.load('14px "Noto Color Emoji"', '✅').then(() => {
  // Symbols that were drawn before the font was there stay as they are.
  document.querySelector('main').hidden = false
  return mermaid.run()
}).finally(() => {
  document.documentElement.dataset.height = Math.ceil(document.querySelector('main').scrollHeight)
})
</script>`
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
