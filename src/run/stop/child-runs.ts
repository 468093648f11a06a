import { showOnOneLine } from '../../base/printable.ts'
import type { ChildRun } from '../../zenml/model.ts'
import { runPhase } from '../../zenml/status.ts'
import { withoutDeed, type Stopped } from './stopped.ts'

/** Of one run and all below it, itself included; each is asked, and then looked at every other second. */
const MOST_RUNS = 50

const MAX_NAME_LENGTH = 100

/** A child run, and what came of stopping it as soon as that is known. */
interface Begun {
  readonly child: ChildRun
  readonly stopping: Promise<Stopped>
  stopped?: Stopped
}

/**
 * The child runs of a run that is being stopped. ZenML stops none of them with their parent, and a parent can call one even
 * after it was asked to stop, until its process notices (seen on 0.98.0).
 */
export class ChildRuns {
  readonly #family: Set<string>
  readonly #stop: (child: ChildRun) => Promise<Stopped>
  readonly #begun = new Map<string, Begun>()
  #areTooMany = false

  /** @param family the ids of all runs that are seen to, from the topmost on; each is seen to once, by whoever finds it first */
  constructor(family: Set<string>, stop: (child: ChildRun) => Promise<Stopped>) {
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
  async together(own: Stopped): Promise<Stopped> {
    if (own.kind === 'gone' || (await this.haveEnded())) return own
    const left = [...this.#begun.values()].flatMap(({ child, stopped }) =>
      stopped === undefined || isOver(stopped) ? [] : [{ child, stopped }],
    )
    const [first, ...others] = left.sort((a, b) => weightOf(b.stopped) - weightOf(a.stopped))
    const { status } = own
    const tooMany = `there are more than ${MOST_RUNS - 1} child runs, the most that are stopped at a time`
    const clause = first === undefined ? tooMany : clauseFor(first.child, first.stopped, others.length)
    if (own.kind === 'going-on' || own.kind === 'unknown') return { ...own, why: `${own.why}; ${clause}` }
    const isLeftOver = own.kind === 'ended'
    if (this.#areTooMany) return { kind: isLeftOver ? 'left-over' : 'going-on', status, why: tooMany }
    if (first?.stopped.kind === 'asked') return { kind: 'asked', status, left: clause }
    if (isLeftOver) return { kind: 'left-over', status, why: clause }
    return { kind: first?.stopped.kind === 'unknown' ? 'unknown' : 'going-on', status, why: clause }
  }
}

function isOver({ kind }: Stopped): boolean {
  return kind === 'ended' || kind === 'gone'
}

/** What a person has to hear of first. */
function weightOf({ kind }: Stopped): number {
  return ['asked', 'left-over', 'unknown', 'going-on'].indexOf(kind)
}

function clauseFor({ id, name }: ChildRun, stopped: Stopped, more: number): string {
  const others = more === 0 ? '' : ` (and ${more} more)`
  const who = `its child run "${showOnOneLine(name, MAX_NAME_LENGTH)}" (${id})${others}`
  switch (stopped.kind) {
    case 'going-on':
      return `${who} keeps running: ${withoutDeed(stopped.why)}`
    case 'unknown':
      return `${who} may still be running: ${withoutDeed(stopped.why)}`
    case 'left-over':
      return stopped.why
    case 'asked':
      return stopped.left ?? `${who} was ${stopped.status} when last seen`
    case 'ended':
    case 'gone':
      return `${who} is ${stopped.status}`
  }
}
