import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, jest, test } from '@jest/globals'
import { parse } from 'yaml'
import { z } from 'zod'
import { runAction, type ActionResult } from '../../e2e/action.ts'
import { realClock, startSimulator, type PipelineSpec, type Simulator } from '../../simulator/index.ts'
import { inputNames } from '../../src/github/input-schema.ts'
import { outputNames } from '../../src/github/outputs.ts'
import { code, codeBlocks, guides, projectFile, table } from './markdown.ts'

jest.setTimeout(60_000)

const ACTION = 'your-org/zenml-run-action@v1'

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

const Step = z.object({
  id: z.string().optional(),
  uses: z.string().optional(),
  with: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
})
const Workflow = z.object({ jobs: z.record(z.string(), z.object({ steps: z.array(Step) })) })
type StepOfExample = z.infer<typeof Step>

const examples = guides().flatMap((guide) =>
  codeBlocks(projectFile(guide), 'yaml').map((text) => ({ guide, text })),
)

/** The steps of an example that is a workflow, or a list of steps; none for a file of another kind. */
function stepsOf(text: string): StepOfExample[] {
  const value: unknown = parse(text)
  const workflow = Workflow.safeParse(value)
  if (workflow.success) return Object.values(workflow.data.jobs).flatMap(({ steps }) => steps)
  const list = z.array(Step).safeParse(value)
  return list.success ? list.data : []
}

const runnable = examples.flatMap(({ guide, text }) =>
  stepsOf(text)
    .filter(({ uses }) => uses === ACTION)
    .map(
      (step) =>
        [
          Object.values(step.with ?? {})
            .join(' ')
            .slice(0, 60),
          guide,
          step,
          text,
        ] as const,
    ),
)

/** As the runner does before the action sees an input; an expression without a value here fails the test. */
function inputsOf(step: StepOfExample, server: Simulator): Record<string, string> {
  const values: Readonly<Record<string, string>> = {
    'vars.ZENML_SERVER_URL': server.url,
    'secrets.ZENML_API_KEY': server.apiKey,
    'matrix.epochs': '5',
  }
  const evaluate = (text: string): string =>
    text.replaceAll(/\$\{\{\s*(.*?)\s*\}\}/g, (_, expression: string) => {
      const value = values[expression]
      if (value === undefined) throw new Error(`no value for the expression ${expression}`)
      return value
    })
  return Object.fromEntries(
    Object.entries(step.with ?? {}).map(([name, value]) => [name, evaluate(String(value))]),
  )
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

async function play(step: StepOfExample): Promise<{ result: ActionResult; server: Simulator }> {
  const version = step.with?.['template'] === undefined ? '0.98.0' : '0.85.0'
  const server = await startSimulator({ version, clock: realClock(20), pipelines: [training] })
  const workspace = await checkout()
  try {
    return { result: await runAction({ inputs: inputsOf(step, server), workspace }), server }
  } finally {
    await server.close()
    await rm(workspace, { recursive: true, force: true, maxRetries: 5 })
  }
}

test('the guides have examples', () => {
  expect(runnable.length).toBeGreaterThan(3)
})

test.each(runnable)('the example with "%s…" in %s has only inputs that the action knows', (_, __, step) => {
  expect(inputNames).toEqual(expect.arrayContaining(Object.keys(step.with ?? {})))
})

test.each(examples)('the example in $guide uses only outputs that the action has', ({ text }) => {
  const used = [...text.matchAll(/\.outputs\.([\w-]+)/g)].map(([, name]) => name)
  expect(outputNames).toEqual(expect.arrayContaining(used))
})

test.concurrent.each(runnable)('the example with "%s…" in %s works as it stands', async (_, __, step) => {
  const { result, server } = await play(step)

  expect(result.outputs['error']).toBe('')
  expect(result.exitCode).toBe(0)
  expect(result.outputs['conclusion']).toBe(step.with?.['wait'] === false ? 'started' : 'completed')
  expect(result.stdout).not.toMatch(/^::(warning|notice)/m)
  const made = server.requests.map((request) => `${request.method} ${request.path.replace(/\?.*/, '')}`)
  expect(made.filter((call) => !calls.some((known) => known.test(call)))).toEqual([])
})

test('the configuration file shown is the one that an example uses', () => {
  const used = runnable.flatMap(([, , step]) => step.with?.['configuration-file'] ?? [])
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
