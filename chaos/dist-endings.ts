import { z } from 'zod'
import type { ActionResult } from '../e2e/action.ts'
import { parseJson } from '../src/base/json.ts'
import type { Case } from './draw.ts'
import type { Ending, HeldRun } from './ending.ts'
import { conclusionOfNone, KILLED } from './endings.ts'
import { lastLineOf } from './log-text.ts'
import { cellsOf } from './observed.ts'

/** What the output `runs` says of a cell. */
const Entry = z.object({
  cell: z.number(),
  'run-id': z.string().nullable(),
  status: z.string().nullable(),
  conclusion: z.string(),
  error: z.string().nullable(),
})
type Entry = z.infer<typeof Entry>

/** How the log says that a cell ended, and what that is called elsewhere. */
const SAID_ENDS: Readonly<Record<string, string>> = {
  completed: 'completed',
  failed: 'failed',
  stopped: 'stopped',
  cancelled: 'cancelled',
  'timed out': 'timed-out',
  'outcome unknown': 'lost',
}

/** What a main that was played through dist left behind for each run that was wanted. */
export function mainEndings(drawn: Case, main: ActionResult, held: readonly HeldRun[][]): Ending[] {
  const step = endingOf(main)
  if (drawn.sweep === undefined) return [step]
  const cells = cellsOf(drawn)
  const entries = z.array(Entry).parse(parseJson(main.outputs['runs'] ?? '[]') ?? [])
  if (entries.length > 0) {
    const unforeseen =
      step.unforeseen === '' ? contradiction(step, main.outputs['completed'], entries) : step.unforeseen
    return cells.map((cell) => {
      const entry = entries.find((each) => each.cell === cell)
      return entry === undefined ? KILLED : { ...endingOfEntry(entry, step.green), unforeseen }
    })
  }
  if (step.conclusion !== undefined) return cells.map(() => step)
  return cells.map((cell, index) => endingInLog(main.stdout, cell, held[index] ?? []))
}

/** The same of a main that was still there when the runner gave it up: nobody reads how it ended. */
export function givenUpEndings(
  drawn: Case,
  { stdout, outputs }: Pick<ActionResult, 'stdout' | 'outputs'>,
  held: readonly HeldRun[][],
): Ending[] {
  if (drawn.sweep === undefined) return [{ ...KILLED, runId: outputs['run-id'] }]
  return cellsOf(drawn).map((cell, index) => endingInLog(stdout, cell, held[index] ?? []))
}

function endingOfEntry(
  { status, conclusion, error, ...entry }: Entry,
  stepGreen: boolean | undefined,
): Ending {
  const isStarted = conclusion !== 'not-started'
  return {
    conclusion: isStarted ? conclusion : conclusionOfNone(error ?? ''),
    status: status ?? '',
    runId: entry['run-id'] ?? undefined,
    green: stepGreen === undefined ? undefined : error === null,
    line: isStarted ? (error ?? `The run ${conclusion}`) : 'Nothing was started',
    unforeseen: '',
  }
}

/** Where the step says something else than its cells do; empty if it does not. */
function contradiction(
  { green, conclusion }: Ending,
  completed: string | undefined,
  entries: readonly Entry[],
): string {
  const good = entries.filter((entry) => entry.conclusion === 'completed').length
  if (completed !== String(good))
    return `${String(good)} cells completed, but the output says ${String(completed)}`
  if (green === undefined || conclusion === 'cancelled') return ''
  return green === (good === entries.length)
    ? ''
    : `${String(good)} of ${String(entries.length)} cells completed, and the step is ${conclusion ?? ''}`
}

/** What the log of a step that was killed says last of a cell. */
function endingInLog(log: string, cell: number | undefined, held: readonly HeldRun[]): Ending {
  const ours = new RegExp(`Cell ${String(cell)} of \\d+ (.*)`)
  let ending = KILLED
  for (const line of log.split('\n')) {
    const said = ours.exec(line)?.[1]
    if (said === undefined) continue
    const runId = /^(?:started|reattached).*\/runs\/([0-9a-f-]{36})/.exec(said)?.[1]
    if (runId !== undefined) ending = { ...ending, runId }
    const [, known] = Object.entries(SAID_ENDS).find(([words]) => said.startsWith(words)) ?? []
    const conclusion = /^completed\b[^:]*, but not as expected/.test(said) ? 'expectation-missed' : known
    const status = held.find(({ id }) => id === ending.runId)?.status ?? ''
    if (conclusion !== undefined) ending = { ...ending, conclusion, status, line }
  }
  return ending
}

function endingOf(result: ActionResult): Ending {
  const { outputs, signal, exitCode, stdout, stderr } = result
  const conclusion = outputs['conclusion'] ?? ''
  return {
    conclusion: conclusion === '' ? undefined : conclusion,
    status: outputs['status'] ?? '',
    runId: outputs['run-id'],
    // The exit code of a killed step counts for nothing.
    green: signal === null ? exitCode === 0 : undefined,
    line: lastLineOf(stdout),
    unforeseen: unforeseenIn(stdout, stderr),
  }
}

/** What a step printed that no step should; empty if it did not. */
export function unforeseenIn(stdout: string, stderr: string): string {
  const isOdd = stdout.includes('Something that should not happen did') || stderr !== ''
  return isOdd ? `${stdout.split('\n').slice(-5).join('\n')}${stderr}` : ''
}
