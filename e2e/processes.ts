import { spawn, type ChildProcess } from 'node:child_process'

/** What a finished command left behind. */
export interface CommandResult {
  /** Exit code; null when a signal ended it. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface CommandOptions {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  /** Milliseconds after which the command is killed; none by default. */
  readonly timeout?: number
  /** Called with each piece of the output; may signal the command. */
  readonly onOutput?: (text: string, child: ChildProcess) => void
}

const alive = new Set<ChildProcess>()

/** Ends every tracked child that is still alive; used when this process ends, however it does. */
function endChildren(): void {
  for (const child of alive) child.kill('SIGTERM')
}

/** Makes sure that `child` does not outlive this process: it gets SIGTERM when this process ends. */
export function track<T extends ChildProcess>(child: T): T {
  if (!process.listeners('exit').includes(endChildren)) process.on('exit', endChildren)
  alive.add(child)
  child.once('exit', () => alive.delete(child))
  return child
}

/** Turns Ctrl-C and SIGTERM into an ordinary exit, which ends the children; without it they would go on. */
export function exitOnSignals(): void {
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.once(signal, () => {
      // eslint-disable-next-line no-restricted-properties -- only a real exit calls the listeners at once
      process.exit(code)
    })
  }
}

/** Runs a command to its end with its input closed. Rejects only if it cannot be started. */
export function run(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = track(
      spawn(command, args, {
        stdio: ['ignore', 'pipe', 'pipe'],
        killSignal: 'SIGKILL',
        ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
        ...(options.env === undefined ? {} : { env: options.env }),
        ...(options.timeout === undefined ? {} : { timeout: options.timeout }),
      }),
    )
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    child.stdout.on('data', (text: string) => options.onOutput?.(text, child))
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, stdout, stderr }))
  })
}

/** The last lines of a long text, for a message that a person reads. */
export function lastLines(text: string, count: number): string {
  return text.trimEnd().split('\n').slice(-count).join('\n')
}
