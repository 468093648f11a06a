import { randomUUID } from 'node:crypto'
import { at, listAt, textAt, type Reply } from './api.ts'
import type { Fixture } from './target.ts'

export interface TrainParameters {
  readonly seconds?: unknown
  readonly accuracy?: number
  readonly fail?: string
  /** One that the step does not have. */
  readonly x?: number
}

/** A whole configuration of the training pipeline: 0.74 wants every parameter. */
export function training(train: TrainParameters = {}): {
  steps: Record<string, unknown>
  enable_cache: false
} {
  const parameters = { seconds: 1, accuracy: 0.8, fail: '', ...train }
  return { steps: { load: { parameters: { rows: 5 } }, train: { parameters } }, enable_cache: false }
}

/** A name that no other run has. */
export function uniqueName(what: string): string {
  return `contract-${what}-${randomUUID()}`
}

/** Posts to a template's run route, again for as long as the server has no free slot. */
export async function trigger(
  fixture: Fixture,
  template: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Reply> {
  const path = `/run_templates/${fixture.target.id(`${template}-template`)}/runs`
  return untilSlot(fixture, () => fixture.api.post(path, body, headers))
}

/** The same for a snapshot. */
export async function triggerSnapshot(
  fixture: Fixture,
  snapshot: string,
  configuration: unknown,
): Promise<Reply> {
  const path = `/pipeline_snapshots/${fixture.target.id(`${snapshot}-snapshot`)}/runs`
  return untilSlot(fixture, () => fixture.api.post(path, { run_configuration: configuration }))
}

const SLOT_ATTEMPTS = 120

/** Posts again for as long as the server has no free slot. */
export async function untilSlot(fixture: Fixture, post: () => Promise<Reply>): Promise<Reply> {
  for (let attempt = 1; ; attempt++) {
    const reply = await post()
    if (reply.status !== 429 || attempt === SLOT_ATTEMPTS) return reply
    await fixture.target.pause()
  }
}

/** Starts a run of training and gives its id. */
export async function start(fixture: Fixture, train: TrainParameters = {}): Promise<string> {
  return idOf(await trigger(fixture, 'training', training(train)))
}

export function idOf({ status, body }: Reply): string {
  if (status !== 200) throw new Error(`The trigger answered ${String(status)} ${JSON.stringify(body)}`)
  return textAt(body, 'id')
}

/** Ends a run that is not needed before its first step, so that it costs nothing. */
export async function discard(fixture: Fixture, reply: Reply): Promise<void> {
  const id = idOf(reply)
  await fixture.api.put(`/runs/${id}`, { status: 'failed', status_reason: 'Not needed.' })
}

export async function statusOf(fixture: Fixture, id: string): Promise<string> {
  const { body } = await fixture.api.get(`/runs/${id}/status`)
  return typeof body === 'string' ? body : JSON.stringify(body)
}

const ATTEMPTS = 360

/** Polls until the run has one of the states; gives all states seen, in order, each once. */
export async function waitFor(fixture: Fixture, id: string, ...states: readonly string[]): Promise<string[]> {
  const seen: string[] = []
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const status = await statusOf(fixture, id)
    if (seen.at(-1) !== status) seen.push(status)
    if (states.includes(status)) return seen
    await fixture.target.pause()
  }
  throw new Error(`The run ${id} went ${seen.join(', ')} and never came to ${states.join(' or ')}.`)
}

export interface StepRow {
  readonly id: string
  readonly name: string
  readonly status: string
}

/** The steps that have started. */
export async function stepsOf(fixture: Fixture, id: string): Promise<readonly StepRow[]> {
  const { body } = await fixture.api.get(`/runs/${id}/steps?hydrate=false&size=100`)
  return listAt(body, 'items').map((item) => ({
    id: textAt(item, 'id'),
    name: textAt(item, 'name'),
    status: textAt(item, 'body.status'),
  }))
}

export async function stepId(fixture: Fixture, run: string, name: string): Promise<string> {
  const step = (await stepsOf(fixture, run)).find((each) => each.name === name)
  if (step === undefined) throw new Error(`The run ${run} has no step ${name}.`)
  return step.id
}

/** Polls until a step of this name runs. */
export async function waitForStep(fixture: Fixture, run: string, name: string): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const steps = await stepsOf(fixture, run)
    if (steps.some((step) => step.name === name && step.status === 'running')) return
    await fixture.target.pause()
  }
  throw new Error(`The step ${name} of the run ${run} never ran.`)
}

/** A completed run that several cases look at. */
export function completed(fixture: Fixture): Promise<string> {
  return fixture.shared('completed', async () => {
    const id = await start(fixture)
    await waitFor(fixture, id, 'completed', 'failed')
    return id
  })
}

/** A run whose step train failed. */
export function failed(fixture: Fixture): Promise<string> {
  return fixture.shared('failed', async () => {
    const id = await start(fixture, { fail: 'loss is NaN' })
    await waitFor(fixture, id, 'completed', 'failed')
    return id
  })
}

/** The names of the items of a list. */
export function namesOf({ body }: Reply): readonly unknown[] {
  return listAt(body, 'items').map((item) => at(item, 'name'))
}

export const NO_SUCH_ID = '00000000-0000-4000-8000-000000000000'
