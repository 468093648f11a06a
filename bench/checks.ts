/*
 * How long the checks of a run configuration take for a template of 200 steps with types: reading the definition,
 * the short form, merging and checking. Prints milliseconds of computing time, which other work on the machine
 * disturbs least; fails where the first round, which is the one that a step has, is above the limit.
 *
 *   npx tsx bench/checks.ts
 */
import { startSimulator, type PipelineSpec } from '../simulator/index.ts'
import { assemble } from '../src/run/assemble.ts'
import { Api } from '../src/zenml/api.ts'
import { ZenmlClient } from '../src/zenml/client.ts'
import { Http } from '../src/zenml/http.ts'
import { KeySession } from '../src/zenml/session.ts'
import { systemClock } from '../src/zenml/system-clock.ts'

const STEPS = 200
const LIMIT_MS = 30
const ROUNDS = 25

const pipeline: PipelineSpec = {
  name: 'wide',
  steps: Array.from({ length: STEPS }, (_, i) => ({
    name: `step_${i}`,
    seconds: 1,
    parameters: {
      [`epochs_${i}`]: { default: 3, jsonSchema: { type: 'integer' } },
      rate: { default: 0.1, jsonSchema: { type: 'number' } },
      mode: { default: 'fast', jsonSchema: { enum: ['fast', 'slow'], type: 'string' } },
      layers: { default: [64, 32], jsonSchema: { items: { type: 'integer' }, type: 'array' } },
    },
  })),
}

const server = await startSimulator({ pipelines: [pipeline] })
const http = new Http('bench')
const session = new KeySession(server.url, server.apiKey, {
  http,
  clock: systemClock,
  onToken: () => undefined,
  onWait: () => undefined,
})
const client = new ZenmlClient(
  new Api({ http, baseUrl: server.url, session, clock: systemClock, onRetry: () => undefined }),
)
const [listed] = await client.definitions('snapshot', { size: 1 })
const definition = await client.definition('snapshot', listed?.id ?? '')
const requests = server.requests.length

const configuration = {
  steps: Object.fromEntries(
    Array.from({ length: STEPS }, (_, i) => [`step_${i}`, { parameters: { rate: 0.2, layers: [1, 2, 3] } }]),
  ),
}
const short = Object.fromEntries(Array.from({ length: STEPS }, (_, i) => [`epochs_${i}`, i]))

const times = Array.from({ length: ROUNDS }, () => {
  const from = process.cpuUsage()
  assemble(
    {
      layers: [{ source: 'configuration', value: configuration }],
      parameters: { source: 'parameters', value: short },
      tags: undefined,
      useCache: undefined,
    },
    definition,
    '0.98.0',
  )
  const { user, system } = process.cpuUsage(from)
  return (user + system) / 1000
})
const [first = 0] = times
const median = [...times].sort((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? 0
console.log(
  `${STEPS} steps, every parameter given: ${first.toFixed(1)} ms the first time, ${median.toFixed(1)} ms in the middle of ${ROUNDS}; ` +
    `${server.requests.length - requests} requests`,
)
if (first > LIMIT_MS || server.requests.length > requests) {
  console.error(`More than ${LIMIT_MS} ms, or a request`)
  process.exitCode = 1
}
await http.close()
await server.close()
