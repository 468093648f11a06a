import type { Journal, PlannedRun, StartedRun } from '../run/journal.ts'
import { saveState } from './outputs.ts'

/** Keeps what this step's own post step must know: the runner reads the state file even if this process is killed. */
export class RunJournal implements Journal {
  planned(run: PlannedRun): void {
    saveState('planned', JSON.stringify(run))
  }

  started(run: StartedRun): void {
    saveState('started', JSON.stringify(run))
  }
}
