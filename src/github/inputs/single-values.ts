import { closestMatch } from 'leven'
import { z } from 'zod'

import { parseDuration } from '../../base/duration.ts'
import { isDeeperThan, parseJson, type JsonValue } from '../../base/json.ts'
import { quote } from '../../base/printable.ts'
import { MAX_NAME_LENGTH, runNameProblem } from '../../base/run-name.ts'
import type { ResumeMode } from '../../run/start/resume.ts'
import { hasStrayQuotes, STRAY_QUOTES } from './expectations.ts'

/** The longest path that Linux takes; also more than enough for any other line. */
export const MAX_TEXT_LENGTH = 4096
/** Longer than any key or token; a request's headers hold no more. */
const MAX_CREDENTIAL_LENGTH = 16_000
const MIN_POLL_INTERVAL_MS = 1000

/** For which ends of a run there is a comment on the pull request. */
export type CommentMode = 'never' | 'always' | 'on-failure'

/** Ends the reading of a value; the problem stands behind the quoted value, or behind the part of it given. */
export type Fault = (problem: string, part?: string) => never

/** A field of one text without spaces around it. */
export function value<T>(read: (text: string, fault: Fault) => T) {
  return z.string().transform((raw, context): T => {
    const text = raw.trim()
    return read(text, (problem, part = text) => {
      context.addIssue(`${shown(part)} ${problem}`)
      return z.NEVER
    })
  })
}

/** Where an address has a user, a query or a fragment, there may be a password or a token in it. */
function shown(part: string): string {
  return /:\/\/.*[@?#]/su.test(part) ? 'the address (not shown, as it can hold a password)' : quote(part)
}

/** `true` or `false`. */
export const boolean = value((text, fault) => {
  // As GitHub's own toolkit: the booleans of YAML 1.2's core schema.
  if (['true', 'True', 'TRUE'].includes(text)) return true
  if (['false', 'False', 'FALSE'].includes(text)) return false
  return fault('is not a boolean; write true or false')
})

/** `true`, `false`, or only for failures. */
export const comment = value((text, fault): CommentMode => {
  if (text === 'on-failure') return text
  const isOn = boolean.safeParse(text)
  if (!isOn.success) return fault('is not allowed; use true, false or on-failure')
  return isOn.data ? 'always' : 'never'
})

/** `true`, `false`, or also to replay a run that failed. */
export const resume = value((text, fault): ResumeMode | false => {
  if (text === 'replay') return text
  const isOn = boolean.safeParse(text)
  return isOn.success ? isOn.data : fault('is not allowed; use true, false or replay')
})

/** A number without a fraction between two others, which are included. */
export function wholeNumber(least: number, most: number) {
  return value((text, fault) => {
    const number = /^\d+$/.test(text) ? Number(text) : NaN
    if (number >= least && number <= most) return number
    return fault(`is not allowed; write a whole number from ${least} to ${most}`)
  })
}

/** Which value of the finished runs is compared, and whether more or less is better. */
export const rank = value((text, fault) => {
  const [, direction, name] = /^(max|min)\s+(\S.*)$/su.exec(text) ?? []
  if (name !== undefined && hasStrayQuotes(name)) return fault(STRAY_QUOTES, name)
  if (name !== undefined && !/[\r\n]/.test(name))
    return { direction: direction === 'max' ? 'max' : 'min', name } as const
  return fault('does not say what is best; write max or min and a name, such as max train.accuracy')
})

/** Deeper than any answer that a person gives; far from where reading it would overflow the stack. */
const MAX_ANSWER_DEPTH = 50

const json = z.custom<JsonValue>((parsed) => parsed !== undefined && !isDeeperThan(MAX_ANSWER_DEPTH, parsed))

/** JSON that is sent just as it is meant: a number that JavaScript would change is refused. */
export const answer = value((text, fault): JsonValue => {
  const parsed = json.safeParse(parseJson(text))
  if (!parsed.success) {
    return fault(
      'is not JSON; write true, 3, {"key": "value"}, or a string in double quotes, as in \'"yes"\'',
    )
  }
  if (holdsInexactNumber(parsed.data))
    return fault('has a number that is too large to be sent exactly; answer in the dashboard instead')
  return parsed.data
})

function holdsInexactNumber(value: JsonValue): boolean {
  if (typeof value === 'number') return Math.abs(value) > Number.MAX_SAFE_INTEGER
  return typeof value === 'object' && value !== null && Object.values(value).some(holdsInexactNumber)
}

/** A time in milliseconds. */
export const duration = value((text, fault) => {
  const parsed = parseDuration(text)
  return parsed.ok ? parsed.ms : fault(parsed.problem)
})

/** A time in milliseconds; `undefined` for the word none. */
export const durationOrNone = value((text, fault) => {
  if (text === 'none') return undefined
  const parsed = parseDuration(text)
  return parsed.ok ? parsed.ms : fault(`${parsed.problem}, or none`)
})

/** A time in milliseconds, at least 1000; `undefined` for the word adaptive. */
export const pollInterval = value((text, fault) => {
  if (text === 'adaptive') return undefined
  const parsed = parseDuration(text)
  if (!parsed.ok) return fault(`${parsed.problem}, or adaptive`)
  if (parsed.ms < MIN_POLL_INTERVAL_MS) return fault('is too short; write at least 1s, or adaptive')
  return parsed.ms
})

/** What is wrong with a text that has to be one line. */
export function lineProblem(text: string, maxLength: number): string | undefined {
  if (/[\p{Cc}\p{Zl}\p{Zp}]/u.test(text)) {
    return 'contains a line break or a control character; write it on one line'
  }
  return text.length > maxLength
    ? `is ${text.length} characters long; at most ${maxLength} are allowed`
    : undefined
}

/** @param problemOf what else can be wrong with it */
function singleLine(maxLength: number, problemOf: (text: string) => string | undefined = () => undefined) {
  return value((text, fault) => {
    const problem = problemOf(text) ?? lineProblem(text, maxLength)
    return problem === undefined ? text : fault(problem)
  })
}

/** Any text on one line, such as a path. */
export const line = singleLine(MAX_TEXT_LENGTH)

/** A name as ZenML stores it, or an id. */
export const name = singleLine(MAX_NAME_LENGTH)

/** Any text of any length, as it is. */
export const text = z.string()

/**
 * One of a few words, written exactly so.
 *
 * @param aliases what people may write for a word, for the error
 */
export function choice<Word extends string>(
  words: readonly Word[],
  aliases: Readonly<Record<string, Word>> = {},
) {
  return value((text, fault): Word => {
    const chosen = words.find((word) => word === text)
    if (chosen !== undefined) return chosen
    const written = text
      .toLowerCase()
      .replaceAll(/[\s_]+/g, '-')
      .slice(0, MAX_NAME_LENGTH)
    const near = Object.hasOwn(aliases, written)
      ? aliases[written]
      : closestMatch(written, [...words], { maxDistance: 2 })
    return fault(
      near === undefined ? `is not allowed; use ${listed(words)}` : `is not allowed; did you mean ${near}?`,
    )
  })
}

function listed(words: readonly string[]): string {
  return new Intl.ListFormat('en', { type: 'disjunction' }).format(words)
}

/** The id or the name of a workspace of ZenML Pro. */
export const workspaceReference = singleLine(MAX_NAME_LENGTH, (text) => {
  const page = /^https?:\/\/.*\/(?:workspaces|tenants)\/([\w.-]{1,100})(?:[/?#]|$)/i.exec(text)?.[1]
  if (page !== undefined) return `is the address of a page; write only the workspace's name, ${page}`
  return /^https?:\/\//i.test(text)
    ? "is an address; give it as server-url, or write the workspace's name"
    : undefined
})

/** A key or token of ZenML. Its faults never show the value. */
export const credential = secretFrom('ZenML')

/** A token of GitHub. Its faults never show the value. */
export const githubToken = secretFrom('GitHub')

function secretFrom(issuer: string) {
  return z.string().transform((raw, context): string => {
    const text = raw.trim()
    const problem = secretProblem(text, issuer)
    if (problem === undefined) return text
    context.addIssue(problem)
    return z.NEVER
  })
}

function secretProblem(text: string, issuer: string): string | undefined {
  if (/^["'`].*["'`]$/su.test(text)) {
    return 'is in quotes that are part of the value; store the secret without them'
  }
  if (/^Bearer\s/i.test(text)) return 'begins with the word Bearer; store only what follows it'
  if (text.length > MAX_CREDENTIAL_LENGTH) {
    return `is ${text.length} characters long, which no key or token is; copy the secret from ${issuer} again`
  }
  if (/\s/u.test(text)) {
    return `contains a space or a line break; store the secret as the one line that ${issuer} showed`
  }
  if (/[^\x21-\x7e]/u.test(text)) {
    return `contains a character that no key or token has; copy the secret from ${issuer} again`
  }
  return undefined
}

/** May hold `{date}` and `{time}`; at most 255 characters once they are filled in. */
export const runName = singleLine(MAX_TEXT_LENGTH, runNameProblem)

const NO_LIST = 'takes no list of YAML or JSON; write the tags as in nightly, github'

/** One per line, or several between commas. */
export const tags = value((text, fault): readonly string[] => {
  const lines = text.split(/\r\n|\r|\n/).filter((line) => line.trim() !== '')
  if (/^\s*\[.*[,"'].*\]\s*$/s.test(text) || lines.some((line) => /^\s*[-*]\s/.test(line)))
    return fault(NO_LIST)
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
