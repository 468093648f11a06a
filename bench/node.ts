import { execFile } from 'node:child_process'
import { access, mkdir } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'

const execute = promisify(execFile)

/** The Node that GitHub's runner ships for `using: node24`. */
const VERSION = '24.19.0'

/**
 * The runner's own Node, from npm, in an ignored folder; fetched the first time.
 * As a dependency of the project it would break `npm ci` on other systems.
 */
export async function runnerNode(): Promise<{ path: string; version: string }> {
  const windows = process.platform === 'win32'
  const name = `node-${windows ? 'win' : process.platform}-${process.arch}`
  const folder = path.join(import.meta.dirname, '.cache', `node-${VERSION}`)
  const node = path.join(folder, 'node_modules', name, 'bin', windows ? 'node.exe' : 'node')
  const there = await access(node).then(
    () => true,
    () => false,
  )
  if (!there) {
    await mkdir(folder, { recursive: true })
    const args = ['install', '--prefix', folder, '--no-save', '--no-audit', '--no-fund', `${name}@${VERSION}`]
    await execute('npm', args, { cwd: folder, shell: windows })
  }
  const { stdout } = await execute(node, ['--version'])
  return { path: node, version: stdout.trim() }
}
