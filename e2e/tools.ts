import { access, mkdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { lastLines, run } from './processes.ts'
import { isAtLeast } from './target.ts'

/** Ignored folder that holds everything the end-to-end tests install; safe to delete. */
export const CACHE = path.join(import.meta.dirname, '.cache')

/** The newest act that the workflows were seen working with. */
const ACT = 'github.com/nektos/act@v0.2.89'

const PYTHONS = ['python3', 'python3.12', 'python3.11', 'python3.10']

/** Something that this machine lacks; the message is one line that says what to install. */
export class MissingTool extends Error {
  override readonly name = 'MissingTool'
}

async function works(command: string, args: readonly string[]): Promise<boolean> {
  try {
    return (await run(command, args)).code === 0
  } catch {
    return false
  }
}

/** A Python that ZenML's servers run on (3.10 to 3.12) and that can make virtual environments. */
async function findPython(): Promise<string> {
  const check = 'import ensurepip, sys, venv; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))'
  for (const python of PYTHONS) {
    if (await works(python, ['-c', check])) return python
  }
  throw new MissingTool(
    'Python 3.10 to 3.12 with venv and pip is missing: install one so that `python3` or `python3.x` starts it ' +
      '(Debian, Ubuntu: apt install python3 python3-venv).',
  )
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  )
}

/** Makes an empty virtual environment and gives its Python. */
async function makeEnvironment(folder: string): Promise<string> {
  if (process.platform === 'win32') {
    throw new MissingTool('The end-to-end tests need Linux or macOS: they end groups of processes.')
  }
  const systemPython = await findPython()
  await rm(folder, { recursive: true, force: true })
  await mkdir(CACHE, { recursive: true })
  const made = await run(systemPython, ['-m', 'venv', folder])
  if (made.code !== 0) throw new MissingTool(`${systemPython} -m venv failed: ${lastLines(made.stderr, 3)}`)
  return pythonIn(folder)
}

function pythonIn(folder: string): string {
  return path.join(folder, 'bin', 'python')
}

/** Before 0.84 ZenML imports pkg_resources, which newer ones no longer have. */
const OLD_SETUPTOOLS = 'setuptools<81'

/**
 * The Python of a virtual environment with that version of ZenML's server, installed
 * from pip the first time (about a minute) and used again afterwards.
 */
export async function zenmlPython(version: string): Promise<string> {
  const folder = path.join(CACHE, `zenml-${version}`)
  const complete = path.join(folder, 'complete')
  if (await exists(complete)) return pythonIn(folder)

  process.stderr.write(`installing zenml[server]==${version} with pip\n`)
  const python = await makeEnvironment(folder)
  const old = isAtLeast({ version }, '0.84') ? [] : [OLD_SETUPTOOLS]
  const wanted = [`zenml[server]==${version}`, ...old]
  const installed = await run(python, ['-m', 'pip', 'install', '--quiet', ...wanted])
  if (installed.code !== 0) {
    throw new MissingTool(
      `pip could not install zenml[server]==${version}: ${lastLines(installed.stderr, 5)}`,
    )
  }
  await writeFile(complete, '')
  return python
}

const PipReport = z.object({ install: z.array(z.object({ metadata: z.object({ version: z.string() }) })) })

/** The newest released version of ZenML, as pip finds it. */
export async function newestVersion(): Promise<string> {
  const folder = path.join(CACHE, 'pip')
  const python = await makeEnvironment(folder)
  const dryRun = ['--dry-run', '--ignore-installed', '--no-deps', '--quiet', '--report', '-']
  const { code, stdout, stderr } = await run(python, ['-m', 'pip', 'install', ...dryRun, 'zenml'])
  await rm(folder, { recursive: true, force: true })
  if (code !== 0) throw new MissingTool(`pip does not find zenml: ${lastLines(stderr, 5)}`)
  const [newest] = PipReport.parse(JSON.parse(stdout)).install
  if (newest === undefined) throw new MissingTool('pip does not say which version of zenml is the newest.')
  process.stderr.write(`the newest version of zenml is ${newest.metadata.version}\n`)
  return newest.metadata.version
}

/** The path of `act`, a runner for real workflows; built with Go the first time. */
export async function actPath(): Promise<string> {
  const folder = path.join(CACHE, 'bin')
  const act = path.join(folder, 'act')
  if (await exists(act)) return act
  if (!(await works('go', ['version']))) {
    throw new MissingTool(
      'Go is missing (https://go.dev/dl): it builds `act`, which runs the workflow tests.',
    )
  }
  process.stderr.write(`installing ${ACT} with go\n`)
  const installed = await run('go', ['install', ACT], { env: { ...process.env, GOBIN: folder } })
  if (installed.code !== 0) {
    throw new MissingTool(`go install ${ACT} failed: ${lastLines(installed.stderr, 5)}`)
  }
  return act
}
