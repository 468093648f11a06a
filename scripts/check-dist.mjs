/** Run after a build: fails if that changed dist/, which is what users run, and says which files and what to do. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

const KINDS = {
  '??': 'not committed',
  ' M': 'out of date',
  ' D': 'stale, the build no longer makes it',
}

const { status, stdout, stderr } = spawnSync(
  'git',
  ['status', '--porcelain', '--untracked-files=all', '--', 'dist'],
  {
    cwd: root,
    encoding: 'utf8',
  },
)

if (status !== 0) {
  console.error(`git cannot compare dist/: ${stderr ?? 'is git installed?'}`)
  process.exitCode = 1
} else if (stdout !== '') {
  console.error('dist/ is not what src/ builds:')
  for (const line of stdout.trimEnd().split('\n')) {
    console.error(`  ${line.slice(3)}: ${KINDS[line.slice(0, 2)] ?? 'changed'}`)
  }
  console.error('Run `npm ci && npm run build` and commit all of dist/.')
  process.exitCode = 1
} else {
  console.log('dist/ is what src/ builds.')
}
