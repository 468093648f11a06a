import type { Fault, Occurrence, RecordedRequest, Simulator, SimulatorOptions } from '../simulator/index.ts'
import type { Target } from '../src/run/find/definition.ts'
import type { Case, Interruption } from './draw.ts'
import type { HeldRun } from './ending.ts'
import { NAMINGS } from './naming.ts'
import { chaosPipelines, chaosSpecs } from './pipelines.ts'
import { Random } from './random.ts'

/** What can happen to a server. */
export type Suffering = Exclude<Interruption, { kind: 'cancel' | 'kill' }>

type LiveFault = Omit<Fault, 'occurrence'> & { occurrence: Occurrence }

/** No request is the zeroth: a fault with this occurrence is over. */
const NEVER = 0

const ENDED: readonly string[] = ['completed', 'failed', 'stopped']

/** The simulator of one case, with what the case does to it and what it holds. */
export class ServerUnderTest {
  readonly simulator: Simulator
  readonly vanished = new Set<string>()
  tampered = false
  readonly #case: Case
  readonly #faults: LiveFault[] = []
  readonly #others = new Set<string>()
  /** Requests that were not the step's. */
  #before = 0
  /** A restart under way. */
  #restart: Promise<void> = Promise.resolve()

  constructor(drawn: Case, simulator: Simulator) {
    this.#case = drawn
    this.simulator = simulator
  }

  static options({ id, version, server, naming }: Case): SimulatorOptions {
    return {
      ...server,
      version,
      storesName: NAMINGS[naming],
      pipelines: chaosSpecs,
      seed: new Random(`${id}/server`).int(1, 2 ** 30),
    }
  }

  /** Lets somebody else have a run, with the step's name if the case says so, then puts the faults on. */
  async prepare(): Promise<void> {
    const { nameTaken, runName, interruptions, faults } = this.#case
    const isOtherNeeded = faults.some((fault) => fault.do.kind === 'about-another')
    if (nameTaken && runName !== undefined) await this.#occupy(runName)
    else if (isOtherNeeded) await this.#occupy('of somebody else')
    this.#before = this.simulator.requests.length
    for (const { on, occurrence, do: action } of faults) {
      this.#put({ on, occurrence, do: action })
    }
    for (const { at } of interruptions) {
      if (at.moment === 'body') {
        this.#put({ on: at.route, occurrence: at.nth, do: { kind: 'slow-body', bytes: 60, pauseMs: 15 } })
      } else if (at.moment === 'arrived') {
        this.#put({ on: at.route, occurrence: at.nth, do: { kind: 'delay', seconds: 2 } })
      }
    }
  }

  #put(fault: LiveFault): void {
    this.#faults.push(fault)
    this.simulator.addFault(fault)
  }

  /** From now on the server answers as it should. */
  recover(): void {
    for (const fault of this.#faults) fault.occurrence = NEVER
  }

  suffer(what: Suffering): void {
    switch (what.kind) {
      case 'restart':
        this.#restart = this.simulator.restart(what)
        return
      case 'expire-tokens':
        this.simulator.expireTokens()
        return
      case 'vanish':
        for (const { id } of this.ours()) {
          this.vanished.add(id)
          this.simulator.vanish(id)
        }
        return
      case 'unknown-state':
        for (const { id, status, busy } of this.ours()) {
          // A run that has ended stays as it is.
          if (ENDED.includes(status) && !busy) continue
          this.tampered = true
          this.simulator.setStatus(id, 'hibernating')
        }
        return
    }
  }

  /** Resolves when the server listens again. */
  async up(): Promise<void> {
    await this.#restart
  }

  /** The runs that this step started, or one cell of it, as they are now. */
  ours(cell?: number): HeldRun[] {
    const isOfCell = cell === undefined ? /^/ : new RegExp(`"seed":${String(cell)}\\b`)
    return this.simulator.runs
      .filter(
        ({ id, configuration }) => !this.#others.has(id) && isOfCell.test(JSON.stringify(configuration)),
      )
      .map(({ id, name, status, busy, gone, configuration }) => {
        const asked = configuration['run_name']
        return { id, name, nameSent: typeof asked === 'string' ? asked : name, status, busy, gone }
      })
  }

  /** What the step has sent so far. */
  get requests(): readonly RecordedRequest[] {
    return this.simulator.requests.slice(this.#before)
  }

  /** Ids of the runs that the step's requests, of these numbers, were to end. */
  askedToEnd(from: number, to?: number): string[] {
    return this.requests.slice(from, to).flatMap(({ method, path, body }) => {
      const stopped = /\/runs\/([^/]+)\/stop/.exec(path)?.[1]
      const updated =
        method === 'PUT' && body.includes('"status"') ? /\/runs\/([^/?]+)/.exec(path)?.[1] : undefined
      return stopped ?? updated ?? []
    })
  }

  target(): Target {
    const { pipeline, target } = this.#case
    const { spec } = chaosPipelines[pipeline]
    const name = `${spec.name}-template`
    switch (target) {
      case 'pipeline':
        return { kind: 'pipeline', pipeline: spec.name }
      case 'template':
      case 'snapshot':
        return { kind: target, reference: name }
      case 'template-id':
        return { kind: 'template', reference: this.simulator.seeded.templates[name] ?? name }
    }
  }

  secrets(): string[] {
    return [this.simulator.apiKey, ...this.simulator.issuedTokens]
  }

  /** The run that an earlier attempt of the job left; it fails. */
  async leave(name: string): Promise<void> {
    await this.#occupy(name, `${chaosPipelines[this.#case.pipeline].spec.name}-template`)
  }

  async #occupy(name: string, template = 'cached-template'): Promise<void> {
    const { url, apiKey, seeded } = this.simulator
    const login = await fetch(`${url}/api/v1/login`, {
      method: 'POST',
      body: new URLSearchParams({ password: apiKey }),
    })
    const token: unknown = await login.json()
    if (typeof token !== 'object' || token === null || !('access_token' in token)) throw new Error('no token')
    await fetch(`${url}/api/v1/run_templates/${seeded.templates[template] ?? ''}/runs`, {
      method: 'POST',
      headers: { authorization: `Bearer ${String(token.access_token)}`, 'content-type': 'application/json' },
      body: JSON.stringify({ run_name: name }),
    })
    for (const { id } of this.simulator.runs) this.#others.add(id)
    if (this.#others.size === 0) throw new Error('somebody else could not start a run')
  }
}
