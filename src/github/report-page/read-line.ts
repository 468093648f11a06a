import type { Inline, Line } from './blocks.ts'

/* Each quantifier is bounded, so that no line takes longer than its length says. */

const CODE = /(?<marks>`{1,10})(?<code>[^`]{1,2000})\k<marks>(?!`)/
const STRONG = /\*\*(?<strong>[^*]{1,500})\*\*|__(?<strong2>[^_]{1,500})__/
const LINK = /!?\[(?<label>[^[\]]{0,500})\]\((?<url>[^()\s]{0,2000})(?: [^()]{0,200})?\)/
const ESCAPED = /\\(?<escaped>[!-/:-@[-`{-~])/
const FOREIGN = new RegExp([CODE, STRONG, LINK, ESCAPED].map(({ source }) => source).join('|'), 'g')

/** Of ours: a code span in HTML, where Markdown has no way to write it. */
const HTML_CODE = /<code>(?<html>[^<]{0,5000})<\/code>/
/** It may hold a code span with asterisks. */
const OWN_STRONG = /\*\*(?<strong>(?:`[^`]{0,500}`|[^*`]){1,500})\*\*/
const OWN_CODE = /(?<marks>`+)(?<code>[^]+?)(?<!`)\k<marks>(?!`)/
const OWN = new RegExp([HTML_CODE, OWN_CODE, OWN_STRONG, LINK].map(({ source }) => source).join('|'), 'g')

/** A line of somebody else's Markdown: where a link leads is shown behind its text, and no link. */
export function readLine(text: string): Line {
  return read(text, FOREIGN, ({ code, strong, strong2, label, url, escaped }) => {
    if (code !== undefined) return [{ kind: 'code', text: withoutPadding(code) }]
    if (escaped !== undefined) return [{ kind: 'text', text: escaped }]
    const bold = strong ?? strong2
    if (bold !== undefined) return [{ kind: 'strong', text: bold }]
    return [
      { kind: 'text', text: `${label ?? ''} ` },
      { kind: 'code', text: url ?? '' },
    ]
  })
}

/** A line of ours: texts in it are escaped as {@link escapeMarkdown} does it. */
export function readOwnLine(text: string): Line {
  const line = read(text, OWN, ({ html, code, strong, label, url }) => {
    if (html !== undefined) return [{ kind: 'code', text: unescaped(html) }]
    if (code !== undefined) return [{ kind: 'code', text: withoutPadding(code) }]
    if (strong !== undefined) return [{ kind: 'strong', text: unescaped(strong).replaceAll('`', '') }]
    return [{ kind: 'link', text: unescaped(label ?? ''), url: url ?? '' }]
  })
  return line.map((each) => (each.kind === 'text' ? { ...each, text: unescaped(each.text) } : each))
}

type Groups = Readonly<Partial<Record<string, string>>>

function read(text: string, pattern: RegExp, toInline: (groups: Groups) => readonly Inline[]): Inline[] {
  const line: Inline[] = []
  let from = 0
  for (const { 0: whole, index, groups = {} } of text.matchAll(pattern)) {
    if (index > from) line.push({ kind: 'text', text: text.slice(from, index) })
    line.push(...toInline(groups))
    from = index + whole.length
  }
  if (from < text.length) line.push({ kind: 'text', text: text.slice(from) })
  return line
}

/** One space off both ends, where both have one. */
function withoutPadding(code: string): string {
  return /^ .* $/s.test(code) && code.trim() !== '' ? code.slice(1, -1) : code
}

function unescaped(text: string): string {
  return text.replaceAll(/&#(\d{1,3});/g, (_, code: string) => String.fromCodePoint(Number(code)))
}
