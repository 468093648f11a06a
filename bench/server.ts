/*
 * A simulated server in a process of its own, whose time runs so many times as fast as the clock on the wall, with one
 * pipeline called bench:
 *
 *   steps SPEED COUNT    of so many steps
 *   swept SPEED          of one step that takes as many seconds as its parameter says
 *
 * or, with the simulator's own pipelines, one that is so many milliseconds away, in real time:
 *
 *   away MS
 */
import { realClock, startSimulator, type Fault, type StepSpec } from '../simulator/index.ts'
import { sweptStep, TRIGGER_SECONDS } from './swept.ts'

/** Steps of one chain follow one another; the chains run side by side. */
const CHAIN_LENGTH = 10
const STEP_SECONDS = 9

function steps(count: number): StepSpec[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `step_${index}_of_the_pipeline`,
    seconds: STEP_SECONDS + (index % 7) / 7,
    upstream: index % CHAIN_LENGTH === 0 ? [] : [`step_${index - 1}_of_the_pipeline`],
    metadata: { rows: index },
    outputs: { rows: 'builtins.int' },
  }))
}

const [, , kind, number, count] = process.argv
const clock = realClock(kind === 'away' ? 1 : Number(number))
const pipelines = [{ name: 'bench', steps: kind === 'swept' ? [sweptStep] : steps(Number(count)) }]
const away: Fault = {
  on: 'any',
  occurrence: 'always',
  do: { kind: 'delay', seconds: Number(number) / 1_000 },
}
const server = await startSimulator({
  clock,
  ...(kind === 'away' ? { faults: [away] } : { pipelines }),
  triggerSeconds: kind === 'swept' ? TRIGGER_SECONDS : 0,
})
process.on('message', () => {
  process.send?.({ requests: server.requests.length })
})
process.send?.({ url: server.url, apiKey: server.apiKey, epoch: clock.now() })
