import { closestMatch } from 'leven'
import { z } from 'zod'

import { parseDuration } from './duration.ts'
import { quote } from './printable.ts'

/** The longest name that ZenML's database takes. */
const MAX_NAME_LENGTH = 255
/** The longest path that Linux takes; also more than enough for any other line. */
const MAX_TEXT_LENGTH = 4096
const MIN_POLL_INTERVAL_MS = 1000

/** How long ZenML's values for the placeholders are: `2024_01_31` and `23_59_59_123456`. */
const PLACEHOLDER_LENGTHS: Readonly<Record<string, number>> = { date: 10, time: 15 }

/** Ends the reading of a value; the problem stands behind the quoted value, or behind the part of it given. */
type Fault = (problem: string, part?: string) => never

function value<T>(read: (text: string, fault: Fault) => T) {
  return z.string().transform((raw, context): T => {
    const text = raw.trim()
    return read(text, (problem, part = text) => {
      context.addIssue(`${quote(part)} ${problem}`)
      return z.NEVER
    })
  })
}

const boolean = value((text, fault) => {
  // As GitHub's own toolkit: the booleans of YAML 1.2's core schema.
  if (['true', 'True', 'TRUE'].includes(text)) return true
  if (['false', 'False', 'FALSE'].includes(text)) return false
  return fault('is not a boolean; write true or false')
})

const duration = value((text, fault) => {
  const parsed = parseDuration(text)
  return parsed.ok ? parsed.ms : fault(parsed.problem)
})

const durationOrNone = value((text, fault) => {
  if (text === 'none') return undefined
  const parsed = parseDuration(text)
  return parsed.ok ? parsed.ms : fault(`${parsed.problem}, or none`)
})

const pollInterval = value((text, fault) => {
  if (text === 'adaptive') return undefined
  const parsed = parseDuration(text)
  if (!parsed.ok) return fault(`${parsed.problem}, or adaptive`)
  if (parsed.ms < MIN_POLL_INTERVAL_MS) return fault('is too short; write at least 1s, or adaptive')
  return parsed.ms
})

function lineProblem(text: string, maxLength: number): string | undefined {
  if (/[\p{Cc}\p{Zl}\p{Zp}]/u.test(text)) {
    return 'holds a line break or a control character; write it on one line'
  }
  return text.length > maxLength
    ? `is ${text.length} characters long; at most ${maxLength} are possible`
    : undefined
}

function singleLine(maxLength: number) {
  return value((text, fault) => {
    const problem = lineProblem(text, maxLength)
    return problem === undefined ? text : fault(problem)
  })
}

const name = singleLine(MAX_NAME_LENGTH)

/** A key or token. Its faults never show the value. */
const credential = z.string().transform((raw, context): string => {
  const text = raw.trim()
  const problem = credentialProblem(text)
  if (problem === undefined) return text
  context.addIssue(problem)
  return z.NEVER
})

function credentialProblem(text: string): string | undefined {
  if (/^["'`].*["'`]$/su.test(text)) {
    return 'stands in quotes that are part of the value; store the secret without them'
  }
  if (/^Bearer\s/i.test(text)) return 'begins with the word Bearer; store only what stands behind it'
  if (/\s/u.test(text)) {
    return 'holds a space or a line break in the middle; store the secret as the one line that ZenML showed'
  }
  if (/[^\x21-\x7e]/u.test(text)) {
    return 'holds a character that no key or token has; copy the secret from ZenML again'
  }
  return undefined
}

const runName = value((text, fault) => {
  const problem = lineProblem(text, MAX_TEXT_LENGTH) ?? runNameProblem(text)
  return problem === undefined ? text : fault(problem)
})

function runNameProblem(text: string): string | undefined {
  const known = Object.keys(PLACEHOLDER_LENGTHS)
  let length = 0
  for (const part of text.split(/(\{[^{}]*\})/)) {
    const placeholder = /^\{(.*)\}$/.exec(part)?.[1]
    if (placeholder === undefined) {
      if (/[{}]/.test(part)) return 'holds a single { or }, which ZenML cannot read; remove it'
      length += Array.from(part).length
    } else if (known.includes(placeholder)) {
      length += PLACEHOLDER_LENGTHS[placeholder] ?? 0
    } else {
      const near = closestMatch(placeholder, known, { maxDistance: 2 })
      const advice = near === undefined ? 'only {date} and {time} are' : `did you mean {${near}}?`
      return `holds {${quote(placeholder, 30).slice(1, -1)}}, which is not filled in; ${advice}`
    }
  }
  return length > MAX_NAME_LENGTH
    ? `becomes ${length} characters long; a run's name has at most ${MAX_NAME_LENGTH}`
    : undefined
}

/** One a line, or several in a line between commas. */
const tags = value((text, fault): readonly string[] => {
  const lines = text.split(/\r\n|\r|\n/).filter((line) => line.trim() !== '')
  const found = lines.flatMap((line) => line.split(',')).map((tag) => tag.trim())
  const empty = found.indexOf('')
  if (empty !== -1) {
    return fault(`has an empty tag (number ${empty + 1} of ${found.length}); remove the extra comma`)
  }
  for (const tag of found) {
    const problem = lineProblem(tag, MAX_NAME_LENGTH)
    if (problem !== undefined) return fault(problem, tag)
  }
  return [...new Set(found)]
})

/**
 * The table of all inputs, in the order of action.yml: what each may hold. An input that is not given, or
 * blank, is `undefined` here; `prefault` is the default of action.yml, for an expression that came out empty.
 *
 * Every issue's message is the rest of a line that begins with the input's name.
 */
export const inputSchema = z.object({
  'server-url': z.string().optional(),
  'api-key': credential.optional(),
  'access-token': credential.optional(),
  snapshot: name.optional(),
  template: name.optional(),
  pipeline: name.optional(),
  project: name.optional(),
  configuration: z.string().optional(),
  'configuration-file': singleLine(MAX_TEXT_LENGTH).optional(),
  'run-name': runName.optional(),
  tags: tags.optional(),
  'use-cache': boolean.optional(),
  wait: boolean.prefault('true'),
  timeout: durationOrNone.optional(),
  'trigger-timeout': duration.prefault('30m'),
  'poll-interval': pollInterval.optional(),
  'allow-insecure-http': boolean.prefault('false'),
  'step-key': singleLine(MAX_TEXT_LENGTH).prefault(''),
})

export type InputValues = z.output<typeof inputSchema>

export type InputName = keyof typeof inputSchema.shape

/** Every input of the action, in the order of action.yml. */
export const inputNames: readonly InputName[] = inputSchema.keyof().options

/** What the runner gave for each input, as it is; `undefined` if nothing or only white space. */
export type RawInputs = Readonly<Partial<Record<InputName, string>>>

/** The default of action.yml as the code has it, for those inputs that have one. */
export const inputDefaults: Readonly<Partial<Record<InputName, string>>> = Object.fromEntries(
  Object.entries(inputSchema.shape).flatMap(([input, schema]) =>
    schema instanceof z.ZodPrefault ? [[input, schema.def.defaultValue]] : [],
  ),
)

/** Inputs whose values are masked before anything else happens. */
export const secretInputs: readonly InputName[] = ['api-key', 'access-token']
