import type { Document, ErrorCode, LineCounter, Node, Pair, Scalar, YAMLError } from 'yaml'

import type { Path, Place } from '../../run/configure/layers.ts'
import type { JsonObject, JsonValue } from '../../base/json.ts'

/** What is wrong with a text, and where; lines and columns count from 1. */
export interface YamlProblem {
  readonly line: number
  readonly column: number
  /** May repeat a few of the user's characters as they are: make it safe before it is shown. */
  readonly problem: string
}

export type ParsedMapping =
  | {
      readonly ok: true
      readonly value: JsonObject
      /** Where the key at the end of a path stands; inside aliases, the nearest one around it. */
      readonly locate: (path: Path) => Place | undefined
      /** Whether a key has nothing at all behind it, not even the word null. */
      readonly isEmpty: (path: Path) => boolean
      /** Whether a value is a number written with a fraction or an exponent, as 1.0 is: another one than 1 to Python. */
      readonly isFloat: (path: Path) => boolean
    }
  | { readonly ok: false; readonly problems: readonly YamlProblem[] }

/** How much a value is, what is behind aliases included: values, and characters of their texts and keys. */
interface Size {
  readonly count: number
  readonly length: number
}

type Yaml = typeof import('yaml')
type Show = (text: string) => string
type Locate = (offset: number, problem: string) => YamlProblem

/** The offsets of a mapping's keys or a list's items (by their numbers), and of what is inside of them. */
type Offsets = Map<string, Entry>

interface Entry {
  readonly offset: number
  readonly inside: Offsets
  /** Nothing stands behind the key, not even the word null. */
  readonly isEmpty: boolean
  readonly isFloat: boolean
}

/** A few aliases to a few others can stand for more values than memory holds. */
const MAX_VALUES = 100_000
/** The same for the lengths of their texts; a file of any use has less. */
const MAX_CHARACTERS = 1_000_000
/** Deeper than any configuration; whatever walks the value later may do so recursively. */
const MAX_DEPTH = 100
/** As the parser counts: the document, the mappings and lists in each other, and the value in the innermost. */
const MAX_OPEN_NODES = MAX_DEPTH + 2
/** Then a reader knows enough; one mistake in a text often makes others. */
const MAX_PROBLEMS = 5

const TOO_DEEP = 'the values are nested too deeply; write them flatter'

/** The library's words for these speak of its parser; what it says for the others can be read. */
const SYNTAX_PROBLEMS: Partial<Record<ErrorCode, string>> = {
  BAD_DQ_ESCAPE: 'a backslash in double quotes is not followed by a known escape; use single quotes',
  BAD_SCALAR_START: 'the value begins with a character that is reserved in YAML; put it in quotes',
  BLOCK_AS_IMPLICIT_KEY:
    'there is a second "key:" on this line; begin a new line, or put a string with a colon in quotes',
  MULTIPLE_DOCS: 'a second document begins here; keep one',
  NON_STRING_KEY: 'a key is a list, a mapping or an alias; write a plain string',
  RESOURCE_EXHAUSTION: TOO_DEEP,
  TAB_AS_INDENT: 'the line is indented with a tab; use spaces',
  TAG_RESOLVE_FAILED: 'tags such as !name and !!set cannot be used; write the value itself',
}

/**
 * Reads a text of YAML 1.2 or JSON that holds one mapping, into what JSON can say: keys are texts and stand
 * only once; tags, merge keys and numbers that JSON cannot carry exactly are refused.
 *
 * @param show makes the user's own words, such as a key, fit to stand in a message.
 */
export async function parseMapping(text: string, show: Show): Promise<ParsedMapping> {
  // Loaded only here: most steps give no configuration, and the library takes its time to load.
  const yaml = await import('yaml')
  const lines = new yaml.LineCounter()
  const locate: Locate = (offset, problem) => {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(1, line), column: Math.max(1, col), problem }
  }
  const deep = tooDeepAt(yaml, text, lines)
  if (deep !== undefined) return { ok: false, problems: [locate(deep, TOO_DEEP)] }
  const document = yaml.parseDocument(text, {
    version: '1.2',
    schema: 'core',
    strict: true,
    stringKeys: true,
    // Found by the reader below in one pass: the library compares each key with every other.
    uniqueKeys: false,
    merge: false,
    resolveKnownTags: false,
    prettyErrors: false,
  })
  const complaints = [...document.errors, ...document.warnings]
  if (complaints.length > 0) return { ok: false, problems: syntaxProblems(complaints, locate) }
  return new MappingReader(yaml, locate, show).read(document)
}

/**
 * Where the text is nested too deeply, if it is. The library goes on until its stack is used up, and a regular
 * expression that V8 has to compile there can end the whole process.
 *
 * @param lines gets to know the lines, up to that place.
 */
function tooDeepAt(yaml: Yaml, text: string, lines: LineCounter): number | undefined {
  lines.addNewLine(0)
  const parser = new yaml.Parser(lines.addNewLine)
  for (const lexeme of new yaml.Lexer().lex(text)) {
    Array.from(parser.next(lexeme))
    if (parser.stack.length > MAX_OPEN_NODES) return parser.offset
  }
  return undefined
}

function syntaxProblems(complaints: readonly YAMLError[], locate: Locate): YamlProblem[] {
  // After the parser ran out of stack, what it says and where is noise.
  const exhausted = complaints.find((error) => error.code === 'RESOURCE_EXHAUSTION')
  const problems = new Map<number, YamlProblem>()
  for (const error of exhausted === undefined ? complaints : [exhausted]) {
    // At one place the first complaint is the reason, the others its consequences.
    const offset = exhausted === undefined ? error.pos[0] : 0
    if (!problems.has(offset)) problems.set(offset, locate(offset, syntaxProblem(error)))
  }
  return [...problems.values()].slice(0, MAX_PROBLEMS)
}

function syntaxProblem({ code, message }: YAMLError): string {
  const missing = /(?:end with a|Missing closing) (\S)/.exec(message)?.[1]
  if (missing !== undefined) return `a closing ${missing} is missing before this place`
  return SYNTAX_PROBLEMS[code] ?? `this is not valid YAML: ${message}`
}

/** Turns a document's nodes into plain values, and notes what JSON cannot say. */
class MappingReader {
  readonly #yaml: Yaml
  readonly #locate: Locate
  readonly #show: Show
  readonly #problems: YamlProblem[] = []
  /** What each anchor stands for, and of how many values and characters it consists. Not there while it is read. */
  readonly #anchors = new Map<string, { readonly value: JsonValue } & Size>()
  #size: Size = { count: 0, length: 0 }

  constructor(yaml: Yaml, locate: Locate, show: Show) {
    this.#yaml = yaml
    this.#locate = locate
    this.#show = show
  }

  read(document: Document): ParsedMapping {
    const top = document.contents
    if (top === null || (this.#yaml.isScalar(top) && top.value === null)) {
      return { ok: false, problems: [this.#locate(0, 'there is no value; write a mapping (key: value)')] }
    }
    if (!this.#yaml.isMap(top)) {
      const text = this.#yaml.isScalar(top) ? top.source : undefined
      const problem = this.#yaml.isSeq(top)
        ? 'this is a list; write a mapping (key: value)'
        : `this is a single value; write ${asMapping(text)}`
      return { ok: false, problems: [this.#locate(top.range?.[0] ?? 0, problem)] }
    }
    const offsets: Offsets = new Map()
    const value = this.#mapping(top.items, 1, offsets)
    return this.#problems.length === 0
      ? {
          ok: true,
          value,
          locate: (path) => this.#place(path, offsets),
          isEmpty: (path) => entryAt(path, offsets)?.isEmpty === true,
          isFloat: (path) => entryAt(path, offsets)?.isFloat === true,
        }
      : { ok: false, problems: this.#problems.slice(0, MAX_PROBLEMS) }
  }

  #place(path: Path, offsets: Offsets): Place | undefined {
    let known = undefined
    let inside: Offsets | undefined = offsets
    for (const key of path) {
      const entry: ReturnType<Offsets['get']> = inside.get(key)
      if (entry === undefined) break
      known = entry.offset
      inside = entry.inside
    }
    if (known === undefined) return undefined
    const { line, column } = this.#locate(known, '')
    return { line, column }
  }

  /** `null` stands for every value that has a problem. */
  #value(node: Node | null, depth: number, offsets: Offsets): JsonValue {
    const before = this.#size
    this.#grow({ count: 1, length: 0 })
    if (node === null) return null
    if (this.#isTooMuch(node, depth)) return null
    if (this.#yaml.isAlias(node)) return this.#alias(node.source, node)
    const anchor = this.#anchorOf(node)
    if (anchor !== undefined) this.#anchors.delete(anchor)
    const value = this.#content(node, depth, offsets)
    if (anchor !== undefined) {
      const { count, length } = this.#size
      this.#anchors.set(anchor, { value, count: count - before.count, length: length - before.length })
    }
    return value
  }

  #grow({ count, length }: Size): void {
    this.#size = { count: this.#size.count + count, length: this.#size.length + length }
  }

  #content(node: Node, depth: number, offsets: Offsets): JsonValue {
    if (this.#yaml.isMap(node)) return this.#mapping(node.items, depth, offsets)
    if (this.#yaml.isSeq(node)) {
      return node.items.map((item, index) => {
        if (!this.#yaml.isNode(item)) return this.#value(null, depth + 1, new Map())
        const inside: Offsets = new Map()
        const isFloat = this.#isFloat(item)
        offsets.set(String(index), { offset: item.range?.[0] ?? 0, inside, isEmpty: false, isFloat })
        return this.#value(item, depth + 1, inside)
      })
    }
    return this.#yaml.isScalar(node) ? this.#scalar(node) : null
  }

  #mapping(pairs: readonly Pair[], depth: number, offsets: Offsets): JsonObject {
    const entries = new Map<string, JsonValue>()
    for (const { key, value } of pairs) {
      if (!this.#yaml.isScalar(key)) continue
      const name = String(key.value)
      const problem = entries.has(name) ? 'occurs twice in this mapping; keep one' : keyProblem(name, key)
      if (problem !== undefined) this.#complain(key, `the key ${this.#show(name)} ${problem}`)
      this.#grow({ count: 0, length: name.length })
      const inside: Offsets = new Map()
      offsets.set(name, {
        offset: key.range?.[0] ?? 0,
        inside,
        isEmpty: this.#isNothing(value),
        isFloat: this.#isFloat(value),
      })
      entries.set(name, this.#value(this.#yaml.isNode(value) ? value : null, depth + 1, inside))
    }
    return Object.fromEntries(entries)
  }

  #isNothing(node: unknown): boolean {
    return node === null || (this.#yaml.isScalar(node) && node.value === null && node.source === '')
  }

  #isFloat(node: unknown): boolean {
    return this.#yaml.isScalar(node) && typeof node.value === 'number' && !isInteger(node)
  }

  #scalar(node: Scalar): JsonValue {
    const { value } = node
    if (typeof value === 'string') this.#grow({ count: 0, length: value.length })
    if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value
    if (typeof value !== 'number') {
      this.#complain(node, 'JSON has no such value; put it in quotes')
      return null
    }
    if (!Number.isFinite(value)) {
      this.#complain(node, 'JSON cannot carry infinity or NaN; put it in quotes')
    } else if (isInteger(node) && !Number.isSafeInteger(value)) {
      this.#complain(node, 'the number has more digits than JSON can carry exactly; put it in quotes')
    }
    return value
  }

  #alias(name: string, node: Node): JsonValue {
    const anchor = this.#anchors.get(name)
    if (anchor === undefined) {
      this.#complain(
        node,
        `the alias ${this.#show(`*${name}`)} has no finished anchor before it; write the value out`,
      )
      return null
    }
    this.#grow(anchor)
    return anchor.value
  }

  #anchorOf(node: Node): string | undefined {
    if (this.#yaml.isScalar(node) || this.#yaml.isCollection(node)) return node.anchor
    return undefined
  }

  #isTooMuch(node: Node, depth: number): boolean {
    const { count, length } = this.#size
    if (depth <= MAX_DEPTH && count <= MAX_VALUES && length <= MAX_CHARACTERS) return false
    const what = count > MAX_VALUES ? `${MAX_VALUES} values` : `${MAX_CHARACTERS} characters`
    const problem = depth > MAX_DEPTH ? TOO_DEEP : `more than ${what} (counting aliases); write fewer`
    // One is enough: the same is true of every value that follows.
    if (!this.#problems.some((known) => known.problem === problem)) this.#complain(node, problem)
    return true
  }

  #complain(node: Node, problem: string): void {
    this.#problems.push(this.#locate(node.range?.[0] ?? 0, problem))
  }
}

function isInteger({ source = '' }: Scalar): boolean {
  return /^(?:[-+]?\d+|0[xo][\da-f]+)$/i.test(source)
}

/** What is written like an assignment, as a mapping. Never a part of it: a cut secret would no longer be hidden. */
function asMapping(text = ''): string {
  const [, key, value] = /^([\w.-]{1,60})\s*=\s*([^=\n]{1,60})$/.exec(text) ?? []
  return key === undefined ? 'a mapping (key: value)' : `${key}: ${value}`
}

function entryAt(path: Path, offsets: Offsets): Entry | undefined {
  const inside = path.slice(0, -1).reduce<Offsets | undefined>((at, key) => at?.get(key)?.inside, offsets)
  return inside?.get(path.at(-1) ?? '')
}

function keyProblem(name: string, key: Scalar): string | undefined {
  // To JavaScript that is no key like any other.
  if (name === '__proto__') return 'cannot be used; give it another name'
  if (name === '<<' && key.type === 'PLAIN')
    return 'would merge mappings, which YAML 1.2 does not know; write them out'
  if (name === '') return 'is empty; write a name before the colon'
  return undefined
}
