import { expect } from '@jest/globals'
import type { Fault, PipelineSpec, SimulatorOptions } from '../../../simulator/index.ts'
import type { Outcome } from '../../../src/run/conclusion.ts'
import { resolveRun, type ResolveRequest } from '../../../src/run/resolve/resolve.ts'
import { openScene, type Scene } from '../scene.ts'

/** A pipeline that asks a person after its step, and pauses after so many seconds without an answer. */
export const asking = (patience: number): PipelineSpec => ({
  name: 'gate',
  sequential: true,
  steps: [],
  dynamic: { parameters: {}, expand: () => ['train', 'deploy'].map((name) => ({ name, seconds: 5 })) },
  wait: { name: 'deploy', question: 'Deploy this model?', patience },
})

/** One that calls another, which asks. */
export const askingChild: PipelineSpec = {
  name: 'gate',
  steps: [],
  dynamic: { parameters: {}, expand: () => [] },
  child: { ...asking(5), name: 'child' },
}

export const RESOLVE = /^PUT .*\/run_wait_conditions\/[^/]+\/resolve$/
export const CONDITION = /^GET .*\/run_wait_conditions\/[^/]+$/

export const statusOf = (scene: Scene, index = 0) => scene.server.runs[index]?.status
export const YES = { resolution: 'continue', result: true } as const

export interface Played {
  readonly scene: Scene
  readonly id: string
  readonly name: string
  readonly answer: (given?: Partial<ResolveRequest>, signals?: Signals) => Promise<Outcome>
}

export interface Signals {
  readonly cancelled?: AbortSignal
  readonly signal?: AbortSignal
}

/** A run that has asked, and is paused unless `patience` is long. */
export async function asked(patience = 5, options: SimulatorOptions = {}): Promise<Played> {
  const scene = await openScene({ pipelines: [asking(patience)], ...options })
  await scene.execute({ target: { kind: 'template', reference: 'gate-template' }, wait: false })
  await scene.clock.sleep(60_000)
  const { id, name } = scene.started[0]!
  const answer: Played['answer'] = (given = {}, { signal, cancelled = new AbortController().signal } = {}) =>
    resolveRun(
      { run: id, project: undefined, question: undefined, ...YES, ...given },
      { ...scene.dependencies(signal), cancelled },
    )
  return { scene, id, name, answer }
}

/** Why the run was not answered. */
export async function errorOf(ended: Promise<Outcome>): Promise<string | undefined> {
  const { conclusion, status, error } = await ended
  expect([conclusion, status]).toEqual(['failed', expect.stringMatching(/./)])
  return error
}

/** What was sent as answers. */
export const bodies = ({ server }: Scene): unknown[] =>
  server.requests
    .filter(({ method, path }) => RESOLVE.test(`${method} ${path}`))
    .map(({ body }): unknown => JSON.parse(body))

export const always = (fault: Fault['do']): Fault => ({ on: 'answer', occurrence: 'always', do: fault })
export const GATEWAY = { kind: 'answer', status: 502, body: 'Bad Gateway' } as const

export function pausedRun(id: string, status = 'paused') {
  return JSON.stringify({
    id,
    name: 'gate',
    body: { status, status_reason: 'Waiting for manual resume.', in_progress: true },
  })
}
