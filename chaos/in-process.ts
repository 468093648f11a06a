import { startSimulator, VirtualClock } from '../simulator/index.ts'
import { WorkflowLog } from '../src/github/log.ts'
import { cleanUp } from '../src/run/clean-up.ts'
import { RunError } from '../src/run/errors.ts'
import { executeRun, type RunRequest } from '../src/run/execute.ts'
import type { PlannedRun, StartedRun } from '../src/run/journal.ts'
import type { RunEvent } from '../src/run/reporter.ts'
import { Api } from '../src/zenml/api.ts'
import { ZenmlClient } from '../src/zenml/client.ts'
import { isZenmlError } from '../src/zenml/errors.ts'
import { KeySession } from '../src/zenml/session.ts'
import { BoundaryHttp, type Deed } from './boundary-http.ts'
import type { Case, EndMode, Interruption } from './draw.ts'
import type { Ending, Observation } from './ending.ts'
import { Random } from './random.ts'
import { ServerUnderTest } from './server-under-test.ts'
import type { Story } from './story.ts'

/** A real limit for exchanges that the server never answers; the clock is then moved on by what the action allows. */
const HANG_LIMIT_MS = 150
const LOAD_LIMIT_MS = 20_000
const ACTION_EXCHANGE_MS = 65_000

/** As the post step has them. */
const POST_BUDGET_MS = 110_000
const LATE_START_MS = 60_000

/** Time in which all that the server still works on comes to light. */
const AFTERWARDS_MS = 400_000

/** A case takes well under a second; one that takes so long will never end. */
const GIVE_UP_MS = 60_000

class Cancelled extends Error {
  override readonly name = 'Cancelled'
}

/** Plays a case against `executeRun` and, where it leaves something to see to, `cleanUp`, in virtual time. */
export async function playInProcess(drawn: Case, story: Story): Promise<Observation> {
  const clock = new VirtualClock({ seed: new Random(`${drawn.id}/clock`).int(1, 2 ** 30) })
  const server = await startSimulator({ ...ServerUnderTest.options(drawn), clock })
  const under = new ServerUnderTest(drawn, server)
  try {
    return await new Play(drawn, under, clock, story).run()
  } finally {
    await under.up()
    await server.close()
  }
}

class Play {
  readonly #case: Case
  readonly #server: ServerUnderTest
  readonly #clock: VirtualClock
  readonly #story: Story
  readonly #random: Random
  readonly #cancellation = new AbortController()
  readonly #died: Promise<'dead'>
  #die!: (dead: 'dead') => void
  #planned: PlannedRun | undefined
  #started: StartedRun | undefined
  #settled = false
  #mode: EndMode
  readonly #shown: unknown[] = []
  /** The gate through which all that is shown leaves. */
  readonly #log = new WorkflowLog(() => undefined)

  constructor(drawn: Case, server: ServerUnderTest, clock: VirtualClock, story: Story) {
    this.#case = drawn
    this.#server = server
    this.#mode = drawn.onCancel
    this.#clock = clock
    this.#story = story
    this.#random = new Random(`${drawn.id}/keys`)
    this.#died = new Promise((resolve) => {
      this.#die = resolve
    })
  }

  async run(): Promise<Observation> {
    const server = this.#server
    await server.prepare()
    const main = await this.#within(this.#main())
    await server.up()
    const atMainEnd = server.ours()
    const settled = this.#settled
    if (this.#case.recovers) server.recover()
    const post = this.#isLeft() ? await this.#within(this.#post()) : undefined
    const atPostEnd = server.ours()
    this.#clock.advance(AFTERWARDS_MS)
    const hung = main === 'hung' || post === 'hung'
    return {
      main: main === 'hung' ? KILLED : main,
      settled,
      post: post === 'hung' ? undefined : post,
      atMainEnd,
      atPostEnd,
      later: server.ours(),
      vanished: server.vanished,
      tampered: server.tampered,
      cancelled: this.#cancellation.signal.aborted,
      shown: this.#log.cover(JSON.stringify(this.#shown)),
      secrets: server.secrets(),
      hung,
    }
  }

  async #main(): Promise<Ending> {
    const { signal } = this.#cancellation
    const http = this.#http(this.#case.interruptions.map((interruption) => this.#deed(interruption)))
    const work = executeRun(this.#request(), {
      client: this.#client(http).with({ signal }),
      clock: this.#clock,
      reporter: { tell: (event) => this.#tell(event) },
      journal: {
        planned: (run) => {
          this.#planned = run
          this.#save('planned', run)
        },
        started: (run) => {
          this.#started = run
          this.#save('started', run)
        },
        ending: (mode) => {
          this.#mode = mode
          this.#save('mode', mode)
        },
        settled: () => {
          this.#settled = true
          this.#save('settled', {})
        },
      },
      newKey: () => this.#newKey(),
      timeLimit: (ms) => AbortSignal.timeout(ms),
      signal,
    }).then(
      (result): Ending => ({
        ...result,
        green: result.error === undefined,
        line: result.error ?? `The run ${result.conclusion}`,
        unforeseen: '',
      }),
      (error: unknown) => endingOf(error, this.#started?.id),
    )
    const ending = await Promise.race([work, this.#died])
    await http.close()
    const told = ending === 'dead' ? KILLED : ending
    this.#say(`main: ${JSON.stringify(told)}`)
    return told
  }

  async #post(): Promise<Ending> {
    const http = this.#http([])
    const now = this.#clock.now()
    try {
      const ended = await cleanUp(
        {
          planned: this.#planned,
          started: this.#started,
          mode: this.#mode,
          reason: 'The workflow step ended early',
          lookUpUntil: (this.#planned?.sentAt ?? now) + LATE_START_MS,
          deadline: now + POST_BUDGET_MS,
        },
        { client: this.#client(http), clock: this.#clock, signal: AbortSignal.timeout(POST_BUDGET_MS) },
      )
      this.#say(`post: ${JSON.stringify(ended)}`)
      const { status, sentence: line } = ended
      return {
        conclusion: undefined,
        status,
        runId: this.#started?.id,
        green: undefined,
        line,
        unforeseen: '',
      }
    } catch (error) {
      const ending = endingOf(error, this.#started?.id)
      this.#say(`post: ${JSON.stringify(ending)}`)
      return ending
    } finally {
      await http.close()
    }
  }

  #isLeft(): boolean {
    return !this.#settled && (this.#planned !== undefined || this.#started !== undefined)
  }

  #http(deeds: readonly Deed[]): BoundaryHttp {
    const hangs = this.#case.faults.some((fault) => fault.do.kind === 'hang')
    return new BoundaryHttp({
      server: this.#server.simulator,
      deeds,
      limits: { exchangeMs: hangs ? HANG_LIMIT_MS : LOAD_LIMIT_MS },
      note: (line) => this.#say(line),
      onTimeout: () => this.#clock.advance(ACTION_EXCHANGE_MS),
    })
  }

  #client(http: BoundaryHttp): ZenmlClient {
    const clock = this.#clock
    const { url, apiKey } = this.#server.simulator
    const onRetry = (line: string, waitMs: number): void => this.#tell({ kind: 'retry', line, waitMs })
    const onToken = (token: string): void => this.#log.mask(token)
    this.#log.mask(apiKey)
    const session = new KeySession(url, apiKey, { http, clock, onToken, onWait: onRetry })
    return new ZenmlClient(new Api({ http, baseUrl: url, session, clock, onRetry }))
  }

  #deed(interruption: Interruption): Deed {
    return {
      at: interruption.at,
      act: () => {
        this.#say(`⚡ ${JSON.stringify(interruption)}`)
        switch (interruption.kind) {
          case 'cancel':
            this.#cancellation.abort(new Cancelled('cancelled'))
            return 'alive'
          case 'kill':
            this.#die('dead')
            return 'dead'
          case 'restart':
          case 'expire-tokens':
          case 'vanish':
          case 'unknown-state':
            this.#server.suffer(interruption)
            return 'alive'
        }
      },
    }
  }

  #request(): RunRequest {
    const { wait, timeoutMs, triggerTimeoutMs, pollIntervalMs, onCancel, onTimeout, runName } = this.#case
    return {
      serverUrl: this.#server.simulator.url,
      target: this.#server.target(),
      project: undefined,
      overrides: { layers: [], tags: undefined, useCache: undefined },
      runName,
      origin: { workflowRunId: '4711', attempt: 1, stepIdentity: '0a1b2c3d' },
      provenance: {
        repository: '',
        sha: '',
        ref: '',
        headRef: '',
        actor: '',
        workflow: '',
        workflowRunUrl: '',
      },
      logTail: 50,
      workflowRunUrl: 'https://github.com/octo-org/example/actions/runs/4711',
      wait,
      timeoutMs,
      triggerTimeoutMs,
      pollIntervalMs,
      onCancel,
      onTimeout,
      onPaused: 'wait',
      resume: false,
    }
  }

  #newKey(): string {
    const hex = Array.from({ length: 8 }, () =>
      this.#random.int(0, 0xffff).toString(16).padStart(4, '0'),
    ).join('')
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
  }

  async #within(work: Promise<Ending>): Promise<Ending | 'hung'> {
    let timer: NodeJS.Timeout | undefined
    const limit = new Promise<'hung'>((resolve) => {
      timer = setTimeout(() => {
        this.#cancellation.abort(new Cancelled('given up'))
        resolve('hung')
      }, GIVE_UP_MS)
    })
    return Promise.race([work, limit]).finally(() => clearTimeout(timer))
  }

  #tell(event: RunEvent): void {
    this.#shown.push(event)
    this.#say(`  ${JSON.stringify(event)}`)
  }

  #save(what: string, value: unknown): void {
    this.#shown.push(value)
    this.#say(`  saved ${what} ${JSON.stringify(value)}`)
  }

  #say(line: string): void {
    this.#story.line(this.#clock.now(), line)
  }
}

const KILLED: Ending = {
  conclusion: undefined,
  status: '',
  runId: undefined,
  green: undefined,
  line: '',
  unforeseen: '',
}

function endingOf(error: unknown, runId: string | undefined): Ending {
  const foreseen = error instanceof RunError || isZenmlError(error)
  const line = error instanceof Error ? error.message : String(error)
  const conclusion = error instanceof RunError ? error.conclusion : 'failed'
  const unforeseen = foreseen ? '' : error instanceof Error ? (error.stack ?? line) : line
  return { conclusion, status: '', runId, green: false, line, unforeseen }
}
