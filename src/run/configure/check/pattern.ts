/*
 * Patterns come from the server, and pydantic runs them with an engine that never takes long and knows all of
 * Unicode. JavaScript's can backtrack for ever, so only patterns are tried that mean the same here and are
 * harmless by their shape: at most one group, which is not repeated, and at most one repetition of a length that
 * is not fixed, of a single character or class.
 */

/** A longer text or pattern is not tried. */
const MAX_LENGTH = 200

const PUNCTUATION = String.raw`\\[.\-+*?()[\]{}^$|/\\]`
const ESCAPE = String.raw`\\[wdsWDS]|${PUNCTUATION}`
/** Without what only one of the engines knows: classes in classes, and differences of them. */
const CLASS = String.raw`\[\^?(?:(?!--|&&|~~)(?:[^\\[\]]|${ESCAPE}))+\]`
const PART = new RegExp(
  String.raw`(?:(?<group>\((?:\?:)?)|(?:${CLASS}|${ESCAPE}|[^\\()[\]{}*+?^$|])(?<repeated>[*+?]|\{\d{1,2}(?:,\d{0,2})?\})?|\\b|[)^$|])`,
  'uy',
)
const FIXED = /^\{\d+\}$/
const KNOWS_MORE_LETTERS = /\\[wdsb]|\[\^/i

/** Whether a text matches, or that cannot be told here. */
export function mayMatch(pattern: string, text: string): boolean {
  if (text.length > MAX_LENGTH || !isPlain(text, pattern) || !isHarmless(pattern)) return true
  try {
    const expression = new RegExp(pattern, 'u')
    // A type can have white space taken away first, which its schema does not tell.
    return expression.test(text) || expression.test(text.trim())
  } catch {
    return true
  }
}

/** Whether both engines see the same characters in it. */
function isPlain(text: string, pattern: string): boolean {
  if (/^[ -~]*$/.test(text)) return true
  return !/\p{Cc}/u.test(text) && !KNOWS_MORE_LETTERS.test(pattern)
}

function isHarmless(pattern: string): boolean {
  if (pattern.length > MAX_LENGTH) return false
  let [groups, repetitions] = [0, 0]
  for (let at = 0; at < pattern.length;) {
    PART.lastIndex = at
    const part = PART.exec(pattern)
    if (part === null) return false
    const { group, repeated } = part.groups ?? {}
    if (group !== undefined) groups += 1
    if (repeated !== undefined && !FIXED.test(repeated)) repetitions += 1
    at = PART.lastIndex
  }
  return groups <= 1 && repetitions <= 1
}
