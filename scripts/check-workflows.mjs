/**
 * Checks the workflows and action.yml files with actionlint (faults) and zizmor (security), each pinned and kept in
 * an ignored folder. Apart from `npm run check`, as it needs Go and Python.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { ACTION_FILES } from './action-files.mjs'

const ACTIONLINT = '1.7.12'
const ZIZMOR = '1.32.0'

const root = fileURLToPath(new URL('..', import.meta.url))
const cache = path.join(root, 'e2e', '.cache')
const windows = process.platform === 'win32'
const exe = windows ? '.exe' : ''

/** Runs a program with the terminal's output; true if it ended well. */
function run(command, args, env = {}) {
  const { status } = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  })
  return status === 0
}

/** The first of the commands that can be started, or undefined. */
function available(commands, versionArgs) {
  return commands.find((command) => spawnSync(command, versionArgs, { stdio: 'ignore' }).status === 0)
}

/** The path of actionlint, built with Go if it is not there yet. Throws, naming what is missing. */
function actionlint() {
  const folder = path.join(cache, `actionlint-${ACTIONLINT}`)
  const program = path.join(folder, `actionlint${exe}`)
  if (existsSync(program)) return program

  const go = available(['go'], ['version'])
  if (go === undefined) {
    throw new Error('Go is missing: actionlint is built with it. Install Go 1.25 or newer.')
  }
  const source = `github.com/rhysd/actionlint/cmd/actionlint@v${ACTIONLINT}`
  if (!run(go, ['install', source], { GOBIN: folder })) throw new Error(`go install ${source} failed.`)
  return program
}

/** The path of zizmor, installed with pip into its own environment if it is not there yet. Throws likewise. */
function zizmor() {
  const folder = path.join(cache, `zizmor-${ZIZMOR}`)
  const programs = path.join(folder, windows ? 'Scripts' : 'bin')
  const program = path.join(programs, `zizmor${exe}`)
  if (existsSync(program)) return program

  const python = available(['python3', 'python'], ['--version'])
  if (python === undefined) {
    throw new Error('Python is missing: zizmor is installed with pip. Install Python 3.10+.')
  }
  if (!run(python, ['-m', 'venv', folder])) {
    throw new Error('python -m venv failed: is the venv module installed?')
  }
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', `zizmor==${ZIZMOR}`]
  if (!run(path.join(programs, `python${exe}`), pip)) throw new Error(`pip install zizmor==${ZIZMOR} failed.`)
  return program
}

function main() {
  mkdirSync(cache, { recursive: true })
  const audited = ['.github', ...ACTION_FILES]
  const checks = [
    ['actionlint', () => run(actionlint(), ['-color'])],
    ['zizmor', () => run(zizmor(), ['--offline', '--no-progress', '--persona=pedantic', ...audited])],
  ]
  const failed = checks.filter(([, check]) => !check()).map(([name]) => name)
  if (failed.length > 0) throw new Error(`Failed: ${failed.join(', ')}.`)
  console.log(`actionlint ${ACTIONLINT} and zizmor ${ZIZMOR} found no errors.`)
}

try {
  main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
