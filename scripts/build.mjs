/**
 * Builds dist/, which is committed because that is what runs: one ESM bundle with the entries as named exports,
 * a one-line file for each entry, and the licenses of all that is in the bundle. The output is the same in any
 * folder and on every Node version, so a build that changes dist/ means that dist/ was out of date.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import ncc from '@vercel/ncc'
import { licensesOf } from './licenses.mjs'

/** The functions that a workflow can start, each through dist/<name>.js. */
const ENTRIES = ['main', 'post', 'login', 'wait', 'sweep', 'stop', 'resolve', 'promote']

const root = fileURLToPath(new URL('..', import.meta.url))
const build = path.join(root, 'build')
const dist = path.join(root, 'dist')

/** ncc takes JavaScript: src/ → build/, imports of .ts files rewritten to .js. Throws on any type error. */
function compile() {
  rmSync(build, { recursive: true, force: true })
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')
  const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { stdio: 'inherit' })
  if (status !== 0) throw new Error('tsc failed: dist/ is as it was.')
}

/** Every file of dist/ but the entries, as name → text. */
async function bundle() {
  const { code, assets, stats } = await ncc(path.join(build, 'index.js'), { cache: false, quiet: true })
  const files = new Map([['index.js', code]])
  for (const [name, { source }] of Object.entries(assets)) files.set(name, source)
  // ncc's own list of licenses holds only what the last chunk has, and of joined modules only the first.
  return files.set('licenses.txt', licensesOf(stats))
}

/**
 * The same code with escapes for all but ASCII: Node reads, keeps and parses such a text faster, which a step's start
 * shows. An escape means the same in strings, patterns and comments, but not behind a backslash or in String.raw.
 */
function toAscii(name, code) {
  const raw = (code.match(/String\.raw\s*`[^`]*`/g) ?? []).join('')
  if (/\\[^\0-\x7f]/.test(code) || /[^\0-\x7f]/.test(raw)) {
    throw new Error(
      `${name}: a character that is not ASCII stands where an escape would mean something else.`,
    )
  }
  return code.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** Loads the bundle, which shows that it runs at all, and adds a file for each entry that it exports. */
async function writeEntries() {
  const exported = await import(pathToFileURL(path.join(dist, 'index.js')).href)
  const unknown = Object.keys(exported).filter((name) => !ENTRIES.includes(name))
  if (unknown.length > 0) throw new Error(`src/index.ts exports what is no entry: ${unknown.join(', ')}`)

  for (const name of ENTRIES.filter((entry) => entry in exported)) {
    const text = `import { ${name} } from './index.js'\n\nawait ${name}()\n`
    writeFileSync(path.join(dist, `${name}.js`), text)
  }
}

// The bundler names modules by their paths from here.
process.chdir(root)
compile()
const files = await bundle()
rmSync(dist, { recursive: true, force: true })
mkdirSync(dist)
for (const [name, text] of files) {
  writeFileSync(path.join(dist, name), name.endsWith('.js') ? toAscii(name, String(text)) : text)
}
await writeEntries()
