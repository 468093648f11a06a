import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { takePicture, takePictureOf } from './chromium.ts'
import { renderPage, type Piece } from './page.ts'

/*
 * `npm run pictures`: pictures of all golden summaries and comments, in build/pictures/, to be looked at.
 * `npm run pictures -- FILE.md PICTURE.png [--title TEXT] [--width 900]`: one picture of one Markdown file.
 * `npm run pictures -- FILE.html PICTURE.png [--width 900] [--height 1000] [--dark]`: one of a report page.
 */

const HERE = import.meta.dirname
const ROOT = path.join(HERE, '../..')
const OUTPUT = path.join(ROOT, 'build/pictures')
const GOLDEN = path.join(ROOT, '__tests__/golden/runs')

/** As wide as GitHub's summary on a desktop, and as a usual phone. */
const WIDTHS = { desktop: 980, phone: 390 } as const

/** Address of a file of a package that only pictures need; installs them at first use. */
function packaged(file: string): string {
  const place = path.join(HERE, 'node_modules', file)
  if (!existsSync(place)) {
    console.log('Installing what drawing images needs, in docs/pictures/ (once)')
    const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund']
    const { status } = spawnSync('npm', args, {
      cwd: HERE,
      stdio: 'inherit',
      shell: process.platform === 'win32',
    })
    if (status !== 0) throw new Error('npm ci failed in docs/pictures/.')
  }
  return pathToFileURL(place).href
}

/** Draws pieces into one picture. */
async function draw(pieces: readonly Piece[], picture: string, width: number): Promise<void> {
  const page = path.join(OUTPUT, `${path.basename(picture, '.png')}.html`)
  const html = await renderPage(pieces, {
    title: path.basename(picture),
    mermaid: packaged('mermaid/dist/mermaid.min.js'),
    // Not every machine that makes pictures has a font for the symbols.
    fonts: [packaged('@fontsource/noto-color-emoji/emoji.css')],
    width,
  })
  writeFileSync(page, html)
  await takePicture(page, picture, width)
  console.log(picture)
}

function goldenPieces(name: string): Piece[] {
  const folder = path.join(GOLDEN, name)
  return readdirSync(folder)
    .filter((file) => file.endsWith('.md'))
    .toSorted((a, b) => b.localeCompare(a))
    .map((file) => ({ title: `${name}: ${file}`, markdown: readFileSync(path.join(folder, file), 'utf8') }))
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    title: { type: 'string', default: 'Summary' },
    width: { type: 'string', default: '900' },
    height: { type: 'string', default: '1000' },
    dark: { type: 'boolean', default: false },
  },
})
mkdirSync(OUTPUT, { recursive: true })
const [source, picture] = positionals
if (source === undefined) {
  for (const name of readdirSync(GOLDEN)) {
    for (const [device, width] of Object.entries(WIDTHS)) {
      await draw(goldenPieces(name), path.join(OUTPUT, `${name}-${device}.png`), width)
    }
  }
} else if (picture === undefined) {
  throw new Error(
    'Name the Markdown file and the image: npm run pictures -- summary.md docs/pictures/job-summary.png',
  )
} else if (source.endsWith('.html')) {
  const size = { width: Number(values.width), height: Number(values.height), dark: values.dark }
  await takePictureOf(path.resolve(source), path.resolve(picture), size)
} else {
  const piece = { title: values.title, markdown: readFileSync(source, 'utf8') }
  await draw([piece], path.resolve(picture), Number(values.width))
}
