import { showOnOneLine } from '../../base/printable.ts'
import type { ChildRun, RunParts } from '../../zenml/model.ts'
import { isNotFound, isZenmlError, type ZenmlError } from '../../zenml/errors.ts'
import { isPassing } from '../../zenml/retry.ts'
import { runPhase } from '../../zenml/status.ts'
import { goingChildRuns } from '../watch/going-child-runs.ts'
import { unfinishedSteps } from '../watch/is-over.ts'
import { leftOf, withoutDeed, worstOf, type Left, type StopResult } from './stop-result.ts'

/** Of one run and all below it, itself included; each is asked, and then looked at every other second. */
const MOST_RUNS = 50

const TOO_MANY: Left = {
  kind: 'going-on',
  who: '',
  does: `there are more than ${MOST_RUNS - 1} child runs, and no more than that are stopped at a time`,
  count: 1,
}

/** Of those that failed or were stopped; each is read once or twice. */
const MOST_READ = 500

const UNREAD: Left = {
  kind: 'unknown',
  who: '',
  does: `more than ${MOST_READ} child runs failed or were stopped, and what the others have called was not read`,
  count: 1,
}

const MAX_NAME_LENGTH = 100

type Parts = Pick<RunParts, 'steps' | 'childRuns'>

/** A child run, and what came of stopping it as soon as that is known. */
interface Begun {
  readonly child: ChildRun
  readonly stopping: Promise<StopResult>
  stopped?: StopResult
}

/**
 * The child runs of a run that is being stopped. ZenML stops none of them with their parent, and a parent can call one even
 * after it was asked to stop, until its process notices (seen on 0.98.0).
 */
export class ChildRuns {
  readonly #family: Set<string>
  readonly #stop: (child: ChildRun) => Promise<StopResult>
  readonly #read: (id: string) => Promise<Parts>
  readonly #begun = new Map<string, Begun>()
  /** Those that failed or were stopped and were read; true: nothing of them or below them goes on. */
  readonly #readBelow = new Map<string, boolean>()
  /** What goes on, or may, of those that had ended when they were read; by their id. */
  readonly #leftOver = new Map<string, Left>()
  #areTooMany = false

  /**
   * @param family the ids of all runs that are seen to, from the topmost on; each is seen to once, by whoever finds it first
   * @param read gives the parts of one that has ended
   */
  constructor(
    family: Set<string>,
    stop: (child: ChildRun) => Promise<StopResult>,
    read: (id: string) => Promise<Parts>,
  ) {
    this.#family = family
    this.#stop = stop
    this.#read = read
  }

  /**
   * Begins to stop those of the runs that go on, also below one that has ended, each once until it has ended.
   *
   * @returns whether any goes on
   * @throws ZenmlError where it may be known at the next try what one that has ended has called
   */
  async stop(runs: readonly ChildRun[]): Promise<boolean> {
    this.#beginAll(runs)
    const going = await goingChildRuns(runs, async (ended) => this.#below(ended))
    return going.some(({ id }) => this.#isOurs(id))
  }

  #beginAll(runs: readonly ChildRun[]): void {
    for (const child of runs) {
      if (runPhase(child.status) !== 'going-on' || !this.#isOurs(child.id)) continue
      const known = this.#begun.get(child.id)
      if (known === undefined || (known.stopped !== undefined && isOver(known.stopped))) this.#begin(child)
    }
  }

  /** What one has called that has ended; those that go on are begun at once, whatever cannot be read beside them. */
  async #below(ended: ChildRun): Promise<readonly ChildRun[]> {
    const { id } = ended
    // Whoever stops one sees to what it has called as well.
    if (this.#family.has(id) || this.#readBelow.get(id) === true) return []
    if (this.#readBelow.size >= MOST_READ && !this.#readBelow.has(id)) {
      this.#leftOver.set('', UNREAD)
      return []
    }
    this.#readBelow.set(id, false)
    try {
      const { steps, childRuns } = await this.#read(id)
      this.#beginAll(childRuns)
      const running = unfinishedSteps(steps)
      if (running.length === 0) this.#leftOver.delete(id)
      else this.#leftOver.set(id, stepsLeft(ended, running))
      this.#readBelow.set(id, running.length === 0 && childRuns.every((each) => this.#isDone(each)))
      return childRuns
    } catch (error) {
      if (!isZenmlError(error) || isPassing(error)) throw error
      this.#readBelow.set(id, isNotFound(error))
      if (!isNotFound(error)) this.#leftOver.set(id, unreadBelow(ended, error))
      return []
    }
  }

  #isDone({ id, status }: ChildRun): boolean {
    return runPhase(status) === 'succeeded' || this.#readBelow.get(id) === true
  }

  /** One that something else of the family sees to is a circle. */
  #isOurs(id: string): boolean {
    return this.#begun.has(id) || !this.#family.has(id)
  }

  #begin(child: ChildRun): void {
    if (!this.#family.has(child.id) && this.#family.size >= MOST_RUNS) {
      this.#areTooMany = true
      return
    }
    this.#family.add(child.id)
    const begun: Begun = { child, stopping: this.#stop(child) }
    this.#begun.set(child.id, begun)
    // Nobody may be waiting yet.
    begun.stopping.then(
      (stopped) => (begun.stopped = stopped),
      () => undefined,
    )
  }

  /** Waits until what was begun has come to its end, and says whether all child runs have. */
  async haveEnded(): Promise<boolean> {
    const all = await Promise.all([...this.#begun.values()].map(({ stopping }) => stopping))
    return !this.#areTooMany && this.#leftOver.size === 0 && all.every(isOver)
  }

  /** What is known of a run together with its child runs: it has ended only if they have. */
  async together(own: StopResult): Promise<StopResult> {
    if (own.kind === 'gone' || (await this.haveEnded())) return own
    const left = this.#left()
    if (left === undefined) return own
    return own.kind === 'ended' ? { kind: 'left-over', status: own.status, left } : { ...own, left }
  }

  #left(): Left | undefined {
    if (this.#areTooMany) return TOO_MANY
    const left = [...this.#begun.values()].map(
      ({ child, stopped }) => stopped && leftOf(stopped, shown(child)),
    )
    return worstOf([...left, ...this.#leftOver.values()])
  }
}

/** ZenML no longer stops them, as those of a run that has ended itself; those of a failed one may have died with it. */
function stepsLeft(child: ChildRun, steps: readonly string[]): Left {
  const { status } = child
  const which = steps.join(', ')
  if (runPhase(status) === 'failed') {
    const does = `is ${status}, and these steps ran when ZenML last heard of them: ${which}`
    return { kind: 'last-heard', who: shown(child), does, count: 1 }
  }
  return {
    kind: 'going-on',
    who: shown(child),
    does: `is ${status}, and its steps still run: ${which}`,
    count: 1,
  }
}

function unreadBelow(child: ChildRun, { message }: ZenmlError): Left {
  return {
    kind: 'unknown',
    who: shown(child),
    does: `may have called others that still run: ${withoutDeed(message)}`,
    count: 1,
  }
}

function isOver({ kind }: StopResult): boolean {
  return kind === 'ended' || kind === 'gone'
}

/** "The", not "its": it may be a child run of a child run. */
function shown({ id, name }: ChildRun): string {
  return `the child run "${showOnOneLine(name, MAX_NAME_LENGTH)}" (${id})`
}
