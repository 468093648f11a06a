import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import { runAction, type ActionOptions, type ActionResult, type Entry } from '../../e2e/action.ts'
import { evaluate, holds, type Contexts, type Scope } from './expressions.ts'
import { readProject } from '../../scripts/release/project.ts'
import { code, codeBlocks, guides, projectFile } from './markdown.ts'

const ROOT = path.join(import.meta.dirname, '../..')

const SUB_ACTIONS = ['login', 'wait', 'sweep', 'stop', 'resolve', 'promote'] as const

/** Examples name whole versions of the action. */
const ACTION = new RegExp(
  String.raw`^${readProject(ROOT).repository}(?:/(${SUB_ACTIONS.join('|')}))?@v\d+\.\d+\.\d+(?:-rc\.\d+)?$`,
)

const Value = z.union([z.string(), z.number(), z.boolean()])
const Step = z.object({
  id: z.string().optional(),
  if: z.string().optional(),
  uses: z.string().optional(),
  run: z.string().optional(),
  env: z.record(z.string(), z.string()).optional(),
  with: z.record(z.string(), Value).optional(),
})
const Job = z.object({
  if: z.string().optional(),
  strategy: z.object({ matrix: z.record(z.string(), z.array(Value).or(z.string())) }).optional(),
  env: z.record(z.string(), z.string()).optional(),
  steps: z.array(Step),
  outputs: z.record(z.string(), z.string()).optional(),
})
const Workflow = z.object({ jobs: z.record(z.string(), Job) })

export type ExampleStep = z.infer<typeof Step>

/** A code block of a guide that holds a workflow, or a list of its steps. */
export interface Example {
  readonly guide: string
  readonly text: string
  readonly jobs: Readonly<Record<string, z.infer<typeof Job>>>
}

/** What a step of an example gave: an action's result, or what a command printed; or the condition that did not hold. */
export type Played =
  | { readonly kind: 'skipped'; readonly condition: string }
  | {
      readonly kind: 'action'
      readonly entry: Entry
      readonly step: ExampleStep
      readonly result: ActionResult
    }
  | {
      readonly kind: 'command'
      readonly command: string
      readonly exitCode: number | null
      readonly stdout: string
    }

/** For every action's step, such as its workspace. */
export interface PlayOptions extends Omit<ActionOptions, 'entry' | 'inputs'> {
  /** What stands for ZenML Pro's management API. */
  readonly proApiUrl: string
  /** What comes to pass before an action's step begins. */
  readonly before?: (entry: Entry) => Promise<void>
}

/** All YAML blocks of the guides. */
export const blocks = guides().flatMap((guide) =>
  codeBlocks(projectFile(guide), 'yaml').map((text) => ({ guide, text })),
)

/** Those that use the action. */
export const examples: readonly Example[] = blocks
  .map((block) => ({ ...block, jobs: jobsOf(block.text) }))
  .filter((example) => stepsOf(example).some((step) => entryOf(step) !== undefined))

/** The path that a block's first line gives it; undefined if none. */
export function fileName(text: string): string | undefined {
  return /^# (\S+\.ya?ml)\n/.exec(text)?.[1]
}

/** All steps of an example, job by job. */
export function stepsOf({ jobs }: Pick<Example, 'jobs'>): ExampleStep[] {
  return Object.values(jobs).flatMap(({ steps }) => steps)
}

/** Which action a step uses; undefined if none of this repository. */
export function entryOf({ uses }: ExampleStep): Exclude<Entry, 'post'> | undefined {
  const [used, folder] = ACTION.exec(uses ?? '') ?? []
  if (used === undefined) return undefined
  return SUB_ACTIONS.find((name) => name === folder) ?? 'main'
}

function jobsOf(text: string): Example['jobs'] {
  const value: unknown = parse(text)
  const workflow = Workflow.safeParse(value)
  if (workflow.success) return workflow.data.jobs
  const list = z.array(Step).safeParse(value)
  return list.success ? { job: { steps: list.data } } : {}
}

/** A folder with the files that the guides show. */
export async function checkout(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'guide-'))
  for (const { text } of blocks) {
    const name = fileName(text)
    if (name === undefined) continue
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true })
    await writeFile(path.join(folder, name), text)
  }
  return folder
}

function evaluateAll(
  values: Readonly<Record<string, string | number | boolean>> = {},
  scope: Scope,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, evaluate(String(value), scope)]),
  )
}

function named(prefix: string, outputs: Readonly<Record<string, string>>): Contexts {
  return Object.fromEntries(
    Object.entries(outputs).map(([name, value]) => [`${prefix}.outputs.${name}`, value]),
  )
}

/**
 * Plays an example's jobs, one after the other, with conditions and outputs as the runner has them. Of the commands
 * only `curl` and `echo` are run: the others belong to the repository that the example is pasted into.
 */
export async function playExample(
  { jobs }: Example,
  given: Contexts,
  options: PlayOptions,
): Promise<Played[]> {
  const played: Played[] = []
  let contexts = given
  for (const [jobName, { if: condition, strategy, env, steps, outputs }] of Object.entries(jobs)) {
    if (!holds(condition, { contexts, hasFailed: false })) {
      played.push({ kind: 'skipped', condition: condition ?? '' })
      const none = Object.keys(outputs ?? {}).map((name) => [name, ''] as const)
      contexts = {
        ...contexts,
        [`needs.${jobName}.result`]: 'skipped',
        ...named(`needs.${jobName}`, Object.fromEntries(none)),
      }
      continue
    }
    for (const cell of cellsOf(strategy?.matrix, { contexts, hasFailed: false })) {
      const inJob = { ...contexts, ...cell }
      const ofJob = { ...options.env, ...evaluateAll(env, { contexts: inJob, hasFailed: false }) }
      const scope = await playSteps(steps, inJob, { ...options, env: ofJob }, played)
      contexts = {
        ...contexts,
        [`needs.${jobName}.result`]: scope.hasFailed ? 'failure' : 'success',
        ...named(`needs.${jobName}`, evaluateAll(outputs, scope)),
      }
    }
  }
  return played
}

/** One for each value of a matrix of one row, which an earlier job may have made; one that is empty without a matrix. */
function cellsOf(
  matrix: NonNullable<z.infer<typeof Job>['strategy']>['matrix'] = {},
  scope: Scope,
): Contexts[] {
  const [row] = Object.entries(matrix)
  if (row === undefined) return [{}]
  const [name, values] = row
  if (typeof values !== 'string') return values.map((value) => ({ [`matrix.${name}`]: String(value) }))
  const made: unknown = JSON.parse(evaluate(values.replace(/^\$\{\{(.*)\}\}$/, '${{ toJSON($1) }}'), scope))
  return z
    .array(z.record(z.string(), Value))
    .parse(made)
    .map((cell) =>
      Object.fromEntries(
        Object.entries(cell).map(([key, value]) => [`matrix.${name}.${key}`, String(value)]),
      ),
    )
}

/** Adds to `played`; gives what expressions mean at the job's end. */
async function playSteps(
  steps: readonly ExampleStep[],
  contexts: Contexts,
  options: PlayOptions,
  played: Played[],
): Promise<Scope> {
  const { proApiUrl, before, ...forAction } = options
  let scope: Scope = { contexts, hasFailed: false }
  let env = forAction.env
  for (const step of steps) {
    if (!holds(step.if, scope)) {
      played.push({ kind: 'skipped', condition: step.if ?? '' })
      continue
    }
    const entry = entryOf(step)
    if (entry !== undefined) {
      await before?.(entry)
      // The default leads to the real ZenML Pro.
      const pro = step.with?.['workspace'] === undefined ? {} : { 'pro-api-url': proApiUrl }
      const inputs = { ...pro, ...evaluateAll(step.with, scope) }
      const result = await runAction({ ...forAction, ...(env && { env }), entry, inputs })
      env = { ...env, ...result.exported }
      played.push({ kind: 'action', entry, step, result })
      const handedOn = step.id === undefined ? {} : named(`steps.${step.id}`, result.outputs)
      scope = {
        contexts: { ...scope.contexts, ...handedOn },
        hasFailed: scope.hasFailed || result.exitCode !== 0,
      }
    } else if (/^(?:curl|echo) /.test(step.run ?? '') && process.platform !== 'win32') {
      played.push(await runCommand(evaluate(step.run ?? '', scope), evaluateAll(step.env, scope)))
    }
  }
  return scope
}

async function runCommand(command: string, env: Readonly<Record<string, string>>): Promise<Played> {
  const child = spawn('bash', ['-e', '-c', command], {
    env: { PATH: process.env['PATH'], NO_PROXY: '127.0.0.1', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let stdout = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk
  })
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  return { kind: 'command', command, exitCode, stdout }
}

/** A table's calls, such as `GET /runs/{id}`, as patterns of method and path; `below` is what every path begins with. */
export function callPatterns(rows: readonly (readonly string[])[], below: string): RegExp[] {
  return rows.map(([cell]) => {
    const call = code(cell)
      ?.replaceAll(/\{\w+\}/g, '[^/]+')
      .replace(' ', ` ${below}`)
    return new RegExp(`^${call}$`)
  })
}
