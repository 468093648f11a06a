/** The part of GitHub's expression language that the guides' examples use. */

import { z } from 'zod'
import type { JsonValue } from '../../src/base/json.ts'

/** Values of names such as `vars.ZENML_SERVER_URL`. */
export type Contexts = Readonly<Record<string, string>>

export interface Scope {
  readonly contexts: Contexts
  /** Whether an earlier step has failed. */
  readonly hasFailed: boolean
}

const STATUS_FUNCTION = /\b(?:always|cancelled|failure|success)\(\)/

/** A text, a number, a name with its properties, the properties of a call's result, or a sign. */
const TOKEN =
  /\s*('(?:[^']|'')*'|\d+(?:\.\d+)?|[a-z_][\w-]*(?:\.(?:[\w-]+|\*))*|(?:\.(?:[\w-]+|\*))+|\|\||&&|[=!<>]=|[<>!(),])/gi

/** A text with `${{ … }}` in it, as a step gets it; a name without a value fails the test. */
export function evaluate(text: string, scope: Scope): string {
  return text.replaceAll(/\$\{\{\s*(.*?)\s*\}\}/g, (_, expression: string) =>
    textOf(new Expression(expression, scope).value()),
  )
}

/** Whether a step or job with this `if:` is run. */
export function holds(condition: string | undefined, scope: Scope): boolean {
  const [, inner] = /^\$\{\{(.*)\}\}$/s.exec(condition?.trim() ?? '') ?? []
  const expression = inner ?? condition ?? 'success()'
  if (scope.hasFailed && !STATUS_FUNCTION.test(expression)) return false
  return isTrue(new Expression(expression, scope).value())
}

function isTrue(value: JsonValue): boolean {
  return value !== null && value !== '' && value !== 0 && value !== false
}

function textOf(value: JsonValue): string {
  if (value === null) return ''
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

class Expression {
  readonly #text: string
  readonly #scope: Scope
  readonly #tokens: string[]

  constructor(text: string, scope: Scope) {
    this.#text = text
    this.#scope = scope
    this.#tokens = [...text.matchAll(TOKEN)].map(([, token = '']) => token)
    const read = this.#tokens.join('').replaceAll(/\s/g, '')
    if (read !== text.replaceAll(/\s/g, '')) throw new Error(`cannot read the expression ${text}`)
  }

  value(): JsonValue {
    const value = this.#or()
    if (this.#tokens.length > 0) throw new Error(`cannot read the expression ${this.#text}`)
    return value
  }

  #take(...wanted: readonly string[]): string | undefined {
    const [next] = this.#tokens
    return next !== undefined && wanted.includes(next) ? this.#tokens.shift() : undefined
  }

  #or(): JsonValue {
    let value = this.#and()
    while (this.#take('||') !== undefined) {
      const other = this.#and()
      value = isTrue(value) ? value : other
    }
    return value
  }

  #and(): JsonValue {
    let value = this.#comparison()
    while (this.#take('&&') !== undefined) {
      const other = this.#comparison()
      value = isTrue(value) ? other : value
    }
    return value
  }

  #comparison(): JsonValue {
    const left = this.#unary()
    const sign = this.#take('==', '!=', '>=', '<=', '<', '>')
    if (sign === undefined) return left
    const right = this.#unary()
    if (sign === '==' || sign === '!=') return (textOf(left) === textOf(right)) === (sign === '==')
    const [a, b] = [Number(left ?? 0), Number(right ?? 0)]
    return sign.startsWith('>') ? a > b || (sign === '>=' && a === b) : a < b || (sign === '<=' && a === b)
  }

  #unary(): JsonValue {
    return this.#take('!') === undefined ? this.#primary() : !isTrue(this.#unary())
  }

  #primary(): JsonValue {
    const token = this.#tokens.shift() ?? ''
    if (token === '(') {
      const value = this.#or()
      this.#take(')')
      return value
    }
    if (token.startsWith("'")) return token.slice(1, -1).replaceAll("''", "'")
    if (/^\d/.test(token)) return Number(token)
    if (this.#take('(') !== undefined) return this.#properties(this.#call(token, this.#arguments()))
    const value = this.#scope.contexts[token]
    if (value === undefined) throw new Error(`no value for the expression ${token}`)
    return value
  }

  #arguments(): JsonValue[] {
    const given: JsonValue[] = []
    while (this.#take(')') === undefined) {
      given.push(this.#or())
      this.#take(',')
    }
    return given
  }

  #call(name: string, [first = null, ...rest]: readonly JsonValue[]): JsonValue {
    switch (name) {
      case 'always':
        return true
      case 'cancelled':
        return false
      case 'failure':
        return this.#scope.hasFailed
      case 'success':
        return !this.#scope.hasFailed
      case 'fromJSON':
        return z.json().parse(JSON.parse(textOf(first)))
      case 'toJSON':
        return JSON.stringify(first)
      case 'format':
        return textOf(first).replaceAll(/\{(\d+)\}/g, (_, index) => textOf(rest[Number(index)] ?? null))
      case 'join':
        return (Array.isArray(first) ? first : [first]).map(textOf).join(textOf(rest[0] ?? ','))
      default:
        throw new Error(`no function ${name} for the expression ${this.#text}`)
    }
  }

  /** Those that stand behind a call, such as `.*.name`; one that is not there is null. */
  #properties(value: JsonValue): JsonValue {
    if (this.#tokens[0]?.startsWith('.') !== true) return value
    const names = (this.#tokens.shift() ?? '').split('.').slice(1)
    return names.reduce<JsonValue>((at, name, index) => {
      if (name === '*') return at
      if (names[index - 1] === '*') return Array.isArray(at) ? at.map((each) => propertyOf(each, name)) : []
      return propertyOf(at, name)
    }, value)
  }
}

function propertyOf(value: JsonValue, name: string): JsonValue {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return null
  return Object.entries(value).find(([key]) => key === name)?.[1] ?? null
}
