import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, jest, test } from '@jest/globals'
import { parse } from 'yaml'
import { z } from 'zod'
import { runAction, type ActionResult } from '../../e2e/action.ts'
import {
  realClock,
  startPro,
  startSimulator,
  type PipelineSpec,
  type ProSimulator,
  type Simulator,
} from '../../simulator/index.ts'
import { inputTables } from '../../src/github/input-schema.ts'
import { outputNames } from '../../src/github/outputs.ts'
import { code, codeBlocks, guides, projectFile, table } from './markdown.ts'

jest.setTimeout(60_000)

const ACTION = 'your-org/zenml-run-action@v1'

const CERTIFICATE = projectFile('__tests__/zenml/fixtures/test-only-authority.pem')

/** What the examples run. */
const training: PipelineSpec = {
  name: 'training',
  templateName: 'training-production',
  steps: [
    {
      name: 'train',
      seconds: 1,
      parameters: {
        epochs: { default: 10, jsonSchema: { type: 'integer' } },
        learning_rate: { default: 0.1, jsonSchema: { type: 'number' } },
      },
    },
  ],
}

const Value = z.union([z.string(), z.number(), z.boolean()])
const Step = z.object({
  id: z.string().optional(),
  uses: z.string().optional(),
  with: z.record(z.string(), Value).optional(),
})
const Job = z.object({
  strategy: z.object({ matrix: z.record(z.string(), z.array(Value)) }).optional(),
  steps: z.array(Step),
})
const Workflow = z.object({ jobs: z.record(z.string(), Job) })
type StepOfExample = z.infer<typeof Step>

/** A step of ours, once for each cell of its job's matrix. */
interface Use {
  readonly step: StepOfExample
  readonly entry: 'main' | 'wait'
  readonly cell: Readonly<Record<string, string>>
}

const examples = guides().flatMap((guide) =>
  codeBlocks(projectFile(guide), 'yaml').map((text) => ({ guide, text })),
)

/** The uses of the action in an example that is a workflow, or a list of steps, in their order. */
function usesOf(text: string): Use[] {
  const value: unknown = parse(text)
  const workflow = Workflow.safeParse(value)
  const list = z.array(Step).safeParse(value)
  const jobs = workflow.success
    ? Object.values(workflow.data.jobs)
    : list.success
      ? [{ steps: list.data }]
      : []
  return jobs.flatMap((job) =>
    cellsOf('strategy' in job ? job.strategy?.matrix : undefined).flatMap((cell) =>
      job.steps.flatMap((step) => {
        const entry = entryOf(step.uses)
        return entry === undefined ? [] : [{ step, entry, cell }]
      }),
    ),
  )
}

function entryOf(uses: string | undefined): Use['entry'] | undefined {
  if (uses === ACTION) return 'main'
  return uses === ACTION.replace('@', '/wait@') ? 'wait' : undefined
}

/** One for each value of a matrix of one row; one that is empty without a matrix. */
function cellsOf(matrix: Readonly<Record<string, readonly z.infer<typeof Value>[]>> = {}): Use['cell'][] {
  const [row] = Object.entries(matrix)
  if (row === undefined) return [{}]
  return row[1].map((value) => ({ [`matrix.${row[0]}`]: String(value) }))
}

const runnable = examples
  .map(({ guide, text }) => ({ guide, text, uses: usesOf(text) }))
  .filter(({ uses }) => uses.length > 0)
  .map(({ guide, text, uses }) => {
    const title = Object.values(uses[0]?.step.with ?? {})
      .join(' ')
      .slice(0, 60)
    return [title, guide, uses, text] as const
  })

const SHA = '0123456789abcdef0123456789abcdef01234567'

/** As the runner does before the action sees an input; an expression without a value here fails the test. */
function inputsOf(
  { step, cell }: Use,
  { server, pro }: Played,
  earlier: ActionResult | undefined,
): Record<string, string> {
  const values: Readonly<Record<string, string>> = {
    'vars.ZENML_SERVER_URL': server.url,
    'secrets.ZENML_API_KEY': step.with?.['workspace'] === undefined ? server.apiKey : pro.apiKey,
    'vars.ZENML_PRO_API_URL': pro.url,
    'vars.ZENML_CLIENT_ID': pro.clientId,
    'secrets.ZENML_CLIENT_SECRET': pro.clientSecret,
    'vars.COMPANY_CA': CERTIFICATE,
    'github.sha': SHA,
    'github.run_id': '100200300',
    'github.run_attempt': '1',
    ...cell,
  }
  const evaluate = (text: string): string =>
    text.replaceAll(/\$\{\{\s*(.*?)\s*\}\}/g, (_, expression: string) => {
      const output = /^steps\.[\w-]+\.outputs\.([\w-]+)$/.exec(expression)?.[1]
      const value = output === undefined ? values[expression] : earlier?.outputs[output]
      if (value === undefined) throw new Error(`no value for the expression ${expression}`)
      return value
    })
  // The default leads to the real ZenML Pro; without a workspace, another one would be a fault.
  const inputs: Record<string, string> =
    step.with?.['workspace'] === undefined ? {} : { 'pro-api-url': pro.url }
  for (const [name, value] of Object.entries(step.with ?? {})) inputs[name] = evaluate(String(value))
  return inputs
}

/** A folder with the files that the guides show: a block whose first line is a comment with a path. */
async function checkout(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'readme-'))
  for (const { text } of examples) {
    const name = /^# (\S+\.ya?ml)\n/.exec(text)?.[1]
    if (name === undefined) continue
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true })
    await writeFile(path.join(folder, name), text)
  }
  return folder
}

/** The calls in the README's table, as patterns of method and path. */
const calls = table(projectFile('README.md'), 'Call', 'When').map(([cell]) => {
  const call = code(cell)
    ?.replaceAll(/\{\w+\}/g, '[^/]+')
    .replace(' ', ' /api/v1')
  return new RegExp(`^${call}$`)
})

interface Played {
  readonly server: Simulator
  readonly pro: ProSimulator
}

/** Plays an example's steps one after the other, on a server of their own. */
async function play(uses: readonly Use[]): Promise<{ results: ActionResult[]; server: Simulator }> {
  const version = uses.some(({ step }) => step.with?.['template'] !== undefined) ? '0.85.0' : '0.98.0'
  const pro = await startPro()
  const pipelines = [training, { ...training, templateName: `training-${SHA}` }]
  const server = await startSimulator({ version, clock: realClock(20), pipelines, pro })
  pro.add({ name: 'research', serverUrl: server.url })
  const workspace = await checkout()
  const results: ActionResult[] = []
  try {
    for (const use of uses) {
      const inputs = inputsOf(use, { server, pro }, results.at(-1))
      results.push(await runAction({ entry: use.entry, inputs, workspace }))
    }
    return { results, server }
  } finally {
    await Promise.all([server.close(), pro.close()])
    await rm(workspace, { recursive: true, force: true, maxRetries: 5 })
  }
}

test('the guides have examples', () => {
  expect(runnable.length).toBeGreaterThan(3)
})

test.each(runnable)('the example with "%s…" in %s has only inputs that the action knows', (_, __, uses) => {
  for (const { step, entry } of uses) {
    expect(inputTables[entry].names).toEqual(expect.arrayContaining(Object.keys(step.with ?? {})))
  }
})

test.each(examples)('the example in $guide uses only outputs that the action has', ({ text }) => {
  const used = [...text.matchAll(/\.outputs\.([\w-]+)/g)].map(([, name]) => name)
  expect(outputNames).toEqual(expect.arrayContaining(used))
})

test.concurrent.each(runnable)('the example with "%s…" in %s works as it stands', async (_, __, uses) => {
  const { results, server } = await play(uses)

  for (const [index, result] of results.entries()) {
    expect(result.outputs['error']).toBe('')
    expect(result.exitCode).toBe(0)
    const isStarted = uses[index]?.step.with?.['wait'] === false
    expect(result.outputs['conclusion']).toBe(isStarted ? 'started' : 'completed')
    expect(result.stdout).not.toMatch(/^::(warning|notice)/m)
  }
  const made = server.requests.map((request) => `${request.method} ${request.path.replace(/\?.*/, '')}`)
  expect(made.filter((call) => !calls.some((known) => known.test(call)))).toEqual([])
})

test('the configuration file shown is the one that an example uses', () => {
  const used = runnable.flatMap(([, , uses]) =>
    uses.flatMap(({ step }) => step.with?.['configuration-file'] ?? []),
  )
  const shown = examples.map(({ text }) => /^# (\S+\.ya?ml)\n/.exec(text)?.[1])
  expect(used.length).toBeGreaterThan(0)
  expect(shown).toEqual(expect.arrayContaining(used))
})

test('links between the guides lead somewhere', () => {
  for (const guide of guides()) {
    const links = [...projectFile(guide).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)]
    for (const [link, file = '', anchor] of links) {
      const target = file === '' ? guide : path.posix.join(path.posix.dirname(guide), file)
      const headings = [...projectFile(target).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
        heading
          .toLowerCase()
          .replaceAll(/[^\w\- ]/g, '')
          .replaceAll(' ', '-'),
      )
      expect({ link, found: anchor === undefined || headings.includes(anchor) }).toEqual({
        link,
        found: true,
      })
    }
  }
})
