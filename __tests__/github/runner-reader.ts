/** A command that the runner would obey. */
export interface RunnerCommand {
  readonly name: string
  readonly data: string
  readonly properties: Readonly<Record<string, string>>
}

const COMMANDS = [
  'add-mask',
  'add-matcher',
  'add-path',
  'debug',
  'echo',
  'endgroup',
  'error',
  'group',
  'notice',
  'remove-matcher',
  'save-state',
  'set-env',
  'set-output',
  'stop-commands',
  'warning',
]

/**
 * Reads a step's standard output by the runner's own rules: `::name props::data` at the start of a line behind
 * white space, `##[name props]data` anywhere in one, and nothing but the token while commands are stopped.
 */
export function readAsRunner(output: string): { commands: RunnerCommand[]; shown: string[] } {
  const commands: RunnerCommand[] = []
  const shown: string[] = []
  let token: string | undefined
  for (const line of output.split(/\r\n|\r|\n/)) {
    const known = token === undefined ? COMMANDS : [...COMMANDS, token]
    const command = parseColons(line, known) ?? parseBrackets(line, known)
    if (command === undefined || (token !== undefined && command.name !== token)) {
      shown.push(line)
    } else if (command.name === token) {
      token = undefined
    } else if (command.name === 'stop-commands') {
      token = command.data
    } else {
      commands.push(command)
    }
  }
  return { commands, shown }
}

function parseColons(line: string, known: readonly string[]): RunnerCommand | undefined {
  const text = line.replace(/^[\s\u0085]+/u, '')
  if (!text.startsWith('::')) return undefined
  const end = text.indexOf('::', 2)
  return end === -1 ? undefined : command(text.slice(2, end), text.slice(end + 2), ',', known)
}

function parseBrackets(line: string, known: readonly string[]): RunnerCommand | undefined {
  const start = line.indexOf('##[')
  const end = start === -1 ? -1 : line.indexOf(']', start)
  return end === -1 ? undefined : command(line.slice(start + 3, end), line.slice(end + 1), ';', known)
}

function command(info: string, data: string, separator: string, known: readonly string[]) {
  const [name = '', ...rest] = info.split(' ')
  const found = known.find((candidate) => candidate.toLowerCase() === name.toLowerCase())
  if (found === undefined) return undefined
  const pairs = rest
    .join(' ')
    .split(separator)
    .flatMap((pair): [string, string][] => {
      const at = pair.indexOf('=')
      return at < 1 ? [] : [[pair.slice(0, at), unescape(pair.slice(at + 1))]]
    })
  return { name: found, data: unescape(data), properties: Object.fromEntries(pairs) }
}

function unescape(text: string): string {
  const codes: Readonly<Record<string, string>> = {
    '%0D': '\r',
    '%0A': '\n',
    '%3A': ':',
    '%2C': ',',
    '%25': '%',
  }
  return text.replace(/%(?:0D|0A|3A|2C|25)/g, (code) => codes[code] ?? code)
}
