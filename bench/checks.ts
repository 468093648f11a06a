/*
 * How long the checks of a run configuration take for a template of 200 steps with types: reading the definition,
 * the short form, merging and checking. A step does it once, in a process of its own; so does each round here, and
 * the quickest counts, because other work on the machine only adds to it. Fails above the limit.
 *
 *   npx tsx bench/checks.ts
 */
import { execFileSync } from 'node:child_process'
import { z } from 'zod'
import { startSimulator, type PipelineSpec } from '../simulator/index.ts'
import { openClient } from '../src/actions/open-client.ts'
import { WorkflowLog } from '../src/github/log/workflow-log.ts'
import { assemble } from '../src/run/configure/assemble.ts'
import { Http } from '../src/http/http.ts'
import { systemClock } from '../src/base/system-clock.ts'

const STEPS = 200
const LIMIT_MS = 30
const ROUNDS = 9

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

const Round = z.object({ tookMs: z.number(), requests: z.number() })

if (process.argv[2] === 'round') await round()
else judge()

function judge(): void {
  const rounds = Array.from({ length: ROUNDS }, () =>
    Round.parse(
      JSON.parse(
        execFileSync(process.execPath, [...process.execArgv, import.meta.filename, 'round'], {
          encoding: 'utf8',
        }),
      ),
    ),
  )
  const times = rounds.map(({ tookMs }) => tookMs).sort((a, b) => a - b)
  const [quickest = Number.POSITIVE_INFINITY] = times
  const requests = Math.max(...rounds.map((each) => each.requests))
  console.log(
    `${STEPS} steps, every parameter given: ${times.map((ms) => ms.toFixed(1)).join(', ')} ms; ${requests} requests`,
  )
  if (quickest <= LIMIT_MS && requests === 0) return
  console.error(`More than ${LIMIT_MS} ms, or a request`)
  process.exitCode = 1
}

async function round(): Promise<void> {
  const server = await startSimulator({ pipelines: [pipeline] })
  const inputs = {
    server: { url: server.url, proApiUrl: server.url },
    credential: { kind: 'api-key', key: server.apiKey },
  } as const
  const { client, close } = await openClient({
    inputs,
    http: new Http('bench'),
    clock: systemClock,
    log: new WorkflowLog(() => undefined),
    reporter: { tell: () => undefined },
  })
  const [listed] = await client.definitions('snapshot', { size: 1 })
  const definition = await client.definition('snapshot', listed?.id ?? '')
  const requests = server.requests.length

  const configuration = {
    steps: Object.fromEntries(
      Array.from({ length: STEPS }, (_, i) => [
        `step_${i}`,
        { parameters: { rate: 0.2, layers: [1, 2, 3] } },
      ]),
    ),
  }
  const short = Object.fromEntries(Array.from({ length: STEPS }, (_, i) => [`epochs_${i}`, i]))

  const from = performance.now()
  assemble(
    {
      layers: [{ source: 'configuration', value: configuration }],
      parameters: { source: 'parameters', value: short },
      tags: undefined,
      enableCache: undefined,
    },
    definition,
    '0.98.0',
  )
  const tookMs = performance.now() - from
  console.log(JSON.stringify({ tookMs, requests: server.requests.length - requests }))
  close()
  await server.close()
}
