import { isUuid } from '../src/zenml/model.ts'
import { runPhase } from '../src/zenml/status.ts'
import { mustReachResult, type Case } from './draw.ts'
import type { Ending, HeldRun, Observation } from './ending.ts'
import { showsSecret } from './secrecy.ts'

export type Offence = 'second run' | 'lost run' | 'unaccounted run' | 'wrong result' | 'leaked secret'

export interface Finding {
  readonly offence: Offence
  readonly text: string
}

/** Sentences by which a line says that nothing of the run goes on. */
const SAYS_ENDED =
  /It was stopped|was stopped and is now|had (completed|ended) before it could be stopped|The run (".*?" )?(failed|completed|was stopped|ended in the unknown state)/

/** Sentences by which a line admits that a run goes on, or may. */
const SAYS_GOING_ON =
  /keeps running|left running|may still be running|was asked to stop|is not known|check again later|look for a run named|It was left alone|no longer on the server/

/** The run has failed and other steps of it go on, which is as wished. */
const SAYS_STEPS_GO_ON = '(steps that keep running: '

/** Of a run that was followed, is out of sight, and is left alone. */
const SAYS_NOT_STOPPED = 'It was not stopped (on-lost: '

const SAYS_NOTHING_STARTED = /Nothing was started|before a run was started|No run was started/

/** Holds what was said against what the server holds. */
export function judge(drawn: Case, seen: Observation): Finding[] {
  const started = startedRuns(seen)
  const findings = [
    ...judgeCount(started),
    ...judgeManners(seen),
    ...judgeEndings(drawn, seen),
    ...judgeOutOfSight(drawn, seen),
    ...started.flatMap((run) => judgeKnown(seen, run)),
    ...started.flatMap((run) => judgeAccount(drawn, seen, run)),
    ...judgeEnded(seen, seen.main, seen.atMainEnd),
    ...(seen.post === undefined ? [] : judgeEnded(seen, seen.post, seen.atPostEnd)),
    ...judgeConclusion(drawn, seen, started),
    ...judgeResult(drawn, seen, started),
  ]
  return findings
}

/**
 * Runs that really began. A server without a free slot takes its own back, and one that was deleted before anybody
 * knew of it looks the same.
 */
function startedRuns({ later, vanished, main }: Observation): HeldRun[] {
  return later.filter(({ id, gone }) => !gone || (vanished.has(id) && id === main.runId))
}

function judgeCount(started: readonly HeldRun[]): Finding[] {
  if (started.length < 2) return []
  const shown = started.map(({ name, id }) => `${name} (${id})`).join(', ')
  return [{ offence: 'second run', text: `${String(started.length)} runs were started: ${shown}` }]
}

function judgeManners({ main, post, hung, shown, secrets }: Observation): Finding[] {
  const findings: Finding[] = []
  if (hung) findings.push(wrong('it never ended'))
  for (const { unforeseen } of [main, ...(post === undefined ? [] : [post])]) {
    if (unforeseen !== '') findings.push(wrong(`unforeseen: ${unforeseen.split('\n', 1).join('')}`))
  }
  if (showsSecret(shown, secrets))
    findings.push({ offence: 'leaked secret', text: 'a key or a token was shown' })
  return findings
}

/** A run that was started is never lost: its id is handed on, or its name stands in the last line. */
function judgeKnown({ main, post }: Observation, run: HeldRun): Finding[] {
  const ends = post === undefined ? [main] : [main, post]
  const known = ends.some(({ runId, line }) => runId === run.id || names(line, run))
  return known ? [] : [{ offence: 'lost run', text: `${run.name} was started, and nobody says so` }]
}

/** Nobody ends a run that is somebody else's, or one that is left on purpose. */
function judgeEndings(drawn: Case, seen: Observation): Finding[] {
  const { main, settled, later, endedByMain, endedByPost, postRequests } = seen
  const findings = [...endedByMain, ...endedByPost]
    .filter((ended) => later.every(({ id }) => id !== ended))
    .map((ended) => wrong(`${ended} is not a run of this step, and was to be ended`))
  if (settled && postRequests !== undefined && postRequests > 0) {
    findings.push(
      wrong(`nothing was left to see to, and the post step sent ${String(postRequests)} requests`),
    )
  }
  if (!isLeftOnPurpose(drawn, main)) return findings
  if (endedByPost.length > 0) findings.push(wrong('the post step ended a run that was left on purpose'))
  // Before it was known to begin, main may have ended one that never would.
  if (main.runId !== undefined && endedByMain.includes(main.runId)) {
    findings.push(wrong('main ended a run that was to be left'))
  }
  return findings
}

/** Whether nothing of what can have happened to the step was to end its run. */
function isLeftOnPurpose(drawn: Case, main: Ending): boolean {
  const { onCancel, onTimeout, onLost, timeoutMs } = drawn
  const { conclusion, runId } = main
  const timeoutLeaves = timeoutMs === undefined || isLeft(onTimeout)
  switch (conclusion) {
    case 'started':
    case 'running':
    case 'dry-run':
      return true
    case 'timed-out':
      return runId !== undefined && onTimeout === 'keep-running'
    case undefined:
    case 'cancelled':
      return onCancel === 'keep-running' && timeoutLeaves
    case 'lost':
      return (isOutOfSight(main) ? onLost : onCancel) === 'keep-running'
    default:
      return false
  }
}

/** Whether this lets the run keep running. */
function isLeft(mode: Case['onTimeout']): boolean {
  return mode === 'keep-running' || mode === 'hand-over'
}

/** Whether the run was followed until it could no longer be seen; one that was deleted is lost, too. */
function isOutOfSight({ conclusion, runId, line }: Ending): boolean {
  return conclusion === 'lost' && runId !== undefined && line.includes('The outcome of the run ')
}

/** Of such a run, on-lost alone says what is done: main tells it, and the post step does it, or has nothing to do. */
function judgeOutOfSight({ onLost }: Case, { main, settled, post }: Observation): Finding[] {
  if (!isOutOfSight(main)) return []
  // A server that answers, and refuses, is not away: its run is left alone whatever was wished.
  const isRefused = main.line.includes('on-lost: stop is for a server that does not answer')
  const isLeft = onLost === 'keep-running' || isRefused
  const findings: Finding[] = []
  if (main.line.includes(SAYS_NOT_STOPPED) !== isLeft) {
    findings.push(wrong(`on-lost is ${onLost}, but the last line is: ${main.line}`))
  }
  if (settled !== isLeft) {
    findings.push(
      wrong(`on-lost is ${onLost}, and the post step was told to do ${settled ? 'nothing' : 'it'}`),
    )
  }
  if (!isLeft && (post === undefined || post.line.includes('left running'))) {
    findings.push(wrong(`on-lost is ${onLost}, but the post step did not try: ${post?.line ?? 'nothing'}`))
  }
  return findings
}

/** A run that goes on at last is one that was meant to, or the last line admits it. */
function judgeAccount(drawn: Case, seen: Observation, run: HeldRun): Finding[] {
  const { main, post, settled, vanished, tampered } = seen
  // A state that no version has says nothing; whether steps run does.
  if (vanished.has(run.id) || !(tampered ? run.busy : goesOn(run))) return []
  if (settled && mayLeave(drawn, seen)) return []
  const { line } = post ?? main
  const findings: Finding[] = []
  if (!SAYS_GOING_ON.test(line) && !line.includes(SAYS_STEPS_GO_ON)) {
    findings.push(unaccounted(`${run.name} goes on (${run.status}), but the last line is: ${line}`))
  }
  const isLeft = ['was left running, as requested', SAYS_NOT_STOPPED, SAYS_STEPS_GO_ON].some((said) =>
    main.line.includes(said),
  )
  if (settled && !isLeft) {
    findings.push(
      unaccounted(`${run.name} goes on (${run.status}), and the post step was told to do nothing`),
    )
  }
  return findings
}

/** Whether main may have gone on purpose from a run that goes on; one that was killed then says no more. */
function mayLeave({ wait, onCancel, onTimeout, timeoutMs }: Case, { main, cancelled }: Observation): boolean {
  if (main.conclusion === 'started') return !wait
  if (main.conclusion === 'running') return onTimeout === 'hand-over' && timeoutMs !== undefined
  if (main.conclusion !== undefined) return false
  return !wait || (timeoutMs !== undefined && isLeft(onTimeout)) || (cancelled && onCancel === 'keep-running')
}

/** What is said to have ended has. */
function judgeEnded(seen: Observation, { line }: Ending, held: readonly HeldRun[]): Finding[] {
  const started = held.filter((run) => !run.gone && !takenBack(seen, run))
  if (SAYS_NOTHING_STARTED.test(line) && startedRuns(seen).length > 0) {
    return [wrong(`a run was started, but the last line is: ${line}`)]
  }
  // Under another name, which the server gave it, nobody can look for it.
  if (line.startsWith('No run named') && started.some(({ name }) => line.includes(`"${name}"`))) {
    return [wrong(`the run is there, but the last line is: ${line}`)]
  }
  if (!SAYS_ENDED.test(line) || line.includes(SAYS_STEPS_GO_ON) || seen.tampered) return []
  return started
    .filter(goesOn)
    .map((run) => wrong(`${run.name} is ${run.status}, but the last line is: ${line}`))
}

function judgeConclusion(drawn: Case, seen: Observation, started: readonly HeldRun[]): Finding[] {
  const { main, cancelled, atMainEnd, tampered } = seen
  const { conclusion, green, runId, status } = main
  if (conclusion === undefined) return []
  const run = atMainEnd.find(({ id }) => id === runId)
  const findings: Finding[] = []
  if (green !== undefined && green !== ['completed', 'started', 'running', 'dry-run'].includes(conclusion)) {
    findings.push(wrong(`green is ${String(green)} with the conclusion ${conclusion}`))
  }
  if (runId !== undefined && !isUuid(runId)) findings.push(wrong(`the run's id is ${runId}`))
  // A step that is cancelled just then finds a run that the server takes back a moment later.
  const mayBeTakenBack = conclusion === 'cancelled' && seen.later.some(({ id, gone }) => id === runId && gone)
  if (runId !== undefined && started.every(({ id }) => id !== runId) && !mayBeTakenBack) {
    findings.push(wrong(`the run ${runId} was never started`))
  }
  const phase = run === undefined ? undefined : runPhase(run.status)
  const fits = (() => {
    switch (conclusion) {
      case 'completed':
        return phase === 'succeeded' && run?.busy === false && run.status === status
      case 'failed':
        return run === undefined || tampered || (phase === 'failed' && run.status === status)
      case 'stopped':
        return phase === 'stopped' && run?.status === status
      case 'started':
        return !drawn.wait && run !== undefined
      case 'running':
        return drawn.onTimeout === 'hand-over' && run !== undefined && runPhase(status) !== 'succeeded'
      case 'dry-run':
        return drawn.dryRun && started.length === 0
      case 'cancelled':
        return cancelled
      case 'timed-out':
        return run === undefined
          ? atMainEnd.every((each) => !goesOn(each) || takenBack(seen, each))
          : drawn.timeoutMs !== undefined
      case 'lost':
        return true
      default:
        return false
    }
  })()
  if (!fits) {
    const held = run === undefined ? 'no such run' : `${run.status}${run.busy ? ', busy' : ''}`
    findings.push(wrong(`conclusion ${conclusion}, status ${status}; the server holds: ${held}`))
  }
  return findings
}

/** Where nothing stands in the way, the step comes to the run's own result. */
function judgeResult(drawn: Case, { main }: Observation, started: readonly HeldRun[]): Finding[] {
  if (!mustReachResult(drawn)) return []
  // A refusal is only about its own sending: an earlier one, whose answer got lost, may still start a run.
  if (drawn.pipeline === 'refused' && main.conclusion === 'lost') return []
  const wanted = wantedResult(drawn, started)
  if (main.conclusion === wanted) return []
  return [wrong(`${wanted} was to be reached, but it is ${main.conclusion ?? 'nothing'}: ${main.line}`)]
}

function wantedResult({ pipeline, dryRun, wait }: Case, started: readonly HeldRun[]): string {
  if (dryRun) return 'dry-run'
  if (pipeline === 'refused') return 'failed'
  return wait ? (started[0]?.status ?? 'a run') : 'started'
}

function goesOn({ status, busy }: HeldRun): boolean {
  const phase = runPhase(status)
  return busy || phase === 'going-on' || phase === 'unknown'
}

function takenBack({ later, vanished }: Observation, run: HeldRun): boolean {
  return !vanished.has(run.id) && later.some(({ id, gone }) => id === run.id && gone)
}

function names(line: string, run: HeldRun): boolean {
  return [run.name, run.nameSent, run.id].some((text) => line.includes(text))
}

function wrong(text: string): Finding {
  return { offence: 'wrong result', text }
}

function unaccounted(text: string): Finding {
  return { offence: 'unaccounted run', text }
}
