/**
 * For the workflow smoke.yml, which uses the action as any other workflow would, on every system:
 *
 *   node scripts/release/smoke.ts start    starts a simulated ZenML server in the background; its address and key
 *                                          become outputs of the step
 *   node scripts/release/smoke.ts check    compares what the steps did (STEPS, as JSON) with what they have to do
 */
import { spawn } from 'node:child_process'
import { appendFileSync, openSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { approval, startSimulator, training } from '../../simulator/index.ts'

interface Step {
  readonly outcome: string
  readonly outputs: Readonly<Record<string, string>>
}

/** Each step by its ID: how it has to end, and with which conclusion. */
export const EXPECTED: Readonly<Record<string, readonly [outcome: string, conclusion: string | undefined]>> =
  {
    login: ['success', undefined],
    run: ['success', 'completed'],
    promote: ['success', 'promoted'],
    failing: ['failure', 'failed'],
    cancelled: ['failure', 'cancelled'],
    'after-cancelled': ['failure', 'stopped'],
    started: ['success', 'started'],
    wait: ['success', 'completed'],
    sweep: ['success', 'completed'],
    begun: ['success', 'started'],
    stop: ['success', 'stopped'],
    asking: ['failure', 'failed'],
    resolve: ['success', 'resolved'],
    answered: ['success', 'completed'],
  }

/** What is not as it has to be; empty if all is. */
export function smokeFaults(steps: Readonly<Record<string, Step>>): string[] {
  return Object.entries(EXPECTED).flatMap(([id, [outcome, conclusion]]) => {
    const step = steps[id]
    if (step === undefined) return [`${id} did not run`]
    const ended = step.outputs['conclusion']
    const isAsExpected = step.outcome === outcome && ended === conclusion
    return isAsExpected
      ? []
      : [`${id}: ${step.outcome}, ${ended ?? 'no conclusion'}; not ${outcome}, ${conclusion ?? 'none'}`]
  })
}

const SELF = fileURLToPath(import.meta.url)

const PATIENCE_SECONDS = 30

/** Prints one line when the server listens, and stays. */
async function serve(): Promise<void> {
  const { url, apiKey } = await startSimulator({
    pipelines: [{ ...training, model: 'classifier' }, approval],
  })
  console.log(JSON.stringify({ 'server-url': url, 'api-key': apiKey }))
}

async function start(): Promise<void> {
  const log = path.join(process.env['RUNNER_TEMP'] ?? tmpdir(), 'smoke-server.log')
  const file = openSync(log, 'w')
  spawn(process.execPath, [SELF, 'serve'], { detached: true, stdio: ['ignore', file, file] }).unref()
  const end = Date.now() + PATIENCE_SECONDS * 1000
  let line: string | undefined
  while (line === undefined && Date.now() < end) {
    await sleep(100)
    line = /^\{.*\}$/m.exec(readFileSync(log, 'utf8'))?.[0]
  }
  if (line === undefined) throw new Error(`The server did not start:\n${readFileSync(log, 'utf8')}`)
  const outputs = Object.entries(JSON.parse(line) as Record<string, string>)
  appendFileSync(
    process.env['GITHUB_OUTPUT'] ?? log,
    outputs.map(([name, value]) => `${name}=${value}\n`).join(''),
  )
}

function check(): void {
  const faults = smokeFaults(JSON.parse(process.env['STEPS'] ?? '{}') as Record<string, Step>)
  if (faults.length > 0) throw new Error(faults.join('\n'))
  console.log(`All ${Object.keys(EXPECTED).length} steps did what they have to do.`)
}

/** Only if this is the program, and not a part of a test. */
if (process.argv[1] === SELF) {
  try {
    const [, , what] = process.argv
    if (what === 'serve') await serve()
    else if (what === 'start') await start()
    else check()
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  }
}
