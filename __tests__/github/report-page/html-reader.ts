import { expect } from '@jest/globals'

/** An element of a page as a browser starts it. */
export interface Element {
  readonly tag: string
  readonly attributes: ReadonlyMap<string, string>
}

/** What our pages are made of. Nothing else may stand in one, whatever a server says. */
const TAGS =
  /^(?:!doctype|html|head|meta|title|style|body|section|h[1-6]|p|br|ul|li|pre|div|table|thead|tbody|tr|th|td|code|strong|a|details|summary|svg|text|rect|figure|figcaption|img|iframe|footer)$/
const ATTRIBUTES =
  /^(?:lang|charset|http-equiv|content|name|class|data-mark|open|href|rel|role|width|height|x|y|rx|alt|src|sandbox|loading|referrerpolicy|title|srcdoc|html)$/

const TAG = /<(\/?)([!a-z][a-z0-9]*)((?:\s+[a-z-]+(?:="[^"]*")?)*)\/?>/gi

/**
 * The elements of a page of ours. Fails if anything stands in it that a browser would take for another element or
 * attribute, or if it could load or run something.
 */
export function elementsOf(page: string): Element[] {
  const elements = [...page.matchAll(TAG)]
    .filter(([, slash]) => slash === '')
    .map(([, , tag = '', rest = '']) => ({
      tag: tag.toLowerCase(),
      attributes: new Map(
        [...rest.matchAll(/([a-z-]+)(?:="([^"]*)")?/gi)].map(([, name = '', value = '']) => [name, value]),
      ),
    }))
  const style = /<style>[^<]*<\/style>/.exec(page)?.[0] ?? ''
  // What is no tag of ours is text, in which nothing may begin one.
  expect(page.replace(style, '').replaceAll(TAG, '')).not.toMatch(/[<>]/)
  expect(elements.map(({ tag }) => tag).filter((tag) => !TAGS.test(tag))).toEqual([])
  for (const { tag, attributes } of elements) {
    expect([...attributes.keys()].filter((name) => !ATTRIBUTES.test(name))).toEqual([])
    if (tag === 'iframe') expect(attributes.get('sandbox')).toBe('')
    if (tag === 'img')
      expect(attributes.get('src')).toMatch(/^data:image\/(?:png|jpeg|gif|webp|svg\+xml);base64,[\w+/]*=*$/)
    if (tag === 'a') expect(attributes.get('href')).toMatch(/^https?:\/\//)
  }
  return elements
}

/** The text of an attribute as a browser reads it. */
export function unescapedHtml(text: string): string {
  return text.replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
}
