import { expect } from '@jest/globals'
import { lexer, type MarkedToken, type Token } from 'marked'

/** The only HTML that we write; a title of a fold is in our own words. */
const OUR_HTML = /^(?:<\/?details>|<summary>[\w ,()]+<\/summary>|<\/?code>)+$/

/** A text as a Markdown parser sees it, without its words. */
export type Shape = readonly (string | readonly [string, Shape])[]

/**
 * Which elements stand in which order in a Markdown text. A code span is the same whichever way it is written.
 *
 * Fails if there is HTML that is not ours.
 */
export function shapeOf(markdown: string): Shape {
  return shapeOfTokens(lexer(markdown))
}

function shapeOfTokens(tokens: readonly Token[]): Shape {
  const shape: (string | readonly [string, Shape])[] = []
  let isInCode = false
  for (const token of tokens as readonly MarkedToken[]) {
    if (token.type === 'html') {
      expect(token.raw.trim()).toMatch(OUR_HTML)
      isInCode = token.raw.trim() === '<code>'
      if (!isInCode) shape.push(token.raw.trim() === '</code>' ? 'codespan' : 'html')
    } else if (isInCode) {
      expect(token.type).toBe('text')
    } else if (token.type !== 'space') {
      const entry = entryOf(token)
      if (entry !== 'text' || shape.at(-1) !== 'text') shape.push(entry)
    }
  }
  return shape
}

function entryOf(token: MarkedToken): Shape[number] {
  if (token.type === 'table') {
    const rows = [token.header, ...token.rows]
    return ['table', rows.map((cells) => ['row', cells.map((cell) => ['cell', shapeOfTokens(cell.tokens)])])]
  }
  if (token.type === 'list') {
    return ['list', token.items.map((item) => ['item', shapeOfTokens(item.tokens)])]
  }
  if (token.type === 'code') return `code ${token.lang ?? ''}`
  if (token.type === 'link') return `link ${token.href}`
  if (token.type === 'heading') return [`heading ${token.depth}`, shapeOfTokens(token.tokens)]
  return 'tokens' in token ? [token.type, shapeOfTokens(token.tokens ?? [])] : token.type
}

/** The lines of each fenced block of a language; '' for those without one. */
export function fencesOf(markdown: string, language: string): string[][] {
  return tokensOf(markdown).flatMap((token) =>
    token.type === 'code' && (token.lang ?? '') === language ? [token.text.split('\n')] : [],
  )
}

/** No extension of the parser is used, so every token is one of its own. */
function tokensOf(markdown: string): MarkedToken[] {
  return lexer(markdown) as MarkedToken[]
}
