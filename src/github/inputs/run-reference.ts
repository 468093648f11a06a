import { z } from 'zod'

import { MAX_NAME_LENGTH } from '../../base/run-name.ts'
import { urlOf } from '../../base/url.ts'
import { lineProblem, MAX_TEXT_LENGTH, value, type Fault } from './single-values.ts'

/** A run that is there already: its name, or its id in lower case, which the address of its page holds too. */
export const runReference = value(readReference)

/** A run, or the branch whose newest good run it is. */
export type BaselineInput =
  { readonly kind: 'run'; readonly reference: string } | { readonly kind: 'branch'; readonly branch: string }

/** `run:` and what names a run, or the name of a branch. */
export const baseline = value((text, fault): BaselineInput => {
  if (text.startsWith('run:')) {
    const reference = text.slice('run:'.length).trim()
    return reference === ''
      ? fault('names no run; write run: and its ID or name')
      : { kind: 'run', reference: readReference(reference, fault) }
  }
  const problem = lineProblem(text, MAX_NAME_LENGTH)
  if (problem !== undefined) return fault(problem)
  const [, branch] = /^refs\/heads\/(.+)$/.exec(text) ?? []
  if (branch !== undefined) return fault(`is a full ref; write only the branch, ${branch}`)
  return /^refs\/|[\s~^:?*[\\]|\.\.|^\/|\/$/.test(text)
    ? fault('is not the name of a branch; write one such as main, or run: and the ID or name of a run')
    : { kind: 'branch', branch: text }
})

/** The id in the path of a run's page, in lower case; behind it may stand the address of another one. People copy what the browser shows; no run is named like that. */
export function runIdOnPage(address: string): string | undefined {
  const path = /^https?:/i.test(address) ? urlOf(address)?.pathname : undefined
  const page = /\/runs\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:\/|$)/i
  return page.exec(path ?? '')?.[1]?.toLowerCase()
}

function readReference(text: string, fault: Fault): string {
  const isAddress = /^https?:\/\//i.test(text)
  const problem = lineProblem(text, isAddress ? MAX_TEXT_LENGTH : MAX_NAME_LENGTH)
  if (problem !== undefined) return fault(problem)
  if (!isAddress) return z.guid().safeParse(text).success ? text.toLowerCase() : text
  return runIdOnPage(text) ?? fault("is an address without a run's ID; copy the one of the run's page")
}
