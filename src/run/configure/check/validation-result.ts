import { isDeepStrictEqual } from 'node:util'
import type { JsonValue } from '../../../base/json.ts'
import type { Path } from '../layers.ts'

/** What a type that is neither list nor mapping makes of a value. */
export type ScalarResult =
  | { readonly kind: 'fits'; readonly value: JsonValue }
  /** @property isDoubtful the schema does not tell whether it is one */
  | { readonly kind: 'misfit'; readonly wanted: string; readonly isDoubtful?: boolean }

/** A part of a value that cannot become what its type asks for. */
export interface Misfit {
  /** Within the value; empty for the value itself. */
  readonly path: Path
  readonly value: JsonValue
  /** `missing`: a mapping without a field that it must have; `no-field`: one that its type forbids. */
  readonly kind: 'value' | 'missing' | 'no-field'
  /** What the type takes, to stand behind "must be", such as `an integer`. */
  readonly wanted: string
  /** The schema does not tell whether it is one: fields can have other names, and flags be combined. */
  readonly isDoubtful: boolean
}

/** How a value fits a type. */
export interface ValidationResult {
  /** What the step gets, where nothing is a misfit. */
  readonly value: JsonValue
  readonly misfits: readonly Misfit[]
  /** Fields that a model does not have and leaves out. */
  readonly ignored: readonly { readonly path: Path; readonly known: readonly string[] }[]
  /** Whether a value was turned into another one. */
  readonly converted: boolean
}

export type Part = readonly [key: string, fit: ValidationResult]

export function asItIs(value: JsonValue): ValidationResult {
  return { value, misfits: [], ignored: [], converted: false }
}

export function converted(value: JsonValue, from: JsonValue): ValidationResult {
  return { ...asItIs(value), converted: !isDeepStrictEqual(value, from) }
}

export function misfit(value: JsonValue, wanted: string, isDoubtful = false): ValidationResult {
  return { ...asItIs(value), misfits: [{ path: [], value, kind: 'value', wanted, isDoubtful }] }
}

/** A list's or mapping's fit, of those of its parts. */
export function gather(
  parts: readonly Part[],
  join: (parts: readonly Part[]) => JsonValue,
): ValidationResult {
  return {
    value: join(parts),
    misfits: parts.flatMap(([key, { misfits }]) =>
      misfits.map((each) => ({ ...each, path: [key, ...each.path] })),
    ),
    ignored: parts.flatMap(([key, { ignored }]) =>
      ignored.map((each) => ({ ...each, path: [key, ...each.path] })),
    ),
    converted: parts.some(([, fit]) => fit.converted),
  }
}

/** Nothing in it is surely wrong. */
export function mayFit({ misfits }: ValidationResult): boolean {
  return misfits.every(({ isDoubtful }) => isDoubtful)
}

/** Of several types' fits the one that says most about a value that fits none; undefined if none says more than "no". */
export function nearest(
  fits: readonly ValidationResult[],
  tagsOf: (index: number) => readonly string[],
): ValidationResult | undefined {
  const inside = fits
    .map((fit, index) => ({ fit, tags: tagsOf(index) }))
    .filter(({ fit }) => fit.misfits.every(({ path, kind }) => path.length > 0 || kind === 'missing'))
    .map(({ fit, tags }) => ({
      fit,
      isOther: fit.misfits.some(({ path: [first = ''] }) => tags.includes(first)),
    }))
  inside.sort((a, b) => Number(a.isOther) - Number(b.isOther) || a.fit.misfits.length - b.fit.misfits.length)
  return inside[0]?.fit
}
