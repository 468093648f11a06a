import type { Case } from './draw.ts'
import type { Ending, HeldRun, Observation } from './ending.ts'
import { endingOfPost, hasFailedFast, isSettled, KILLED, namesOfCell, type PostWords } from './endings.ts'
import type { ServerUnderTest } from './server-under-test.ts'

/** The runs that were wanted: the numbers of a sweep's cells, or one without a number. */
export function cellsOf({ sweep }: Case): readonly (number | undefined)[] {
  return sweep === undefined ? [undefined] : Array.from({ length: sweep.cells }, (_, index) => index + 1)
}

/** What the server holds of each run that was wanted. */
export function heldOf(drawn: Case, server: ServerUnderTest): HeldRun[][] {
  return cellsOf(drawn).map((cell) => server.ours(cell))
}

/** A case that is over, whichever way it was played. */
export interface Played extends Pick<Observation, 'cancelled' | 'shown' | 'hung'> {
  /** One for each run that was wanted. */
  readonly mains: readonly Ending[]
  readonly atMainEnd: readonly HeldRun[][]
  readonly atPostEnd: readonly HeldRun[][]
  /** How many requests had been sent when main ended. */
  readonly mainEnd: number
  /** What the post step got to know, as variables. */
  readonly saved: Readonly<Record<string, string | undefined>>
  /** Undefined if it said nothing. */
  readonly post: PostWords | undefined
  /** Whether main was still there when the post step came. */
  readonly outlived: boolean
}

/** All that is known of a case at its end. One observation for each run that was wanted. */
export function observationsOf(drawn: Case, server: ServerUnderTest, played: Played): Observation[] {
  const { mains, atMainEnd, atPostEnd, mainEnd, saved, post, outlived, shown, hung } = played
  const all = server.ours().map(({ id }) => id)
  const cells = cellsOf(drawn)
  const isAllSettled = cells.every((cell) => isSettled(saved, cell))
  const cancelled = played.cancelled || hasFailedFast(drawn, mains)
  return cells.map((cell, index): Observation => {
    const later = server.ours(cell)
    const isOwn = (id: string): boolean => later.some((run) => run.id === id) || !all.includes(id)
    const settled = isSettled(saved, cell)
    const isSilent = cell !== undefined && settled
    // What it sends for other cells is theirs.
    const isCounted = !outlived && (cell === undefined || isAllSettled)
    return {
      main: mains[index] ?? KILLED,
      settled,
      post: isSilent ? undefined : endingOfPost(post, namesOfCell(saved, cell, later)),
      atMainEnd: atMainEnd[index] ?? [],
      atPostEnd: atPostEnd[index] ?? [],
      later,
      endedByMain: server.askedToEnd(0, mainEnd).filter(isOwn),
      endedByPost: server.askedToEnd(mainEnd).filter(isOwn),
      postRequests: isCounted ? server.requests.length - mainEnd : undefined,
      vanished: server.vanished,
      tampered: server.tampered,
      cancelled,
      shown,
      secrets: server.secrets(),
      hung,
    }
  })
}
