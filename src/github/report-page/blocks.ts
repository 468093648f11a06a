/*
 * Texts as they are shown, in whichever language a place has: the job summary's Markdown, the report page's HTML. All
 * texts inside are plain, and not trusted; whoever writes them down escapes them.
 */

export type Inline =
  | { readonly kind: 'text' | 'code' | 'strong'; readonly text: string }
  /** An address of ours, or one that was checked. */
  | { readonly kind: 'link'; readonly text: string; readonly url: string }

export type Line = readonly Inline[]

export type Block =
  | { readonly kind: 'heading'; readonly level: number; readonly line: Line }
  | { readonly kind: 'paragraph'; readonly lines: readonly Line[] }
  | { readonly kind: 'list'; readonly items: readonly ListItem[] }
  | { readonly kind: 'code'; readonly language: string; readonly lines: readonly string[] }
  | { readonly kind: 'table'; readonly heads: readonly Line[]; readonly rows: readonly (readonly Line[])[] }
  | { readonly kind: 'fold'; readonly title: string; readonly blocks: readonly Block[] }

export interface ListItem {
  /** `-`, or a number with its dot. */
  readonly mark: string
  /** 0 for the outermost. */
  readonly depth: number
  readonly line: Line
}

export function plain(text: string): Line {
  return [{ kind: 'text', text }]
}
