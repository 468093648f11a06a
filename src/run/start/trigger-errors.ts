import type { TransportError } from '../../http/transport-error.ts'
import { UnreachableError } from '../../zenml/errors.ts'
import { RunError } from '../errors.ts'
import type { RunIdentity } from '../recovery-journal.ts'

/** A user's own name that another run has. */
export function nameTaken(name: string): RunError {
  return new RunError(
    `run-name: a run named "${name}" already exists, and run names must be unique. ` +
      `Make it unique, for example "${name.slice(0, 200)}-{date}-{time}" or with \${{ github.run_id }}-\${{ github.run_attempt }} ` +
      "and, in a matrix, the cell's value, or leave run-name out",
  )
}

/** The same, where the server shows no run of that name. */
export function nameTakenUnseen(name: string): RunError {
  return new RunError(
    `run-name: the server says that a run named "${name}" already exists, but shows none: the account may not read it, ` +
      'or its name differs only by an accent. Make the name unique, or leave run-name out',
  )
}

/** A name that was free before it was sent; nothing shows whether the run that has it now is ours. */
export function namesakeUnknown(name: string, id: string): RunError {
  return new RunError(
    `run-name: a run named "${name}" (${id}) appeared after this step checked the name, and nothing shows that this step ` +
      'started it. It was left alone; check it before you start another, and make the name unique, or leave run-name out',
    'lost',
  )
}

/** An answer that proves a start, about a run that cannot be shown to be this step's. */
export function startedAnother(run: RunIdentity): RunError {
  return new RunError(
    `The server answered the start with ${called(run)}, but nothing shows that this step started it. It was left alone; ` +
      'check it before you start another',
    'lost',
  )
}

/** The same, where the server would not show it. */
export function startedUnseen(run: RunIdentity, detail: string): RunError {
  return new RunError(
    `The server answered the start with ${called(run)}, which could not be read (${detail}). It was left alone; ` +
      'check it before you start another',
    'lost',
  )
}

function called({ id, name }: RunIdentity): string {
  return name === undefined ? `the run ${id}` : `the run "${name}" (${id})`
}

/** ZenML 0.96.0 and 0.96.1 keep the run that found no free slot, and with it its name; newer ones delete it. */
export function leftByFullQueue(name: string, reason: string): RunError {
  return new RunError(
    `The server had no free slot and left the failed run "${name}" behind: ${reason.replace(/[\s.]+$/, '')}. ` +
      'Run this step again later. From ZenML 0.96.2, the action waits for a slot instead',
  )
}

/** A no, which may not rule out that the run is started yet: by an earlier sending, or because it is not ZenML's. */
export function refused(refusal: string, name: string, mayHaveStarted: boolean): RunError {
  if (!mayHaveStarted) return new RunError(refusal)
  return new RunError(
    `${refusal}. A request that was sent may still start it: look for a run named "${name}"`,
    'lost',
  )
}

/** A request that cannot have arrived. */
export function unreachable(error: TransportError | UnreachableError): UnreachableError {
  return error instanceof UnreachableError ? error : new UnreachableError('start the run', error)
}

/** @param last what stood in the way at last; empty if nothing did */
export function outOfTime(name: string, last: string, mayHaveStarted: boolean): RunError {
  const known = mayHaveStarted
    ? `The server may still be working on it: look for a run named "${name}" before you start another`
    : 'Nothing was started'
  return new RunError(
    `No run could be started within trigger-timeout. ${last === '' ? '' : `Last: ${last}. `}${known}`,
    mayHaveStarted ? 'lost' : 'timed-out',
  )
}

/** A failure that hides whether a run was started must say so. */
export function startUnknown(name: string, detail: string): RunError {
  return new RunError(
    `Whether the run was started is not known (${detail}). If it was, it may still be running under the name "${name}"`,
    'lost',
  )
}
