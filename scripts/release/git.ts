import { spawnSync } from 'node:child_process'

/**
 * What git prints, without the last line break. Throws with git's own words if it fails. The settings of the person
 * who runs it count for commits (name, signature), but not for how things are printed.
 */
export function git(root: string, ...args: readonly string[]): string {
  return gitBytes(root, ...args)
    .toString('utf8')
    .replace(/\n$/, '')
}

/** The same, byte by byte. */
export function gitBytes(root: string, ...args: readonly string[]): Buffer {
  const { status, stdout, stderr, error } = spawnSync('git', ['-c', 'core.quotePath=false', ...args], {
    cwd: root,
    env: { ...process.env, LC_ALL: 'C', GIT_TERMINAL_PROMPT: '0' },
    maxBuffer: 256 * 1024 * 1024,
  })
  if (error !== undefined) throw new Error(`git cannot be started: ${error.message}`)
  if (status !== 0) throw new Error(`git ${args.join(' ')}: ${stderr.toString('utf8').trim()}`)
  return stdout
}

export function gitLines(root: string, ...args: readonly string[]): string[] {
  return git(root, ...args)
    .split('\n')
    .filter((line) => line !== '')
}

/** A file at a commit; undefined if it is not there. */
export function fileAt(root: string, commit: string, path: string): string | undefined {
  const found = gitLines(root, 'ls-tree', '--name-only', '--full-tree', commit, '--', path)
  return found.length === 0 ? undefined : gitBytes(root, 'show', `${commit}:${path}`).toString('utf8')
}
