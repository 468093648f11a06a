/**
 * Characters that a terminal or browser does not show as themselves: controls, invisible and bidirectional
 * formatting, line and paragraph separators, halves of surrogate pairs.
 */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu

const SHORT_ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** Makes every character visible: `\n`, `\r`, `\t`, else `\u{hex}`. The result is one line. */
export function escapeUnprintable(text: string): string {
  return text.replace(
    UNPRINTABLE,
    (character) => SHORT_ESCAPES[character] ?? `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  )
}

/**
 * JSON text with every character visible and without `##[`, which the runner obeys. It means the same: these can stand
 * nowhere in it but inside a string.
 */
export function harmlessJson(json: string): string {
  return json
    .replaceAll('##[', '#\\u0023[')
    .replace(UNPRINTABLE, (character) =>
      Array.from(
        { length: character.length },
        (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`,
      ).join(''),
    )
}

/** Takes out what does not show; tabs stay. Line ends go as well, so split the text before. */
export function removeUnprintable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => (character === '\t' ? '\t' : ''))
}

/**
 * At most `max` characters, the last of them `…` if something was cut; never half a surrogate pair. It is cut between
 * words where there are some: the runner would not hide half of a secret.
 */
export function cut(text: string, max: number): string {
  if (text.length <= max) return text
  const kept = text.slice(0, max - 1)
  const lastWord = kept.trimEnd().search(/\s\S*$/u)
  const isBetweenWords = lastWord < 0 || /\s/u.test(text[max - 1] ?? '')
  const whole = isBetweenWords ? kept : kept.slice(0, lastWord)
  return `${/[\uD800-\uDBFF]$/.test(whole) ? whole.slice(0, -1) : whole}…`
}

/** A text inside a message of ours: every character visible, harmless to the runner, cut to `max` characters. */
export function showOnOneLine(text: string, max: number): string {
  // Cut before escaping as well: an escape is longer than its character, and the text may be huge.
  return cut(breakCommands(escapeUnprintable(cut(text, max))), max)
}

/** A user's value inside a message of ours: as {@link showOnOneLine}, in double quotes. */
export function quote(text: string, max = 80): string {
  return `"${showOnOneLine(text, max).replaceAll('"', '\\"')}"`
}

/**
 * Makes one line of text harmless for the runner's reader of commands.
 *
 * The runner obeys `##[command]` anywhere in a line and `::command::` at its start, behind white space.
 */
export function breakCommands(line: string): string {
  return line.replaceAll('##[', '## [').replace(/^(\s*):(?=:)/u, '$1: ')
}
