import { isJsonObject, member, type JsonObject, type JsonValue } from '../../base/json.ts'
import type { StepMetadata } from '../../zenml/model.ts'
import { sum } from '../../base/decimal.ts'
import { didYouMean, listed, show, unquoted } from '../../base/words.ts'

export type Operator = '==' | '!=' | '<=' | '>=' | '<' | '>'

/** A condition on a finished run's metadata. */
export interface Expectation {
  /** `key`, or `step.key`, within mappings `step.key.inner`; in quotes a key just as it was logged. */
  readonly name: string
  readonly operator: Operator
  /** Never a boolean where the operator asks for an order. */
  readonly wanted: Value | BaselineBound
}

type Value = number | string | boolean

/** The value of the same name that the baseline has, and so much more (or less, where it is negative). */
export interface BaselineBound {
  readonly offset: number
  /** Whether the offset is one in hundred of the value's amount. */
  readonly isPercent: boolean
}

/** Whether an expectation holds, and what there was instead. */
export interface Verdict {
  /** The condition as a person writes it. */
  readonly wanted: string
  readonly held: boolean
  /** The value as text, or why there is none, to stand behind "got". */
  readonly got: string
  /** There is no baseline yet, and none is required: neither met nor missed. `held` is true. */
  readonly isUnchecked?: true
}

interface Entry {
  /** Undefined for the run's own. */
  readonly step: string | undefined
  /** Its key, behind those of the mappings that it is in. */
  readonly path: readonly string[]
  readonly value: JsonValue
}

/** What a finished run and its steps logged. */
export interface LoggedMetadata {
  readonly metadata: JsonObject
  readonly stepMetadata: readonly StepMetadata[]
}

/** What the baseline logged, or, as a clause, why that is not known. */
export type BaselineValues =
  | { readonly kind: 'found'; readonly values: LoggedMetadata }
  /** There is none yet. */
  | { readonly kind: 'none'; readonly why: string; readonly isRequired?: boolean }
  | { readonly kind: 'unread'; readonly why: string }

/**
 * @param unread why the metadata is not complete, so that nothing can be said to hold
 * @param baseline undefined where there is no such input
 */
export function evaluateExpectations(
  expectations: readonly Expectation[],
  logged: LoggedMetadata,
  unread: string | undefined,
  baseline?: BaselineValues,
): Verdict[] {
  if (unread !== undefined) {
    const got = `nothing, because the metadata could not be read: ${unread}`
    return expectations.map((expectation) => ({ wanted: describeExpectation(expectation), held: false, got }))
  }
  const entries = entriesOf(logged)
  return expectations.map(({ wanted, ...rest }) =>
    isBound(wanted)
      ? judgeAgainst({ ...rest, wanted }, entries, baseline)
      : judge({ ...rest, wanted }, entries),
  )
}

/** What was logged under a name as a condition writes it; or why that is not clear, to stand behind the name. */
export function loggedValue(
  name: string,
  logged: LoggedMetadata,
): { readonly value: JsonValue } | { readonly problem: string } {
  return find(name, entriesOf(logged))
}

/** Every value with its name: `step.key` or the run's own `key`, and within mappings `step.key.inner`. */
export function* namedValues(logged: LoggedMetadata): Generator<readonly [name: string, value: JsonValue]> {
  for (const entry of withInner(entriesOf(logged))) yield [nameOf(entry), entry.value]
}

/** What a condition's name stands for, as `step.key` or the run's own `key`; the name itself where that is not clear. */
export function nameInMetadata(name: string, logged: LoggedMetadata): string {
  const found = find(name, entriesOf(logged))
  return 'problem' in found ? name : nameOf(found)
}

/** Not met by a value at the bound. */
const EXCLUSIVE: ReadonlySet<Operator> = new Set(['<', '>', '!='])

type BoundExpectation = Expectation & { readonly wanted: BaselineBound }
type PlainExpectation = Expectation & { readonly wanted: Value }

/** Whether it can be judged only beside a baseline. */
export function needsBaseline({ wanted }: Expectation): boolean {
  return isBound(wanted)
}

/** Whether something is expected in comparison with the baseline. */
function isBound(wanted: Expectation['wanted']): wanted is BaselineBound {
  return typeof wanted === 'object'
}

function judgeAgainst(
  expectation: BoundExpectation,
  entries: readonly Entry[],
  baseline: BaselineValues = { kind: 'unread', why: 'there is no input baseline' },
): Verdict {
  const wanted = describeExpectation(expectation)
  if (baseline.kind === 'none' && !baseline.isRequired) {
    return { wanted, held: true, isUnchecked: true, got: `not checked: ${baseline.why}` }
  }
  if (baseline.kind !== 'found') {
    return { wanted, held: false, got: `nothing to compare with: ${baseline.why}` }
  }
  const own = find(expectation.name, entries)
  if ('problem' in own) return { wanted, held: false, got: own.problem }
  const found = findSame(own, entriesOf(baseline.values))
  const nothing = (what: string): Verdict => ({
    wanted,
    held: false,
    got: `nothing to compare with: the baseline has ${what}`,
  })
  if ('problem' in found) return nothing(found.problem)
  const { value } = found
  if (typeof value === 'number' && !Number.isFinite(value))
    return nothing('a number that is too large to be read')
  const { operator } = expectation
  const { offset } = expectation.wanted
  if (typeof value !== 'number') {
    // Without a look at the values nobody knows that texts are compared, and "9.5" comes behind "10.5".
    const isOrdered = operator !== '==' && operator !== '!='
    if (isOrdered || offset !== 0 || !isValue(value)) return nothing(`${show(value)}, which is not a number`)
    return withLimit(wanted, judge({ ...expectation, wanted: value }, entries), value)
  }
  // As a person adds, and as a computer does: how binary fractions are rounded decides nothing. A bound that is allowed
  // itself is met if either has it so, one that is not only if both do.
  const judged = (limit: number): Verdict =>
    withLimit(wanted, judge({ ...expectation, wanted: limit }, entries), limit)
  const by = amountOf(value, expectation.wanted)
  const verdict = judged(by === 0 ? value : sum(value, by))
  const other = judged(value + by)
  return verdict.held !== other.held && other.held !== EXCLUSIVE.has(operator) ? other : verdict
}

function withLimit(wanted: string, verdict: Verdict, limit: Value): Verdict {
  return { ...verdict, wanted: `${wanted} (${show(limit)})` }
}

/** What the baseline logged in the same place: a step's value is another one than that of the run itself. */
function findSame(
  own: Entry,
  entries: readonly Entry[],
): { readonly value: JsonValue } | { readonly problem: string } {
  const [first, ...others] = own.path
  const outer = entries.find(({ step, path }) => step === own.step && path[0] === first)
  const value = others.reduce<JsonValue | undefined>(member, outer?.value)
  if (value !== undefined) return { value }
  const name = nameOf(own)
  const there = entries.length === 0 ? 'it has no metadata' : `it has ${listed(namesOf(entries), name)}`
  return { problem: `no ${name} (${there})` }
}

function isValue(value: JsonValue): value is Value {
  return value !== null && typeof value !== 'object'
}

function amountOf(value: number, { offset, isPercent }: BaselineBound): number {
  return isPercent ? (Math.abs(value) * offset) / 100 : offset
}

/** One line that names each miss, with a semicolon between two and none within; undefined if everything held. */
export function missedExpectations(runName: string, verdicts: readonly Verdict[]): string | undefined {
  const missed = verdicts.filter(({ held }) => !held)
  if (missed.length === 0) return undefined
  const count = `${missed.length} of ${verdicts.length} expectations ${missed.length === 1 ? 'was' : 'were'}`
  const which = verdicts.length === 1 ? 'the expectation was' : count
  return `The run "${runName}" completed, but ${which} not met: ${missedClauses(verdicts)}`
}

/** The same for a place that says already whose they are: `expected train.accuracy >= 0.9, got 0.8`. */
export function missedClauses(verdicts: readonly Verdict[]): string {
  return verdicts
    .filter(({ held }) => !held)
    .map(({ wanted, got }) => `expected ${wanted}, got ${got}`)
    .join('; ')
}

/** As a person writes it. */
export function describeExpectation({ name, operator, wanted }: Expectation): string {
  return `${name} ${operator} ${isBound(wanted) ? describeBound(wanted) : show(wanted)}`
}

function describeBound({ offset, isPercent }: BaselineBound): string {
  if (offset === 0) return 'baseline'
  return `baseline ${offset < 0 ? '-' : '+'} ${Math.abs(offset)}${isPercent ? ' %' : ''}`
}

function entriesOf({ metadata: ofRun, stepMetadata: ofSteps }: LoggedMetadata): Entry[] {
  const own = Object.entries(ofRun).map(([key, value]) => ({ step: undefined, path: [key], value }))
  const others = ofSteps.flatMap(({ step, metadata }) =>
    Object.entries(metadata).map(([key, value]) => ({ step, path: [key], value })),
  )
  return [...own, ...others]
}

function judge(expectation: PlainExpectation, entries: readonly Entry[]): Verdict {
  const found = find(expectation.name, entries)
  if ('problem' in found) return { wanted: describeExpectation(expectation), held: false, got: found.problem }
  const { value } = found
  const doubt = doubtAbout(value, expectation.wanted)
  const held = doubt === undefined && compare(value, expectation)
  const kind = held || typeof value === typeof expectation.wanted ? undefined : kindOf(value)
  const remark = doubt ?? kind
  return {
    wanted: describeExpectation(expectation),
    held,
    got: `${show(value)}${remark === undefined ? '' : ` (${remark})`}`,
  }
}

function find(name: string, entries: readonly Entry[]): Entry | { readonly problem: string } {
  const outer = matching(name, entries)
  const isKey = unquoted(name) !== undefined
  const matches = outer.length > 0 || isKey ? outer : matching(name, withInner(entries))
  const [match, ...others] = matches
  if (match !== undefined && others.length === 0) return match
  if (match !== undefined) {
    const names = [...new Set(matches.map(nameOf))]
    if (names.length > 1) return { problem: `several values: ${listed(names, name)} (write one of these)` }
    return {
      problem: `several values of this name: ${listed(matches.map(originOf), name)} (log them under other names)`,
    }
  }
  return { problem: noSuchValue(name, entries) }
}

function matching(name: string, entries: Iterable<Entry>): Entry[] {
  const asKey = unquoted(name)
  const [named, bare]: [Entry[], Entry[]] = [[], []]
  for (const entry of entries) {
    if (keyOf(entry) === (asKey ?? name)) bare.push(entry)
    else if (asKey === undefined && nameOf(entry) === name) named.push(entry)
  }
  // The run's own is the plain meaning of a bare name.
  const own = bare.filter(({ step }) => step === undefined)
  return [...named, ...(own.length > 0 ? own : bare)]
}

/** Deeper nested values are none that a person compares. */
const MOST_LEVELS = 5

/** Each one by one: a run may have logged megabytes. */
function* withInner(entries: Iterable<Entry>): Generator<Entry> {
  for (const entry of entries) {
    yield entry
    yield* withInner(inside(entry))
  }
}

function* inside({ step, path, value }: Entry): Generator<Entry> {
  if (!isJsonObject(value) || path.length > MOST_LEVELS) return
  for (const [key, inner] of Object.entries(value)) yield { step, path: [...path, key], value: inner }
}

function noSuchValue(name: string, entries: readonly Entry[]): string {
  if (entries.length === 0) return 'no such value (the run has no metadata)'
  const names = namesOf(entries)
  // A semicolon stands between two expectations.
  return `no such value${didYouMean(name, names, ',')} (the run has ${listed(names, name)})`
}

/** In place of a mapping what it holds. */
function namesOf(entries: readonly Entry[]): string[] {
  const names: string[] = []
  for (const entry of withInner(entries)) {
    if (inside(entry).next().done === true) names.push(nameOf(entry))
  }
  return names
}

function keyOf({ path }: Entry): string {
  return path.join('.')
}

function nameOf(entry: Entry): string {
  return entry.step === undefined ? keyOf(entry) : `${entry.step}.${keyOf(entry)}`
}

/** Where a value was logged, for names that read alike. */
function originOf(entry: Entry): string {
  const key = keyOf(entry)
  return entry.step === undefined ? `${key} of the run itself` : `${key} of the step ${entry.step}`
}

/** Why a number cannot be compared: two that differ may have been read as the same one. */
function doubtAbout(value: JsonValue, wanted: Value): string | undefined {
  if (typeof value !== 'number' || typeof wanted !== 'number') return undefined
  if (!Number.isFinite(value)) return 'a number that is too large to be read'
  const isRounded = Math.abs(value) > Number.MAX_SAFE_INTEGER
  return isRounded && value === wanted ? 'more digits than can be compared exactly' : undefined
}

/** Values of two kinds are different, and have no order. */
function compare(value: JsonValue, { operator, wanted }: PlainExpectation): boolean {
  switch (operator) {
    case '==':
      return value === wanted
    case '!=':
      return typeof value === typeof wanted && value !== wanted
    case '<':
    case '<=':
    case '>':
    case '>=':
      return inOrder(value, wanted, operator)
  }
}

function inOrder(value: JsonValue, wanted: Value, operator: '<' | '<=' | '>' | '>='): boolean {
  const numbers = typeof value === 'number' && typeof wanted === 'number'
  const texts = typeof value === 'string' && typeof wanted === 'string'
  if (!numbers && !texts) return false
  switch (operator) {
    case '<':
      return value < wanted
    case '<=':
      return value <= wanted
    case '>':
      return value > wanted
    case '>=':
      return value >= wanted
  }
}

function kindOf(value: JsonValue): string {
  if (value === null) return 'nothing'
  if (typeof value === 'string') return 'a string'
  if (typeof value === 'number') return 'a number'
  if (typeof value === 'boolean') return 'a boolean'
  return isJsonObject(value) ? 'a mapping' : 'a list'
}
