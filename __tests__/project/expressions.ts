/** GitHub's expressions, as its own evaluator reads them, in the guides' examples. */

import { data, Evaluator, Lexer, Parser } from '@actions/expressions'

/** Values of names such as `vars.ZENML_SERVER_URL`. */
export type Contexts = Readonly<Record<string, string>>

export interface Scope {
  readonly contexts: Contexts
  /** Whether an earlier step has failed. */
  readonly hasFailed: boolean
}

const STATUS_FUNCTION = /\b(?:always|cancelled|failure|success)\(\)/

/** A text with `${{ … }}` in it, as a step gets it; a name without a value fails the test. */
export function evaluate(text: string, scope: Scope): string {
  return text.replaceAll(/\$\{\{\s*(.*?)\s*\}\}/g, (_, expression: string) =>
    valueOf(expression, scope).coerceString(),
  )
}

/** Whether a step or job with this `if:` is run. */
export function holds(condition: string | undefined, scope: Scope): boolean {
  const [, inner] = /^\$\{\{(.*)\}\}$/s.exec(condition?.trim() ?? '') ?? []
  const expression = inner ?? condition ?? 'success()'
  if (scope.hasFailed && !STATUS_FUNCTION.test(expression)) return false
  return valueOf(`!!(${expression})`, scope).coerceString() === 'true'
}

function valueOf(expression: string, { contexts, hasFailed }: Scope): data.ExpressionData {
  const values = new Known()
  for (const [name, value] of Object.entries(contexts)) put(values, name.split('.'), value)
  const functions = Object.entries({
    always: true,
    cancelled: false,
    failure: hasFailed,
    success: !hasFailed,
  }).map(([name, value]) => ({ name, minArgs: 0, maxArgs: 0, call: () => new data.BooleanData(value) }))
  const names = values.pairs().map(({ key }) => key)
  const parsed = new Parser(new Lexer(expression).lex().tokens, names, functions).parse()
  return new Evaluator(parsed, values, new Map(functions.map((each) => [each.name, each]))).evaluate()
}

/** Where GitHub takes what is not there for empty, a test has forgotten something. */
class Known extends data.Dictionary {
  override get(key: string): data.ExpressionData {
    const value = super.get(key)
    if (value === undefined) throw new Error(`no value for the expression's ${key}`)
    return value
  }
}

function put(values: data.Dictionary, [name = '', ...rest]: readonly string[], value: string): void {
  if (rest.length === 0) return values.add(name, new data.StringData(value))
  values.add(name, new Known())
  const inner = values.get(name)
  if (inner instanceof data.Dictionary) put(inner, rest, value)
}
