import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import {
  parseFileCommand,
  startAction,
  type ActionOptions,
  type ActionResult,
  type RunningAction,
} from '../e2e/action.ts'
import { SETTLED_CELL } from '../src/github/post-step-state.ts'
import { realClock, startSimulator, type SimulatorClock } from '../simulator/index.ts'
import { TRIGGER_PATH, STOP_PATH } from './boundary-http.ts'
import type { Boundary, Case, Interruption } from './draw.ts'
import { skewAt } from './chaos-clock.ts'
import type { Skew } from './draw-clocks.ts'
import { givenUpEndings, mainEndings, unforeseenIn } from './dist-endings.ts'
import type { Observation } from './ending.ts'
import { inputsOf } from './inputs.ts'
import { visibleIn } from './log-text.ts'
import { heldOf, observationsOf } from './observed.ts'
import { Random } from './random.ts'
import { ServerUnderTest } from './server-under-test.ts'
import type { Story } from './story.ts'

/** How much faster than real time server and action live; faster, and their round trips would look like seconds. */
const SPEED = 12

/** What the runner sends to cancel a step, and how long it waits after each, in its own time. */
const CANCEL_SIGNALS = [
  ['SIGINT', 7_500],
  ['SIGTERM', 2_500],
  ['SIGKILL', 0],
] as const

/** Time in which all that the server still works on comes to light. */
const AFTERWARDS_MS = 400_000

/** Real time; the longest cases wait for a lost server, which takes ten minutes of their own. */
const GIVE_UP_MS = 120_000

const LOOK_EVERY_MS = 2

/** A server's time that can be moved on at the end of a case. */
class MovableClock implements SimulatorClock {
  readonly #real = realClock(SPEED)
  readonly epoch = this.#real.now()
  readonly #skew: Skew
  #ahead = 0

  constructor(skew: Skew) {
    this.#skew = skew
  }

  now(): number {
    const now = this.#real.now()
    return now + this.#ahead + skewAt(this.#skew, now - this.epoch)
  }

  sleep(ms: number): Promise<void> {
    return this.#real.sleep(ms)
  }

  advance(ms: number): void {
    this.#ahead += ms
  }
}

/**
 * Plays a case through dist/main.js or dist/sweep.js, and dist/post.js, as the runner would, at a real clock's speed.
 * One observation for each run wanted.
 */
export function throughDist(nodePath: string): (drawn: Case, story: Story) => Promise<Observation[]> {
  return async (drawn, story) => {
    const clock = new MovableClock(drawn.clocks.server)
    const server = await startSimulator({ ...ServerUnderTest.options(drawn), clock })
    const folder = await mkdtemp(path.join(tmpdir(), 'chaos-'))
    const under = new ServerUnderTest(drawn, server)
    const play = new Play({ drawn, server: under, clock, story, folder, nodePath })
    try {
      return await play.run()
    } finally {
      await under.up()
      await server.close()
      await rm(folder, { recursive: true, force: true })
    }
  }
}

/** Whose post step has the inputs of sweep/. */
const SWEEP_FOLDER = path.join(import.meta.dirname, '..', 'sweep')

/** What the runner reads of a main, whichever way it ended. */
const WRITTEN_BY_MAIN = ['state', 'output'] as const
type WrittenByMain = (typeof WRITTEN_BY_MAIN)[number]

interface PlayOptions {
  readonly drawn: Case
  readonly server: ServerUnderTest
  readonly clock: MovableClock
  readonly story: Story
  /** Empty, and removed afterwards. */
  readonly folder: string
  readonly nodePath: string
}

class Play {
  readonly #options: PlayOptions
  /** A main that the runner could not end: in a container it gets no signal. */
  readonly #outlives: boolean
  #cancelled = false
  #hung = false
  #noted = 0
  /** The lines of main so far. */
  readonly #printed: string[] = []

  constructor(options: PlayOptions) {
    this.#options = options
    this.#outlives = new Random(`${options.drawn.id}/outlives`).chance(0.3)
  }

  async run(): Promise<Observation[]> {
    const { server, clock, drawn } = this.#options
    await server.prepare()
    for (const name of WRITTEN_BY_MAIN) await writeFile(this.#file(name), '')
    const running = await startAction(this.#action('main', {}))
    const left = await this.#follow(running)
    // The runner reads the files when it gives main up, and leaves them where they are: nobody reads what comes later.
    const state = await this.#written('state')
    const outputs = await this.#written('output')
    const stdout = this.#printed.join('\n')
    const sentByMain = server.requests.length
    const early = left ? await this.#post(state) : undefined
    // With the job ends its container.
    if (left) running.signal('SIGKILL')
    const main = { ...(await running.done), state, outputs }
    await server.up()
    const atMainEnd = heldOf(drawn, server)
    const mainEnd = left ? sentByMain : server.requests.length
    this.#tellResult('main', main)
    if (drawn.recovers) server.recover()
    const post = early ?? (await this.#post(state))
    const atPostEnd = heldOf(drawn, server)
    clock.advance(AFTERWARDS_MS)
    return observationsOf(drawn, server, {
      mains: left
        ? givenUpEndings(drawn, { stdout, outputs }, atMainEnd)
        : mainEndings(drawn, main, atMainEnd),
      atMainEnd,
      atPostEnd,
      mainEnd,
      saved: stateVariables({ ...state, ...laterCells(await this.#read('state'), state) }),
      post: { printed: post.stdout, unforeseen: unforeseenIn(post.stdout, post.stderr) },
      outlived: left,
      cancelled: this.#cancelled,
      shown: [main, post].map(shownOf).join('\n'),
      hung: this.#hung,
    })
  }

  /** Does what is due at each boundary until main has ended; true if main was left alive for its post step. */
  async #follow(running: RunningAction): Promise<boolean> {
    const main = { ended: false }
    const end = running.done.finally(() => {
      main.ended = true
    })
    const until = performance.now() + GIVE_UP_MS
    // The runner gives a step up ten seconds after it has cancelled it; by then its main has begun.
    while (this.#outlives && !main.ended && (await this.#read('state')) === '') await delay(LOOK_EVERY_MS)
    let waiting = [...this.#options.drawn.interruptions]
    while (!main.ended) {
      const due = waiting.filter(({ at }) => this.#isReached(at))
      waiting = waiting.filter((each) => !due.includes(each))
      for (const interruption of due) {
        this.#say(`⚡ ${JSON.stringify(interruption)}`)
        if (interruption.kind === 'kill' && this.#outlives) return true
        this.#act(interruption, running)
      }
      if (performance.now() > until) {
        this.#hung = true
        running.signal('SIGKILL')
      }
      await Promise.race([end, delay(LOOK_EVERY_MS)])
    }
    return false
  }

  #isReached({ route, nth, moment }: Boundary): boolean {
    const requests = this.#options.server.requests.filter(({ method, path: target }) => {
      const pathname = target.replace(/\?.*/, '')
      if (route === 'trigger') return method === 'POST' && TRIGGER_PATH.test(pathname)
      return route === 'any' || STOP_PATH.test(pathname)
    })
    if (moment === 'before') return nth === 1 || requests[nth - 2]?.status !== undefined
    const request = requests[nth - 1]
    return moment === 'arrived' ? request !== undefined : request?.status !== undefined
  }

  #act(interruption: Interruption, running: RunningAction): void {
    switch (interruption.kind) {
      case 'cancel':
        this.#cancelled = true
        void this.#cancel(running)
        return
      case 'kill':
        running.signal('SIGKILL')
        return
      case 'restart':
      case 'expire-tokens':
      case 'vanish':
      case 'unknown-state':
        this.#options.server.suffer(interruption)
        return
    }
  }

  /** As the runner cancels a step. */
  async #cancel(running: RunningAction): Promise<void> {
    for (const [signal, pauseMs] of CANCEL_SIGNALS) {
      if (!running.signal(signal)) return
      await delay(pauseMs / SPEED)
    }
  }

  async #post(state: Readonly<Record<string, string>>): Promise<ActionResult> {
    const running = await startAction(this.#action('post', state))
    const timer = setTimeout(() => {
      this.#hung = true
      running.signal('SIGKILL')
    }, GIVE_UP_MS)
    const post = await running.done
    clearTimeout(timer)
    this.#tellResult('post', post)
    return post
  }

  async #written(name: WrittenByMain): Promise<Record<string, string>> {
    return parseFileCommand(await this.#read(name))
  }

  async #read(name: WrittenByMain): Promise<string> {
    return readFile(this.#file(name), 'utf8')
  }

  #file(name: WrittenByMain): string {
    return path.join(this.#options.folder, name)
  }

  #action(entry: 'main' | 'post', state: Readonly<Record<string, string>>): ActionOptions {
    const { nodePath, clock } = this.#options
    const files = { GITHUB_STATE: this.#file('state'), GITHUB_OUTPUT: this.#file('output') }
    const isSweep = this.#options.drawn.sweep !== undefined
    return {
      entry: isSweep && entry === 'main' ? 'sweep' : entry,
      ...(isSweep && entry === 'post' ? { actionDir: SWEEP_FOLDER } : {}),
      inputs: inputsOf(this.#options.drawn, this.#options.server),
      state,
      nodePath,
      env: {
        ...(entry === 'main' ? files : {}),
        NODE_OPTIONS: `--import=${pathToFileURL(path.join(import.meta.dirname, 'fast-time.mjs')).href}`,
        CHAOS_SPEED: String(SPEED),
        CHAOS_EPOCH: String(clock.epoch),
        CHAOS_SKEW: JSON.stringify(this.#options.drawn.clocks.runner),
      },
      onLine: (line) => {
        if (entry === 'main') this.#printed.push(line)
        this.#say(`${entry}: ${line}`)
      },
    }
  }

  #tellResult(entry: string, { exitCode, signal, outputs }: ActionResult): void {
    this.#say(`${entry} ended: ${JSON.stringify({ exitCode, signal, outputs })}`)
  }

  #say(line: string): void {
    const { story, clock, server } = this.#options
    for (const { at, method, path: target, status } of server.simulator.requests.slice(this.#noted)) {
      story.line(at, `${method} ${target} → ${String(status ?? 'no answer yet')}`)
    }
    this.#noted = server.simulator.requests.length
    story.line(clock.now(), line)
  }
}

/** What main has saved since then of cells that were not over. */
function laterCells(text: string, state: Readonly<Record<string, string>>): Record<string, string> {
  const saved = [...text.matchAll(/^(cell_\d+)<<(\S+)\n([^\n]*)\n\2$/gm)]
  const pairs = saved.map(([, name = '', , value = '']) => [name, value] as const)
  return Object.fromEntries(
    pairs.filter(([name, value]) => state[name] !== SETTLED_CELL && value !== SETTLED_CELL),
  )
}

/** What was saved, as the runner hands it to the post step. */
function stateVariables(state: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(state).map(([name, value]) => [`STATE_${name}`, value]))
}

/** All that was printed or saved, less the commands that ask the runner to hide a secret. */
function shownOf({ stdout, stderr, outputs, state, summary }: ActionResult): string {
  return [visibleIn(stdout), stderr, JSON.stringify([outputs, state]), summary].join('\n')
}
