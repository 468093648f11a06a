/* A simulated server with one pipeline of so many steps, in a process of its own. */
import { realClock, startSimulator, type StepSpec } from '../simulator/index.ts'

/** Steps of one chain follow one another; the chains run side by side. */
const CHAIN_LENGTH = 10
const STEP_SECONDS = 9

/** The server's time runs faster than the clock on the wall. */
const SPEED = 4

function steps(count: number): StepSpec[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `step_${index}_of_the_pipeline`,
    seconds: STEP_SECONDS + (index % 7) / 7,
    upstream: index % CHAIN_LENGTH === 0 ? [] : [`step_${index - 1}_of_the_pipeline`],
    metadata: { rows: index },
    outputs: { rows: 'builtins.int' },
  }))
}

const pipelines = [{ name: 'bench', steps: steps(Number(process.argv[2])) }]
const server = await startSimulator({ clock: realClock(SPEED), pipelines })
process.on('message', () => {
  process.send?.({ requests: server.requests.length })
})
process.send?.({ url: server.url, apiKey: server.apiKey })
