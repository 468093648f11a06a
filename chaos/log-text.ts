/** What a reader of the log sees last; empty if there is nothing. */
export function lastLineOf(log: string): string {
  const lines = log
    .split('\n')
    .filter((line) => line !== '' && !/^::(add-mask|debug|group|endgroup)/.test(line))
  return (lines.at(-1) ?? '')
    .replace(/^::(error|warning|notice)[^:]*::/, '')
    .replaceAll('%0A', '\n')
    .replaceAll('%25', '%')
}

/** All of the log but the commands that ask the runner to hide a secret. */
export function visibleIn(log: string): string {
  return log.replaceAll(/^::add-mask::.*$/gm, '')
}
