import { parseArgs } from 'node:util'

/**
 * Runs a command that has a seed or the like: each flag takes a text and has a default, `--only` has none, and `--help`
 * prints how to use it. An error becomes one line and an exit code of 1.
 *
 * @param work gives the exit code
 */
export async function runCommand<Name extends string>(
  usage: string,
  defaults: Readonly<Record<Name, string>>,
  work: (flags: Readonly<Record<Name, string>>, only: string | undefined) => Promise<number>,
): Promise<void> {
  try {
    const options = { ...textFlags(defaults), only: { type: 'string' }, help: { type: 'boolean' } } as const
    const { only, help, ...given } = parseArgs({ options }).values
    if (help === true) process.stdout.write(`${usage}\n`)
    else process.exitCode = await work({ ...defaults, ...given }, only)
  } catch (error) {
    process.stdout.write(`${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  }
}

function textFlags(defaults: Readonly<Record<string, string>>): Record<string, { type: 'string' }> {
  return Object.fromEntries(Object.keys(defaults).map((name) => [name, { type: 'string' }]))
}
