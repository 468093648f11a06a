/** Writes the golden files anew: `npm run test:golden`. Read what changed with `git diff`. */
import { spawnSync } from 'node:child_process'

const TESTS = ['__tests__/story', '__tests__/hostile', '__tests__/github/inputs']

// npm is a script on Windows, which only a shell can start.
const { status } = spawnSync('npm', ['test', '--', ...TESTS, ...process.argv.slice(2)], {
  env: { ...process.env, UPDATE_GOLDEN: '1' },
  stdio: 'inherit',
  shell: process.platform === 'win32',
})
process.exitCode = status ?? 1
