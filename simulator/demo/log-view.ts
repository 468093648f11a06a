/** Shows a log line by line as GitHub does: commands obeyed instead of printed, secrets as `***`. */
export class LogView {
  readonly #secrets: string[] = []
  #fence: string | undefined

  /** What a reader sees of one printed line; undefined where GitHub shows nothing. */
  show(line: string): string | undefined {
    const [, name, properties = '', data = ''] = /^::([\w-]+)(?: ([^\n]*?))?::(.*)$/.exec(line) ?? []
    if (this.#fence !== undefined && line !== `::${this.#fence}::`) return this.#hidden(line)
    if (this.#fence !== undefined) {
      this.#fence = undefined
      return undefined
    }
    switch (name) {
      case undefined:
        return this.#hidden(line)
      case 'add-mask':
        this.#secrets.push(unescaped(data))
        return undefined
      case 'stop-commands':
        this.#fence = data
        return undefined
      case 'debug':
      case 'endgroup':
        return undefined
      case 'group':
        return this.#hidden(`▼ ${unescaped(data)}`)
      case 'error':
      case 'warning':
      case 'notice':
        return this.#hidden(`${LABELS[name]}${titleOf(properties)}: ${unescaped(data)}`)
      default:
        return this.#hidden(line)
    }
  }

  #hidden(text: string): string {
    return this.#secrets.reduce((shown, secret) => shown.replaceAll(secret, '***'), text)
  }
}

const LABELS = { error: 'Error', warning: 'Warning', notice: 'Notice' } as const

/** GitHub shows the title above the annotation on the run's page; here both stand in one line. */
function titleOf(properties: string): string {
  const title = /(?:^|,)title=([^,]*)/.exec(properties)?.[1]
  return title === undefined ? '' : ` (${unescaped(title)})`
}

/** Undoes the escapes of the runner's commands; the percent sign comes last. */
function unescaped(text: string): string {
  return text
    .replaceAll('%0A', '\n')
    .replaceAll('%0D', '\r')
    .replaceAll('%3A', ':')
    .replaceAll('%2C', ',')
    .replaceAll('%25', '%')
}
