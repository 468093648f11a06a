import { expect } from '@jest/globals'
import type { ActionResult } from '../../e2e/action.ts'

/** A secret as it is, and in the forms that other programs give it. */
function forms(secret: string): string[] {
  return [
    secret,
    encodeURIComponent(secret),
    new URLSearchParams({ secret }).toString().slice('secret='.length),
    Buffer.from(secret).toString('base64'),
    Buffer.from(secret).toString('base64url'),
    Buffer.from(secret).toString('hex'),
  ]
}

/**
 * Fails if a secret, in any usual form, stands anywhere but in the command that asks the runner to hide it:
 * not on stdout or stderr, in an output, in the state for the post step, or in the job summary.
 */
export function expectNoSecret(result: ActionResult, secrets: readonly string[]): void {
  const seen = {
    log: result.stdout.replaceAll(/^::add-mask::.*$/gm, ''),
    stderr: result.stderr,
    outputs: JSON.stringify(result.outputs),
    state: JSON.stringify(result.state),
    summary: result.summary,
  }
  const found = Object.entries(seen).flatMap(([place, text]) =>
    secrets.flatMap(forms).some((form) => text.includes(form)) ? [place] : [],
  )
  expect({ 'places that show a secret': found }).toEqual({ 'places that show a secret': [] })
}

/** Fails unless each value was registered as a mask; the runner hides it only from then on. */
export function expectMasked(result: ActionResult, secrets: readonly string[]): void {
  const masks = [...result.stdout.matchAll(/^::add-mask::(.*)$/gm)].map(([, value]) => value)
  expect(masks).toEqual(expect.arrayContaining([...secrets]))
}
