import { showOnOneLine } from '../../base/printable.ts'
import type { ChildRun } from '../../zenml/model.ts'
import { runPhase } from '../../zenml/status.ts'
import { leftOf, worstOf, type Left, type StopResult } from './stop-result.ts'

/** Of one run and all below it, itself included; each is asked, and then looked at every other second. */
const MOST_RUNS = 50

const TOO_MANY: Left = {
  kind: 'going-on',
  who: '',
  does: `there are more than ${MOST_RUNS - 1} child runs, and no more than that are stopped at a time`,
  count: 1,
}

const MAX_NAME_LENGTH = 100

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
  readonly #begun = new Map<string, Begun>()
  #areTooMany = false

  /** @param family the ids of all runs that are seen to, from the topmost on; each is seen to once, by whoever finds it first */
  constructor(family: Set<string>, stop: (child: ChildRun) => Promise<StopResult>) {
    this.#family = family
    this.#stop = stop
  }

  /**
   * Begins to stop those of the runs that go on, each once until it has ended.
   *
   * @returns whether any goes on
   */
  stop(runs: readonly ChildRun[]): boolean {
    const going = runs.filter(({ id, status }) => runPhase(status) === 'going-on' && this.#isOurs(id))
    for (const child of going) {
      const known = this.#begun.get(child.id)
      if (known === undefined || (known.stopped !== undefined && isOver(known.stopped))) this.#begin(child)
    }
    return going.length > 0
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
    return !this.#areTooMany && all.every(isOver)
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
    return worstOf(
      [...this.#begun.values()].map(({ child, stopped }) => stopped && leftOf(stopped, shown(child))),
    )
  }
}

function isOver({ kind }: StopResult): boolean {
  return kind === 'ended' || kind === 'gone'
}

/** "The", not "its": it may be a child run of a child run. */
function shown({ id, name }: ChildRun): string {
  return `the child run "${showOnOneLine(name, MAX_NAME_LENGTH)}" (${id})`
}
