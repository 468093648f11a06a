import { randomUUID } from 'node:crypto'
import { startSimulator, VirtualClock, type Simulator } from '../simulator/index.ts'
import { openClient } from '../src/actions/open-client.ts'
import { requestFromInputs } from '../src/actions/request-from-inputs.ts'
import { timeLimit } from '../src/base/system-clock.ts'
import type { InputSources } from '../src/github/inputs/read-checked.ts'
import { readInputs } from '../src/github/inputs/read.ts'
import { WorkflowLog } from '../src/github/log/workflow-log.ts'
import { readSweepInputs } from '../src/github/sweep/inputs.ts'
import type { Environment } from '../src/github/workflow/environment.ts'
import { readFile } from '../src/github/workflow/files.ts'
import { Http } from '../src/http/http.ts'
import type { RunEvent } from '../src/run/events.ts'
import { startAndFollowRun } from '../src/run/start-and-follow-run.ts'
import type { RunDependencies } from '../src/run/run-supervisor.ts'
import { runSweep } from '../src/run/sweep/sweep.ts'
import { parseServerUrl } from '../src/zenml/server-url.ts'
import { variablesOf } from '../chaos/inputs.ts'
import { drawSeconds, stepInputs, sweepInputs, sweptStep, TRIGGER_SECONDS } from './swept.ts'

/** What it took a server to have some runs seen through. */
export interface Seen {
  readonly requests: number
  /** Of each run, from its end to the moment at which the step knew it. */
  readonly lagsMs: readonly number[]
  /** From the first request to the end of the last run. */
  readonly lengthMs: number
}

/** How many runs a history is made of. */
const HISTORY = 10

/** Nobody reads what is kept for a post step. */
const journal = {
  planned: () => undefined,
  started: () => undefined,
  stopping: () => undefined,
  settled: () => undefined,
}

const WORKFLOW = { GITHUB_REPOSITORY: 'octo-org/example', GITHUB_RUN_ID: '4711', GITHUB_RUN_ATTEMPT: '1' }

/** A sweep in virtual time: the real code, over a real socket. */
export function seeSweep(
  seconds: readonly number[],
  maxParallel: number,
  history: number | undefined,
): Promise<Seen> {
  return see(history, (stage) => stage.sweep(sweepInputs(seconds, maxParallel)))
}

/** As many steps of the main action, each over its own run, all at once. */
export function seeSteps(seconds: readonly number[], history: number | undefined): Promise<Seen> {
  return see(history, (stage) => stage.steps(seconds))
}

/** @param history median of earlier runs in seconds; undefined: there are none */
async function see(history: number | undefined, work: (stage: Stage) => Promise<void>): Promise<Seen> {
  const clock = new VirtualClock()
  const pipelines = [{ name: 'bench', steps: [sweptStep] }]
  const server = await startSimulator({ clock, pipelines, triggerSeconds: TRIGGER_SECONDS })
  const stage = new Stage(clock, server)
  try {
    if (history !== undefined) await stage.steps(drawSeconds(history, HISTORY, history))
    const [began, before, earlier] = [clock.now(), server.requests.length, server.runs.length]
    await work(stage)
    const requests = server.requests.length - before
    const runs = await stage.ended(server.runs.slice(earlier).map(({ id }) => id))
    const lengthMs = Math.max(...runs.map(({ endedAt }) => endedAt)) - began
    return { requests, lagsMs: runs.map(({ endedAt, knownAt }) => knownAt - endedAt), lengthMs }
  } finally {
    await server.close()
  }
}

class Stage {
  readonly #clock: VirtualClock
  readonly #server: Simulator
  /** By the run's id. */
  readonly #knownAt = new Map<string, number>()

  constructor(clock: VirtualClock, server: Simulator) {
    this.#clock = clock
    this.#server = server
  }

  async sweep(given: Readonly<Record<string, string>>): Promise<void> {
    const sources = this.#sources(given)
    const { inputs } = await readSweepInputs(sources)
    await this.#connected((deps) =>
      runSweep(requestFromInputs(inputs, sources.env), { ...deps, journalOf: () => journal }),
    )
  }

  async steps(seconds: readonly number[]): Promise<void> {
    await Promise.all(
      seconds.map(async (each) => {
        const sources = this.#sources(stepInputs(each))
        const { inputs } = await readInputs(sources)
        await this.#connected(async (deps) => {
          const { runId = '' } = await startAndFollowRun(requestFromInputs(inputs, sources.env), {
            ...deps,
            journal,
          })
          this.#knownAt.set(runId, this.#clock.now())
        })
      }),
    )
  }

  /** When these ended as the server says, and when the step knew it. */
  async ended(ids: readonly string[]): Promise<{ endedAt: number; knownAt: number }[]> {
    const runs: { endedAt: number; knownAt: number }[] = []
    await this.#connected(async ({ client }) => {
      for (const id of ids) {
        const { endTime } = await client.run(id, { hydrate: true })
        runs.push({ endedAt: endTime ?? NaN, knownAt: this.#knownAt.get(id) ?? NaN })
      }
    })
    return runs
  }

  async #connected(work: (deps: Omit<RunDependencies, 'journal'>) => Promise<unknown>): Promise<void> {
    const clock = this.#clock
    const http = new Http('bench')
    const server = { url: this.#server.url, proApiUrl: this.#server.url }
    const inputs = { server, credential: { kind: 'api-key', key: this.#server.apiKey } } as const
    const log = new WorkflowLog(() => undefined)
    const reporter = {
      tell: (event: RunEvent) => {
        if (event.kind !== 'cell-ended') return
        this.#knownAt.set(event.result.run?.id ?? '', clock.now())
      },
    }
    const { client, close } = await openClient({ inputs, http, clock, log, reporter })
    try {
      await work({ client, clock, reporter, newKey: randomUUID, timeLimit })
    } finally {
      close()
    }
  }

  #sources(given: Readonly<Record<string, string>>): InputSources & { readonly env: Environment } {
    const { url, apiKey } = this.#server
    const inputs = { 'server-url': url, 'api-key': apiKey, ...given }
    const env = { ...WORKFLOW, ...variablesOf(inputs) }
    return { env, readFile, mask: () => undefined, parseServerUrl }
  }
}
