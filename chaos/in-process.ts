import { startSimulator } from '../simulator/index.ts'
import { openClient } from '../src/actions/open-client.ts'
import { requestFromInputs } from '../src/actions/request-from-inputs.ts'
import { lookAfterMain } from '../src/actions/post.ts'
import { readSweepInputs } from '../src/github/sweep/inputs.ts'
import { readWorkflowContext, stepIdentity } from '../src/github/workflow/context.ts'
import type { SweepDependencies } from '../src/run/sweep/cell-run.ts'
import type { CellResult, SweepResult } from '../src/run/sweep/cell.ts'
import { runSweep, type SweepRequest } from '../src/run/sweep/sweep.ts'
import { named } from '../src/github/inputs/connection.ts'
import { readFile } from '../src/github/workflow/files.ts'
import { readInputs } from '../src/github/inputs/read.ts'
import { WorkflowLog } from '../src/github/log/workflow-log.ts'
import { PostStepJournal } from '../src/github/post-step-state.ts'
import { startAndFollowRun } from '../src/run/start-and-follow-run.ts'
import { namedRequester, stepNamePrefix } from '../src/run/start/run-name.ts'
import type { RunEvent } from '../src/run/events.ts'
import type { Clock } from '../src/base/clock.ts'
import { parseServerUrl } from '../src/zenml/server-url.ts'
import { BoundaryHttp, type Deed } from './boundary-http.ts'
import { ChaosClock, runnerClock, serverClock } from './chaos-clock.ts'
import type { Case, Interruption } from './draw.ts'
import type { Ending, Observation } from './ending.ts'
import { inputsOf, variablesOf } from './inputs.ts'
import { endingOf, endingOfCell, KILLED, type PostWords } from './endings.ts'
import { visibleIn } from './log-text.ts'
import { cellsOf, heldOf, observationsOf } from './observed.ts'
import { chaosPipelines } from './pipelines.ts'
import { Random } from './random.ts'
import { ServerUnderTest } from './server-under-test.ts'
import type { Story } from './story.ts'

/** A real limit for exchanges that the server never answers; the clock is then moved on by what the action allows. */
const HANG_LIMIT_MS = 150
const LOAD_LIMIT_MS = 20_000
const ACTION_EXCHANGE_MS = 65_000

/** A run of the first attempt has failed by then. */
const EARLIER_MS = 300_000

/** Time in which all that the server still works on comes to light. */
const AFTERWARDS_MS = 400_000

/** Real time. A case takes well under a second, but on a busy machine a minute; one that is silent for so long hangs. */
const SILENCE_MS = 60_000

/** Virtual time. A server whose keys are stuck for good costs each of the cells of a sweep its half an hour, one after the other. */
const LONGEST_CASE_MS = 12 * 3_600_000

const LOOK_EVERY_MS = 1_000

class Cancelled extends Error {
  override readonly name = 'Cancelled'
}

/** Plays a case against the whole of main and of the post step, in virtual time. One observation for each run wanted. */
export async function playInProcess(drawn: Case, story: Story): Promise<Observation[]> {
  const time = new ChaosClock({ seed: new Random(`${drawn.id}/clock`).int(1, 2 ** 30) })
  const clock = serverClock(time, drawn.clocks.server)
  const server = await startSimulator({ ...ServerUnderTest.options(drawn), clock })
  const under = new ServerUnderTest(drawn, server)
  try {
    return await new Play(drawn, under, time, story).run()
  } finally {
    await under.up()
    await server.close()
  }
}

/** What the runner says about the workflow. */
const WORKFLOW = {
  GITHUB_REPOSITORY: 'octo-org/example',
  GITHUB_RUN_ID: '4711',
  GITHUB_SHA: '0123456789abcdef0123456789abcdef01234567',
} as const

class Play {
  readonly #case: Case
  readonly #server: ServerUnderTest
  readonly #time: ChaosClock
  /** The runner's. */
  readonly #clock: Clock
  readonly #story: Story
  readonly #random: Random
  readonly #cancellation = new AbortController()
  readonly #died: Promise<'dead'>
  #die!: (dead: 'dead') => void
  /** The variables of both steps; what main saves for the post step comes in as it is saved. */
  readonly #env: Record<string, string>
  #isOver = false
  #heardAt = 0
  /** By cell; undefined where there is one run only. */
  readonly #runIds = new Map<number | undefined, string>()
  readonly #cells: readonly (number | undefined)[]
  readonly #ended = new Map<number, CellResult>()
  #swept: SweepResult | undefined
  readonly #shown: string[] = []

  constructor(drawn: Case, server: ServerUnderTest, time: ChaosClock, story: Story) {
    this.#case = drawn
    this.#cells = cellsOf(drawn)
    this.#server = server
    this.#time = time
    this.#clock = runnerClock(time, drawn.clocks.runner)
    this.#story = story
    this.#random = new Random(`${drawn.id}/keys`)
    const GITHUB_RUN_ATTEMPT = drawn.replays ? '2' : '1'
    this.#env = { ...WORKFLOW, GITHUB_RUN_ATTEMPT, ...variablesOf(inputsOf(drawn, server)) }
    this.#died = new Promise((resolve) => {
      this.#die = resolve
    })
  }

  async run(): Promise<Observation[]> {
    const server = this.#server
    const drawn = this.#case
    if (drawn.replays) {
      await server.leave(this.#nameBefore())
      this.#time.advance(EARLIER_MS)
    }
    await server.prepare()
    const mains = await this.#within(this.#main())
    await server.up()
    const atMainEnd = heldOf(drawn, server)
    const mainEnd = server.requests.length
    if (drawn.recovers) server.recover()
    const post = await this.#within(this.#post())
    const atPostEnd = heldOf(drawn, server)
    this.#time.advance(AFTERWARDS_MS)
    const given = this.#cells.map((cell) => ({ ...KILLED, runId: this.#runIds.get(cell) }))
    return observationsOf(drawn, server, {
      mains: mains === 'hung' ? given : mains,
      atMainEnd,
      atPostEnd,
      mainEnd,
      saved: this.#env,
      post: post === 'hung' ? undefined : post,
      outlived: false,
      cancelled: this.#cancellation.signal.aborted,
      shown: this.#shown.join('\n'),
      hung: mains === 'hung' || post === 'hung',
    })
  }

  /** What the first attempt of the job called its run. */
  #nameBefore(): string {
    const context = readWorkflowContext(this.#env)
    const identity = stepIdentity(context, '')
    const first = { workflowRunId: context.runId, attempt: 1, stepIdentity: identity }
    const { name } = chaosPipelines[this.#case.pipeline].spec
    return `${stepNamePrefix(namedRequester(first, {}), name)}0123456789ab`
  }

  async #main(): Promise<Ending[]> {
    const { signal } = this.#cancellation
    const http = this.#http(this.#case.interruptions.map((interruption) => this.#deed(interruption)))
    const log = new WorkflowLog((text) => this.#print('main', text))
    const reporter = { tell: (event: RunEvent) => this.#tell(event, log) }
    const mask = (secret: string): void => log.mask(secret)
    const sources = { env: this.#env, readFile, mask, parseServerUrl }
    const given =
      this.#case.sweep === undefined
        ? { kind: 'run' as const, inputs: (await readInputs(sources)).inputs }
        : { kind: 'sweep' as const, inputs: (await readSweepInputs(sources)).inputs }
    const connection = await openClient({ inputs: given.inputs, http, clock: this.#clock, log, reporter })
    const { client } = connection
    const { serverUrl } = client
    const { onCancel } = given.inputs
    const { workflowRunUrl } = readWorkflowContext(this.#env)
    const facts = { serverUrl, named: named(given.inputs.server), onCancel, workflowRunUrl }
    const journal = new PostStepJournal(facts, (name, value) => this.#keep(name, log.redact(value)))
    const deps = {
      client: client.with({ signal }),
      clock: this.#clock,
      reporter,
      newKey: () => this.#newKey(),
      timeLimit: (ms: number) => this.#time.timeLimit(ms),
      signal,
    }
    const work =
      given.kind === 'run'
        ? startAndFollowRun(requestFromInputs(given.inputs, this.#env), { ...deps, journal }).then(
            (result): Ending[] => [
              {
                ...result,
                green: result.error === undefined,
                line: result.error ?? `The run ${result.conclusion}`,
                unforeseen: '',
              },
            ],
          )
        : this.#sweep(requestFromInputs(given.inputs, this.#env), deps, journal)
    const ended = work.catch((error: unknown) =>
      this.#cells.map((cell) => endingOf(error, this.#runIds.get(cell))),
    )
    const endings = await Promise.race([ended, this.#died])
    this.#isOver = true
    connection.close()
    const told = endings === 'dead' ? this.#cells.map((cell) => this.#killed(cell)) : endings
    this.#shown.push(log.redact(JSON.stringify(told)))
    this.#say(`main: ${JSON.stringify(told)}`)
    return told
  }

  async #sweep(
    request: SweepRequest,
    deps: Omit<SweepDependencies, 'journalOf'>,
    journal: PostStepJournal,
  ): Promise<Ending[]> {
    await runSweep(request, { ...deps, journalOf: ({ number }) => journal.ofCell(number) })
    journal.settled()
    const results = this.#swept?.cells.toSorted((a, b) => a.cell.number - b.cell.number) ?? []
    return results.map(endingOfCell)
  }

  /** What came before a kill was told. */
  #killed(cell: number | undefined): Ending {
    const result = cell === undefined ? undefined : this.#ended.get(cell)
    return result === undefined ? { ...KILLED, runId: this.#runIds.get(cell) } : endingOfCell(result)
  }

  /** Undefined if it had nothing to say. */
  async #post(): Promise<PostWords | undefined> {
    let printed = ''
    const log = new WorkflowLog((text) => {
      printed += text
      this.#print('post', text)
    })
    let unforeseen = ''
    try {
      await lookAfterMain(this.#env, {
        log,
        clock: this.#clock,
        timeLimit: (ms) => this.#time.timeLimit(ms),
        openHttp: () => this.#http([]),
      })
    } catch (error) {
      unforeseen = error instanceof Error ? (error.stack ?? error.message) : String(error)
    }
    return printed === '' && unforeseen === '' ? undefined : { printed, unforeseen }
  }

  #http(deeds: readonly Deed[]): BoundaryHttp {
    const hangs = this.#case.faults.some((fault) => fault.do.kind === 'hang')
    return new BoundaryHttp({
      server: this.#server.simulator,
      deeds,
      limits: { exchangeMs: hangs ? HANG_LIMIT_MS : LOAD_LIMIT_MS },
      note: (line) => this.#say(line),
      onTimeout: () => this.#time.advance(ACTION_EXCHANGE_MS),
    })
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

  #newKey(): string {
    const hex = Array.from({ length: 8 }, () =>
      this.#random.int(0, 0xffff).toString(16).padStart(4, '0'),
    ).join('')
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
  }

  async #within<T>(work: Promise<T>): Promise<T | 'hung'> {
    let timer: NodeJS.Timeout | undefined
    this.#heardAt = performance.now()
    const limit = new Promise<'hung'>((resolve) => {
      timer = setInterval(() => {
        const isSilent = performance.now() - this.#heardAt > SILENCE_MS
        if (!isSilent && this.#time.elapsed() < LONGEST_CASE_MS) return
        this.#cancellation.abort(new Cancelled('given up'))
        resolve('hung')
      }, LOOK_EVERY_MS)
    })
    return Promise.race([work, limit]).finally(() => clearInterval(timer))
  }

  #tell(event: RunEvent, log: WorkflowLog): void {
    // The outputs are written right then, and outlive the process.
    if (event.kind === 'started' || event.kind === 'resumed') this.#runIds.set(undefined, event.run.id)
    if (event.kind === 'cell' && (event.event.kind === 'started' || event.event.kind === 'resumed')) {
      this.#runIds.set(event.cell.number, event.event.run.id)
    }
    if (event.kind === 'cell-ended') this.#ended.set(event.result.cell.number, event.result)
    if (event.kind === 'swept') this.#swept = event.result
    const text = log.redact(JSON.stringify(event))
    this.#shown.push(text)
    this.#say(`  ${text}`)
  }

  /** What a main that was killed still does never happened. */
  #keep(name: string, value: string): void {
    if (this.#isOver) return
    this.#env[`STATE_${name}`] = value
    this.#shown.push(value)
    this.#say(`  saved ${name} ${value}`)
  }

  #print(who: string, text: string): void {
    const visible = visibleIn(text)
    this.#shown.push(visible)
    if (visible.trim() !== '') this.#say(`${who}: ${visible.trimEnd()}`)
  }

  #say(line: string): void {
    this.#heardAt = performance.now()
    this.#story.line(this.#time.now(), line)
  }
}
