import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { instrument, type Mutant } from './mutants.ts'
import { TESTS_LEFT_OUT, TOPICS } from './topics.ts'

const ROOT = path.join(import.meta.dirname, '..')

/** What the instrumented build depends on. */
const SOURCE =
  /^(src|scripts)\/|^(package-lock\.json|tsconfig.*\.json|mutation\/(mutants|prelude|sandbox|topics)\.ts)$/

/** What tests use, in addition to the source and themselves. */
const SURROUNDINGS =
  /^(__tests__|simulator|e2e|mutation\/jest)\/|(^|\/)action\.yml$|^(package\.json|jest\.config\.js)$/

/** A copy of the project with all mutants in src/ and dist/. */
export interface Sandbox {
  /** Holds what is known of this source: the copy, what the tests reach, the results. */
  readonly folder: string
  readonly tree: string
  readonly mutants: readonly Mutant[]
  /** Test file → hash of its text. */
  readonly tests: ReadonlyMap<string, string>
  /** Hash of what tests use, in addition to the source and themselves. */
  readonly surroundings: string
}

const hashOf = (...texts: readonly (string | Buffer)[]): string => {
  const hash = createHash('sha256')
  for (const text of texts) hash.update(text).update('\0')
  return hash.digest('hex').slice(0, 16)
}

/** Also files that are not committed yet: a new test is to be tried at once. */
function projectFiles(): string[] {
  const options = { cwd: ROOT, encoding: 'utf8' } as const
  const listed = execFileSync('git', ['ls-files', '-z', '-co', '--exclude-standard'], options)
  return listed
    .split('\0')
    .filter((file) => file !== '' && !file.startsWith('dist/') && existsSync(path.join(ROOT, file)))
}

function sources(): Map<string, string> {
  const files = Object.values(TOPICS).flatMap((names) => names.map((name) => `src/${name}`))
  return new Map(files.map((file) => [file, readFileSync(path.join(ROOT, file), 'utf8')]))
}

async function build(tree: string): Promise<readonly Mutant[]> {
  const { mutants, instrumented } = await instrument(sources())
  for (const [file, text] of instrumented) writeFileSync(path.join(tree, file), text)
  // Types that follow from a schema with mutants in it are others.
  for (const file of projectFiles().filter((name) => name.startsWith('src/') && !instrumented.has(name))) {
    const text = readFileSync(path.join(ROOT, file), 'utf8')
    writeFileSync(path.join(tree, file), `// @ts-nocheck\n${text}`)
  }
  cpSync(path.join(ROOT, 'mutation/prelude.ts'), path.join(tree, 'src/mutation-prelude.ts'))
  const index = path.join(tree, 'src/index.ts')
  writeFileSync(index, `import './mutation-prelude.ts'\n${readFileSync(index, 'utf8')}`)
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(tree, 'node_modules'), 'junction')
  execFileSync(process.execPath, ['scripts/build.mjs'], { cwd: tree, stdio: 'inherit' })
  return mutants
}

/** Makes the sandbox, or brings the tests up to date in the one that is there. Throws if the build fails. */
export async function openSandbox(): Promise<Sandbox> {
  const files = projectFiles()
  const hashes = new Map(files.map((file) => [file, hashOf(file, readFileSync(path.join(ROOT, file)))]))
  const hashOfAll = (chosen: readonly string[]): string =>
    hashOf(...chosen.map((file) => hashes.get(file) ?? ''))
  const isSource = (file: string): boolean => SOURCE.test(file)
  const isTest = (file: string): boolean => file.endsWith('.test.ts')

  const folder = path.join(ROOT, 'mutation/.cache', hashOfAll(files.filter(isSource)))
  const tree = path.join(folder, 'tree')
  const list = path.join(folder, 'mutants.json')
  const isBuilt = existsSync(list)
  rmSync(isBuilt ? path.join(tree, '__tests__') : tree, { recursive: true, force: true })
  mkdirSync(tree, { recursive: true })
  for (const file of files.filter((name) => !isBuilt || !isSource(name)))
    cpSync(path.join(ROOT, file), path.join(tree, file))
  if (!isBuilt) writeFileSync(list, JSON.stringify(await build(tree)))

  const tests = files.filter(
    (file) => isTest(file) && !TESTS_LEFT_OUT.some((prefix) => file.startsWith(prefix)),
  )
  return {
    folder,
    tree,
    mutants: JSON.parse(readFileSync(list, 'utf8')) as Mutant[],
    tests: new Map(tests.map((file) => [file, hashes.get(file) ?? ''])),
    surroundings: hashOfAll(files.filter((file) => SURROUNDINGS.test(file) && !isTest(file))),
  }
}
