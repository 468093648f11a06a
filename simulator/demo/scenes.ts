import type { ActionResult } from '../../e2e/action.ts'
import type { Fault, Simulator } from '../index.ts'

/** One step of a workflow, and what a person should notice about it. */
export interface DemoScene {
  readonly title: string
  /** A few lines before it starts. */
  readonly before: string
  /** Below `with:`, in addition to the address and the key. */
  readonly inputs: Readonly<Record<string, string>>
  readonly faults?: readonly Fault[]
  /** The inputs of a step that ran on `main` before; default: there was none. */
  readonly onMain?: Readonly<Record<string, string>>
  /** A sentence or two about what the server saw. */
  after(result: ActionResult, server: Simulator): string
  /** Whether it ended the way the title says. */
  isAsTold(result: ActionResult, server: Simulator): boolean
}

export const scenes: readonly DemoScene[] = [
  {
    title: 'A run that completes',
    before: 'The step starts the snapshot, waits, and passes the results on to later steps.',
    inputs: {
      snapshot: 'training-template',
      parameters: 'train.seconds: 3\ntrain.accuracy: 0.93\n',
      tags: 'demo',
    },
    after: (result, server) => `The server ran ${steps(server)}. ${color(result)}`,
    isAsTold: (result) => result.exitCode === 0 && result.outputs['conclusion'] === 'completed',
  },
  {
    title: 'A run that fails',
    before: 'The parameter "fail" makes the pipeline\'s step "train" raise an error.',
    inputs: {
      pipeline: 'training',
      parameters: 'train.fail: no data for today\n',
    },
    after: (result, server) =>
      `The server ran ${steps(server)}. ${color(result)}\n` +
      "The error is also an annotation on the workflow run's page.",
    isAsTold: (result) => result.exitCode === 1 && result.outputs['conclusion'] === 'failed',
  },
  {
    title: 'A server that is too busy',
    before:
      'At first the server has no free slot. Then it is too busy to answer in time, although it does start\n' +
      'the run. Simply repeating the request would now start a second run.',
    inputs: { snapshot: 'training-template', 'trigger-timeout': '5m' },
    faults: [
      { on: 'trigger', occurrence: 1, do: { kind: 'no-slot' } },
      { on: 'trigger', occurrence: 2, do: { kind: 'too-busy', seconds: 3 } },
    ],
    after: (result, server) =>
      `The server got ${triggers(server).length} requests to start a run and answered ${answers(server)}.\n` +
      `Together they used ${keys(server)} Idempotency-Key, and ${startedRuns(server)} run was started. ${color(result)}`,
    isAsTold: (result, server) =>
      result.exitCode === 0 && startedRuns(server) === 1 && keys(server) === 1 && triggers(server).length > 2,
  },
  {
    title: 'A run that is compared with main',
    before:
      "The last good run on main is the baseline. The run's artifacts show a report, a table, an HTML page and an\n" +
      'image: all of them are on the report page.',
    onMain: { snapshot: 'evaluation-template', parameters: 'train.accuracy: 0.91\n' },
    inputs: {
      snapshot: 'evaluation-template',
      parameters: 'train.accuracy: 0.93\n',
      baseline: 'main',
      expect: 'train.accuracy >= baseline',
      visualizations: 'true',
    },
    after: (result) => `Compared: ${result.outputs['comparison'] ?? ''}\n${color(result)}`,
    isAsTold: ({ exitCode, outputs }) =>
      exitCode === 0 && (outputs['comparison'] ?? '').includes('"baseline":0.91') && outputs['report'] !== '',
  },
]

function color({ exitCode }: ActionResult): string {
  return `The step is ${exitCode === 0 ? 'green' : 'red'}: exit code ${String(exitCode)}.`
}

function steps(server: Simulator): string {
  return server.runs.flatMap((run) => run.startedSteps).join(', then ')
}

function triggers(server: Simulator): Simulator['requests'] {
  return server.requests.filter(({ method, path }) => method === 'POST' && path.endsWith('/runs'))
}

function answers(server: Simulator): string {
  return triggers(server)
    .map(({ status }) => String(status))
    .join(', ')
}

function keys(server: Simulator): number {
  return new Set(triggers(server).map(({ headers }) => headers['idempotency-key'])).size
}

function startedRuns(server: Simulator): number {
  return server.runs.filter((run) => !run.gone).length
}
