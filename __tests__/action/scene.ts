import { mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { expect } from '@jest/globals'
import {
  parseFileCommand,
  runAction,
  startAction,
  type ActionOptions,
  type ActionResult,
  type RunningAction,
} from '../../e2e/action.ts'
import {
  realClock,
  startSimulator,
  type RecordedRequest,
  type Simulator,
  type SimulatorOptions,
} from '../../simulator/index.ts'
import { expectNoSecret } from './secrecy.ts'

/** Twenty seconds of the server pass in one; the action itself runs in real time. */
const SPEED = 20

export const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/** A test with a child process and a few polls, on a machine that has other things to do. */
export const PATIENCE_MS = 60_000

/** A server of a test's own, and the step that talks to it. */
export class Scene {
  readonly server: Simulator

  constructor(server: Simulator) {
    this.server = server
  }

  /**
   * Runs the built action with the server's address and key filled in. Whatever the test is about, no secret
   * may stand in anything that the process printed or handed over.
   */
  async step(
    inputs: Readonly<Record<string, string>>,
    options: Omit<ActionOptions, 'inputs'> = {},
  ): Promise<ActionResult> {
    const given = { 'server-url': this.server.url, 'api-key': this.server.apiKey, ...inputs }
    const result = await runAction({ ...options, inputs: given })
    expectNoSecret(result, [
      this.server.apiKey,
      ...this.server.issuedTokens,
      ...(inputs['api-key'] ?? inputs['access-token'] ?? '').split(/\s+/).filter((part) => part.length > 8),
    ])
    return result
  }

  /** What arrived, by method and end of the path without its query. */
  requests(method: string, path: RegExp): RecordedRequest[] {
    return this.server.requests.filter(
      (request) => request.method === method && path.test(request.path.replace(/\?.*$/, '')),
    )
  }

  /** Resolves once a request to start a run has arrived. */
  async triggered(): Promise<void> {
    while (this.triggers.length === 0) await setTimeout(20)
  }

  /** Resolves once there is a run of that state. */
  async isThere(status: string): Promise<void> {
    while (this.runs[0]?.status !== status) await setTimeout(20)
  }

  get triggers(): RecordedRequest[] {
    return this.requests('POST', /\/(pipeline_snapshots|run_templates)\/[^/]+\/runs$/)
  }

  /** The runs that are there, without those that the server took back by itself. */
  get runs(): Simulator['runs'] {
    return this.server.runs.filter((run) => !run.gone)
  }
}

/** Gives a test a server that nobody else uses, and closes it whatever happens. */
export async function withServer(
  options: SimulatorOptions,
  work: (scene: Scene) => Promise<void>,
): Promise<void> {
  const server = await startSimulator({ clock: realClock(SPEED), ...options })
  try {
    await work(new Scene(server))
  } finally {
    await server.close()
  }
}

/** Gives a test the variables of a job that began so many minutes ago on a runner that GitHub hosts. */
export async function withHostedJob<T>(
  minutes: number,
  work: (env: Readonly<Record<string, string>>) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(path.join(tmpdir(), 'event-'))
  const file = path.join(folder, 'event.json')
  try {
    await writeFile(file, '{}')
    const then = new Date(Date.now() - minutes * 60_000)
    await utimes(file, then, then)
    return await work({ RUNNER_ENVIRONMENT: 'github-hosted', GITHUB_EVENT_PATH: file })
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** A step that the runner has given up, and that goes on all the same. */
export interface Survivor {
  readonly main: RunningAction
  /** What it had saved by then: the runner reads that once, and leaves the file where it is. */
  readonly state: Readonly<Record<string, string>>
  /** Plays its post step to the end. */
  readonly post: () => Promise<ActionResult>
}

/** Gives a test a step of a job container, which the runner gives up at a moment of the test's choice. */
export async function withSurvivor(
  inputs: Readonly<Record<string, string>>,
  givenUp: () => Promise<void>,
  work: (survivor: Survivor) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'state-'))
  const file = path.join(folder, 'state')
  await writeFile(file, '')
  const main = await startAction({ inputs, env: { GITHUB_STATE: file } })
  try {
    await givenUp()
    const state = parseFileCommand(await readFile(file, 'utf8'))
    await work({ main, state, post: async () => runAction({ entry: 'post', inputs, state }) })
  } finally {
    main.signal('SIGKILL')
    await main.done
    await rm(folder, { recursive: true })
  }
}

/** The messages of one kind of annotation, as the runner reads them. */
export function annotations(kind: 'error' | 'warning' | 'notice', { stdout }: ActionResult): string[] {
  return [...stdout.matchAll(/^::(\w+)(?: [^\n]*?)?::(.*)$/gm)]
    .filter(([, name]) => name === kind)
    .map(([, , data = '']) => data.replaceAll('%0A', '\n').replaceAll('%0D', '\r').replaceAll('%25', '%'))
}

/** What a reader of the log sees: lines that are no commands. */
export function logLines({ stdout }: ActionResult): string[] {
  return stdout.split('\n').filter((line) => line !== '' && !line.startsWith('::'))
}

/** A run that ended as it should: green, without a word of complaint. */
export function expectGreen(
  result: ActionResult,
  conclusion: 'completed' | 'started' | 'stopped' | 'resolved',
): void {
  expect(annotations('error', result)).toEqual([])
  expect(result.stderr).toBe('')
  expect(result.outputs).toMatchObject({ conclusion, error: '' })
  expect(result.exitCode).toBe(0)
}

/**
 * A step that failed with one clear line in log and output, annotated once, and no stack. Where a step of the run
 * failed, it is that which is annotated, and the line ends the log. Gives the line.
 */
export function expectRed(result: ActionResult, conclusion: string): string {
  const errors = annotations('error', result)
  expect(errors).toHaveLength(1)
  expect(result.stdout + result.stderr).not.toMatch(/\n\s+at .+:\d+:\d+/)
  expect(result.stderr).toBe('')
  const { error = '', 'failed-step': failedStep = '' } = result.outputs
  expect(result.outputs).toMatchObject({ conclusion, error: expect.stringMatching(/./) })
  expect(failedStep === '' ? errors[0] : logLines(result).at(-1)).toBe(error)
  expect(result.exitCode).toBe(1)
  return error
}
