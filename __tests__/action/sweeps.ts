import { setTimeout } from 'node:timers/promises'
import type { ActionResult } from '../../e2e/action.ts'
import type { Scene } from './scene.ts'

export type Inputs = Readonly<Record<string, string>>

export const ON_MAIN = { GITHUB_REF: 'refs/heads/main', GITHUB_EVENT_NAME: 'push' }

export const BASE: Inputs = { pipeline: 'training', parameters: 'train.seconds: 0.1', 'poll-interval': '1s' }
export const THREE: Inputs = {
  ...BASE,
  matrix: 'train.accuracy: [0.7, 0.9, 0.8]',
  rank: 'max train.accuracy',
}
/** Each takes half a minute of real time. */
export const LONG: Inputs = { ...THREE, parameters: 'train.seconds: 600' }

export async function sweep(scene: Scene, inputs: Inputs, env: Inputs = {}): Promise<ActionResult> {
  return scene.step(inputs, { entry: 'sweep', env })
}

interface Entry {
  readonly cell: number
  readonly parameters: Readonly<Record<string, unknown>>
  readonly 'run-id': string | null
  readonly conclusion: string
  readonly value: number | null
  readonly unranked: string | null
  readonly error: string | null
}

/** What was noted of how runs ended, in order. */
export function notedConclusions(scene: Scene): string[] {
  return scene
    .requests('POST', /\/run-metadata$/)
    .flatMap(
      ({ body }) => /"conclusion":\s*"([\w-]+)"/.exec(JSON.stringify(body).replaceAll('\\', ''))?.[1] ?? [],
    )
}

export function entries({ outputs }: ActionResult): readonly Entry[] {
  return JSON.parse(outputs['runs'] ?? '') as readonly Entry[]
}

/** Resolves once so many runs are going on, and where they came from is noted. */
export async function untilStarted(scene: Scene, count: number): Promise<void> {
  const noted = (): number => scene.requests('POST', /\/run-metadata$/).length
  const running = (): number => scene.runs.filter(({ status }) => status === 'running').length
  while (noted() < count || running() < count) await setTimeout(20)
}
