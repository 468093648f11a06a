/** One thing that is wrong with one input. */
export interface InputFault {
  /** Name of the input, in kebab-case. */
  readonly input: string
  /** Names the input, the problem and the fix, on one line; never holds a secret. */
  readonly line: string
}

/** @param problem what is wrong, and the fix */
export function inputFault(input: string, problem: string): InputFault {
  return { input, line: `${input}: ${problem}` }
}

/** The step cannot start as it is written. The message lists every fault, one per line. */
export class InputFaults extends Error {
  override readonly name = 'InputFaults'
  readonly faults: readonly InputFault[]

  constructor(faults: readonly InputFault[]) {
    super(faults.map((fault) => fault.line).join('\n'))
    this.faults = faults
  }
}
