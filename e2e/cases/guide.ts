import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import {
  checkout,
  entryOf,
  examples,
  playExample,
  stepsOf,
  type Example,
  type ExampleStep,
} from '../../__tests__/project/guide-examples.ts'
import { lastLines } from '../processes.ts'
import { quick, type Case, type Scene } from '../scene.ts'
import { isAtLeast, isPro } from '../target.ts'
import { z } from 'zod'

const PAGE = 'docs/pro.md'

const VARIABLE = /^\$\{\{\s*((?:vars|secrets|needs)\.[\w.-]+)\s*\}\}$/

const Named = z.object({ name: z.string() })

/** Every example of the page, on a server that has what it names. */
async function examplesRun(scene: Scene): Promise<void> {
  const ofPage = examples.filter(({ guide }) => guide === PAGE)
  assert.ok(ofPage.length > 0, `${PAGE} has no examples`)
  const workspace = await checkout()
  try {
    for (const example of ofPage) await exampleRuns(scene, forVersion(example, scene), workspace)
  } finally {
    await rm(workspace, { recursive: true, force: true })
  }
}

async function exampleRuns(scene: Scene, example: Example, workspace: string): Promise<void> {
  const { controlPlane } = scene.server
  const named = literals(example, 'workspace')[0]
  if (named !== undefined) await controlPlane.set({ workspace: { name: named } })
  const contexts = await variables(scene, example)
  const played = await withNames(scene, example, async () =>
    playExample(example, contexts, { proApiUrl: controlPlane.url, workspace }),
  )
  for (const one of played) {
    if (one.kind === 'skipped') continue
    const { exitCode, stdout } = one.kind === 'action' ? one.result : one
    assert.equal(exitCode, 0, `this example fails:\n${example.text}\n${lastLines(stdout, 20)}`)
  }
}

/** Before 0.90 there are templates only, and before 0.92 an organization's key needs the management API everywhere. */
function forVersion(example: Example, { server }: Scene): Example {
  const step = (one: ExampleStep): ExampleStep => {
    if (entryOf(one) === undefined || one.with === undefined) return one
    const inputs = new Map(Object.entries(one.with))
    const snapshot = inputs.get('snapshot')
    if (snapshot !== undefined && !isAtLeast(server.target, '0.90')) {
      inputs.delete('snapshot')
      inputs.set('template', snapshot)
    }
    if (!inputs.has('pro-api-url') && inputs.has('server-url') && !isAtLeast(server.target, '0.92')) {
      inputs.set('pro-api-url', server.controlPlane.url)
    }
    return { ...one, with: Object.fromEntries(inputs) }
  }
  const jobs = Object.entries(example.jobs).map(
    ([name, job]) => [name, { ...job, steps: job.steps.map(step) }] as const,
  )
  return { ...example, jobs: Object.fromEntries(jobs) }
}

/** What an input is in the example, where that is written out. */
function literals(example: Example, input: string): string[] {
  return stepsOf(example).flatMap((step) => {
    const value = entryOf(step) === undefined ? undefined : step.with?.[input]
    return value === undefined || String(value).includes('${{') ? [] : [String(value)]
  })
}

/** A value for each variable and secret, by the input that it is given to. */
async function variables(scene: Scene, example: Example): Promise<Record<string, string>> {
  const { server } = scene
  const contexts: Record<string, string> = { 'github.job': 'train', 'strategy.job-index': '0' }
  for (const step of stepsOf(example)) {
    for (const [input, value] of Object.entries(step.with ?? {})) {
      const name = VARIABLE.exec(String(value))?.[1]
      if (name === undefined) continue
      if (input === 'run') contexts[name] = await someRun(scene)
      else if (input === 'project') contexts[name] = server.target.project
      else contexts[name] = server.fact(input)
    }
  }
  return contexts
}

async function someRun(scene: Scene): Promise<string> {
  const configuration = quick({ seconds: 5 })
  const { outputs } = await scene.action({ template: 'training-template', configuration, wait: 'false' })
  return outputs['run-id'] ?? ''
}

/** Calls the things that the example names by those names, while it runs. */
async function withNames<T>(scene: Scene, example: Example, work: () => Promise<T>): Promise<T> {
  const { server, view } = scene
  const places = {
    project: `/projects/${(await view.project()).id}`,
    template: `/run_templates/${server.fact('training-template')}`,
    ...(isAtLeast(server.target, '0.90')
      ? { snapshot: `/pipeline_snapshots/${server.fact('training-snapshot')}` }
      : {}),
  }
  const before = new Map<string, string>()
  try {
    for (const [input, place] of Object.entries(places)) {
      const [name] = literals(example, input)
      if (name === undefined) continue
      before.set(place, Named.parse(await view.call('GET', place)).name)
      await view.call('PUT', place, { name })
    }
    return await work()
  } finally {
    for (const [place, name] of before) await view.call('PUT', place, { name })
  }
}

export const GUIDE: readonly Case[] = [
  { name: `the examples of ${PAGE}`, where: isPro, runs: 'any', run: examplesRun },
]
