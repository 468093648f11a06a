import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

export interface RedTest {
  readonly file: string
  /** Undefined if the file could not even be loaded. */
  readonly test?: string | undefined
}

export type JestEnd =
  | { readonly kind: 'green'; readonly ms: number }
  | { readonly kind: 'red'; readonly red: RedTest }
  | { readonly kind: 'timed-out' }

export interface JestOptions {
  readonly tree: string
  readonly files: readonly string[]
  /** One test alone. */
  readonly test?: string | undefined
  readonly mutant?: string
  /** Where to note which mutants are reached. */
  readonly reached?: string
  readonly timeoutMs: number
}

const running = new Set<number>()

/** With all that it started. */
function kill(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended.
  }
}

process.on('exit', () => {
  for (const pid of running) kill(pid)
})

function argumentsFor({ files, test }: JestOptions): string[] {
  const name =
    test === undefined ? [] : ['-t', `^${test.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`)}$`]
  return [
    ...[
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      'node_modules/jest/bin/jest.js',
    ],
    ...['--config', 'mutation/jest/config.js', '--ci', '--runInBand', '--bail', ...name],
    ...['--runTestsByPath', ...files],
  ]
}

/** Runs test files in one process, in this order, until the first red test. */
export async function runJest(options: JestOptions): Promise<JestEnd> {
  const temp = mkdtempSync(path.join(tmpdir(), 'mutate-'))
  const began = performance.now()
  const child = spawn(process.execPath, argumentsFor(options), {
    cwd: options.tree,
    env: {
      ...process.env,
      // Killed tests leave their files behind.
      TMPDIR: temp,
      MUTATION_TESTS: JSON.stringify(options.files),
      MUTANTS_REACHED: options.reached ?? '',
      __STRYKER_ACTIVE_MUTANT__: options.mutant ?? '',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  const pid = child.pid ?? 0
  running.add(pid)
  let end: JestEnd | undefined
  const timer = setTimeout(() => {
    end = { kind: 'timed-out' }
    kill(pid)
  }, options.timeoutMs)
  let text = ''
  const read = (chunk: Buffer): void => {
    text += chunk.toString()
    const red = /^RED (.*)\n/m.exec(text)?.[1]
    if (end !== undefined || red === undefined) return
    end = { kind: 'red', red: JSON.parse(red) as RedTest }
    kill(pid)
  }
  child.stdout.on('data', read)
  child.stderr.resume()
  const code = await new Promise((resolve) => child.once('close', resolve))
  clearTimeout(timer)
  kill(pid)
  running.delete(pid)
  rmSync(temp, { recursive: true, force: true, maxRetries: 5 })
  // Jest itself fell over, as it does when a mutant ends the process.
  if (code !== 0) end ??= { kind: 'red', red: { file: options.files[0] ?? '' } }
  return end ?? { kind: 'green', ms: performance.now() - began }
}
