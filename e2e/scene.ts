import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { startAction, type ActionOptions, type ActionResult, type RunningAction } from './action.ts'
import { lastLines } from './processes.ts'
import type { ServerEnvironment, ZenServer } from './servers.ts'
import { isAtLeast, isInAnotherProject, isPro, type Condition } from './target.ts'
import { ServerView, type SeenRun } from './view.ts'

/** One thing that must hold on real servers. */
export interface Case {
  /** What a user sees. */
  readonly name: string
  /** The servers that it is played on; default: all. */
  readonly where?: Condition
  /** Played on every version of the table in the docs. */
  readonly core?: true
  /** Takes minutes, so that it is only played when it is asked for. */
  readonly slow?: true
  /** Variables that the server must run with; default: none. */
  readonly environment?: ServerEnvironment
  /** How many runs the case leaves behind on the server, no matter who started them. */
  readonly runs: number | 'any'
  /** Milliseconds to wait before they are counted, where a second one could still appear. */
  readonly settle?: number
  run(scene: Scene): Promise<void>
}

/** What a finished step must have shown. */
export interface Wanted {
  readonly exitCode: number
  readonly outputs?: Readonly<Record<string, string | RegExp>>
  /** Texts that the log must hold. */
  readonly log?: readonly (string | RegExp)[]
}

/** A token of a server, or of the control plane. */
const TOKEN = /eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}|\bpro-[0-9a-f]{32}\b/

/** Throws if a credential or token is anywhere but in the command that masks it. */
function assertNoLeak(result: ActionResult, secrets: readonly string[]): void {
  const log = `${result.stdout}\n${result.stderr}`.replaceAll(/^::add-mask::.*$/gm, '')
  const files = JSON.stringify([result.outputs, result.state, result.summary])
  for (const [where, text] of Object.entries({ log, files })) {
    assert.ok(!secrets.some((secret) => text.includes(secret)), `the ${where} hold a credential`)
    assert.doesNotMatch(text, TOKEN, `the ${where} hold a token`)
  }
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

function holds(text: string, wanted: string | RegExp): boolean {
  return typeof wanted === 'string' ? text.includes(wanted) : wanted.test(text)
}

/** Throws an error that shows all differences and the end of the log. */
export function expectStep(result: ActionResult, wanted: Wanted): void {
  const faults: string[] = []
  const { exitCode, signal, outputs, stdout, stderr } = result
  if (exitCode !== wanted.exitCode) faults.push(`exit code ${exitCode ?? signal}, not ${wanted.exitCode}`)
  for (const [name, value] of Object.entries(wanted.outputs ?? {})) {
    const got = outputs[name]
    const fits = got !== undefined && (typeof value === 'string' ? got === value : value.test(got))
    if (!fits) faults.push(`output ${name} is ${JSON.stringify(got)}, not ${String(value)}`)
  }
  for (const text of wanted.log ?? []) {
    if (!holds(stdout + stderr, text)) faults.push(`the log does not hold ${String(text)}`)
  }
  assert.ok(faults.length === 0, `${faults.join('; ')}\n${lastLines(stdout + stderr, 25)}`)
}

/** A configuration of the pipeline `training` that ends within moments. */
export function quick(parameters: Readonly<Record<string, string | number>> = {}): string {
  return JSON.stringify({ steps: { train: { parameters: { seconds: 0.1, ...parameters } } } })
}

/** A server, a look at it, and the action: what a case works with. */
export class Scene {
  readonly server: ZenServer
  readonly view: ServerView
  readonly #before: ReadonlySet<string>

  private constructor(server: ZenServer, view: ServerView, before: ReadonlySet<string>) {
    this.server = server
    this.view = view
    this.#before = before
  }

  /** Remembers the runs that the server holds now. */
  static async open(server: ZenServer): Promise<Scene> {
    const view = new ServerView(server)
    return new Scene(server, view, new Set((await view.runs()).map(({ id }) => id)))
  }

  /** The runs that came since the scene was opened, the newest first. */
  async newRuns(): Promise<SeenRun[]> {
    return (await this.view.runs()).filter(({ id }) => !this.#before.has(id))
  }

  /** The one run that came since the scene was opened; throws if there are more, or none, and shows the step's log. */
  async onlyRun({ stdout, stderr }: ActionResult): Promise<SeenRun> {
    const [run, ...others] = await this.newRuns()
    const count = others.length + (run === undefined ? 0 : 1)
    assert.ok(
      run !== undefined && count === 1,
      `${count} new runs on the server, not 1\n${lastLines(stdout + stderr, 25)}`,
    )
    return run
  }

  /** Starts the action against this server; a log or file that holds a credential makes `done` reject. */
  async start(
    inputs: ActionOptions['inputs'],
    options: Omit<ActionOptions, 'inputs'> = {},
  ): Promise<RunningAction> {
    const running = await startAction({
      ...options,
      inputs: {
        ...this.connection(),
        ...this.#project(inputs),
        ...(looksAtRuns(inputs, options.entry) ? { 'poll-interval': '1s' } : {}),
        ...inputs,
      },
    })
    const done = running.done.then((result) => {
      assertNoLeak(result, this.#secrets())
      return result
    })
    return { ...running, done }
  }

  /** Address and key, as a user of such a server has to give them. */
  connection(): Readonly<Record<string, string>> {
    const { target, url, apiKey } = this.server
    // Before 0.92 a server in Pro's mode does not know an organization's key.
    const exchanged = isPro(target) && !isAtLeast(target, '0.92')
    return {
      'server-url': url,
      'api-key': apiKey,
      ...(exchanged ? { 'pro-api-url': this.server.controlPlane.url } : {}),
    }
  }

  /** What has to be named is in another project than an open-source server looks in. */
  #project(inputs: ActionOptions['inputs']): Readonly<Record<string, string>> {
    const { target } = this.server
    const named = ['snapshot', 'template', 'pipeline', 'run', 'model'].some(
      (input) => inputs[input] !== undefined && !UUID.test(inputs[input]),
    )
    return named && isInAnotherProject(target) ? { project: target.project } : {}
  }

  #secrets(): string[] {
    const { announcement, apiKey } = this.server
    const secret = announcement['client-secret']
    return typeof secret === 'string' ? [apiKey, secret] : [apiKey]
  }

  /** Runs login/, the one action that passes a token to later steps. */
  async login(inputs: ActionOptions['inputs'] = {}): Promise<ActionResult> {
    const running = await startAction({ entry: 'login', inputs: { ...this.connection(), ...inputs } })
    return running.done
  }

  /** Runs the action against this server to its end. */
  async action(
    inputs: ActionOptions['inputs'],
    options: Omit<ActionOptions, 'inputs'> = {},
  ): Promise<ActionResult> {
    return (await this.start(inputs, options)).done
  }
}

function looksAtRuns(inputs: ActionOptions['inputs'], entry: ActionOptions['entry'] = 'main'): boolean {
  return inputs['wait'] !== 'false' && (entry === 'main' || entry === 'wait')
}

/** Runs one case on a server that has the case's environment; throws what went wrong. */
export async function play(one: Case, server: ZenServer): Promise<void> {
  if (isPro(server.target)) await server.controlPlane.reset()
  const scene = await Scene.open(server)
  await one.run(scene)
  if (one.runs === 'any') return
  await sleep(one.settle ?? 0)
  const runs = await scene.newRuns()
  const list = runs.map(({ name, status }) => `${name} (${status})`).join(', ')
  assert.equal(runs.length, one.runs, `runs on the server: ${runs.length}, not ${one.runs}: ${list}`)
}
