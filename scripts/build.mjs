/**
 * Builds dist/, which is committed because that is what runs: one bundle with the entries as named exports, in parts
 * that are loaded when they are needed, a one-line file for each entry, and the licenses of all that is in the bundle.
 * The output is the same in any folder and on every Node version, so a build that changes dist/ means that dist/ was
 * out of date.
 *
 * It is minified CommonJS: as an ES module, Node would load all that is exported by each module of its own that is
 * imported, its own fetch among it, which takes longer than everything else.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { minify } from '@swc/core'
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
  // The next package.json above says that all is ES modules, and ncc would make one.
  writeFileSync(path.join(build, 'package.json'), '{}\n')
  withoutUnused('@actions/core')
}

/**
 * The bundler takes every module of a package that is imported, unless that says that importing one does nothing; this
 * one does not say so, and is 7 KiB instead of 570 without the HTTP client that we never call.
 */
function withoutUnused(name) {
  const folder = path.join(build, 'node_modules', name)
  cpSync(path.join(root, 'node_modules', name), folder, { recursive: true })
  const file = path.join(folder, 'package.json')
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), sideEffects: false }))
}

/** Every file of dist/ but the entries, as name → text. */
async function bundle() {
  const { code, assets, stats } = await ncc(path.join(build, 'index.js'), { cache: false, quiet: true })
  const files = new Map([['index.js', await minified(code)]])
  for (const [name, { source }] of Object.entries(assets)) {
    files.set(name, name.endsWith('.js') ? await minified(String(source)) : source)
  }
  files.set('package.json', '{"type":"commonjs"}\n')
  // ncc's own list of licenses holds only what the last chunk has, and of joined modules only the first.
  return files.set('licenses.txt', licensesOf(stats))
}

/**
 * The same code in fewer bytes. Functions and classes keep their names, so that a stack still says where it was, and
 * what nobody calls goes: ncc would minify the first file only, and leave that in.
 */
async function minified(source) {
  const { code } = await minify(source.replace(MODULE, `$1${EAGER}`), {
    compress: { defaults: false, dead_code: true, unused: true },
    mangle: { keep_classnames: true, keep_fnames: true },
    format: { comments: false },
    module: false,
  })
  return code.replaceAll(EAGER, '(')
}

/** How the bundler begins a module: in parentheses, so that V8 compiles it at once and does not read it twice. */
const MODULE = /^(\/\*\*\*\/ )\((?=\(|function\b)/gm
/** A call in place of these parentheses, which would be minified away. */
const EAGER = '__eager__('

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
  const exported = createRequire(import.meta.url)(path.join(dist, 'index.js'))
  const unknown = Object.keys(exported).filter((name) => !ENTRIES.includes(name))
  if (unknown.length > 0) throw new Error(`src/index.ts exports what is no entry: ${unknown.join(', ')}`)

  for (const name of ENTRIES.filter((entry) => entry in exported)) {
    const text = `require('./index.js').${name}()\n`
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
