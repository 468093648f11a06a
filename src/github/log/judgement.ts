import type { Comparison } from '../../run/facts.ts'
import type { Verdict } from '../../run/outcome/evaluate-expectations.ts'
import { inline, LONG, type WorkflowLog } from './workflow-log.ts'

/** Such as `Compared with the run training-12 (baseline: main): https://…`; or why it was not. */
export function comparedLine({ input, baseline, missing }: Comparison): string {
  if (baseline !== undefined) {
    const where = baseline.url === undefined ? '' : `: ${inline(baseline.url, LONG)}`
    return `Compared with the run ${inline(baseline.name)} (baseline: ${inline(input)})${where}`
  }
  return `Not compared (baseline: ${inline(input)}): ${inline(missing ?? '', LONG)}`
}

/** A line for each condition that was checked, and one warning for all that were not. */
export function tellVerdicts(verdicts: readonly Verdict[], log: WorkflowLog): void {
  for (const verdict of verdicts) if (verdict.isUnchecked !== true) log.info(verdictLine(verdict))
  warnUnchecked(verdicts, log)
}

/** A gate that is not closed must be seen: one warning for all conditions that were not checked. */
export function warnUnchecked(verdicts: readonly Verdict[], log: WorkflowLog): void {
  const unchecked = verdicts.filter(({ isUnchecked }) => isUnchecked)
  const [first] = unchecked
  if (first === undefined) return
  const conditions = unchecked.map(({ wanted }) => inline(wanted, LONG)).join('; ')
  log.warning(`${conditions} (${inline(first.got, LONG)})`, { title: 'Expectation not checked' })
}

function verdictLine({ wanted, held, got }: Verdict): string {
  return `${held ? 'Expectation met' : 'Expectation not met'}: ${inline(wanted, LONG)}, got ${inline(got, LONG)}`
}
