import { parseArgs } from 'node:util'
import {
  FAULT_ROUTES,
  ZENML_VERSIONS,
  realClock,
  startSimulator,
  type Fault,
  type FaultAction,
  type Simulator,
  type ZenmlVersion,
} from './index.ts'

const USAGE = `Starts a ZenML server in this process, for trying the action without one.

  npm run simulator -- [--version 0.98.0] [--port 8237] [--speed 1] [--fault ROUTE:KIND[:OCCURRENCE]]…

  --version  ${ZENML_VERSIONS.join(', ')}; default 0.98.0
  --port     default: any free one
  --speed    how much faster than real time its clock runs; default 1
  --json     only one line of JSON: address, key and ids
  --fault    may be given several times, for instance trigger:too-busy, trigger:no-slot:1-3, status:html:always
             routes: ${FAULT_ROUTES.join(', ')}, any
             kinds:  ${Object.keys(faultKinds()).join(', ')}
`

/** The faults that need no more words than their name. */
function faultKinds(): Readonly<Record<string, FaultAction>> {
  return {
    'too-busy': { kind: 'too-busy' },
    'too-busy-forever': { kind: 'too-busy-forever' },
    'no-slot': { kind: 'no-slot' },
    html: { kind: 'html' },
    cut: { kind: 'cut' },
    'reset-before-work': { kind: 'reset', when: 'before-work' },
    'reset-after-work': { kind: 'reset', when: 'after-work' },
    refuse: { kind: 'refuse' },
    delay: { kind: 'delay', seconds: 10 },
    hang: { kind: 'hang' },
    'slow-body': { kind: 'slow-body' },
    '401': { kind: 'answer', status: 401, body: '{"detail":["CredentialsNotValid","Token expired"]}' },
    '500': { kind: 'answer', status: 500, body: 'Internal Server Error', contentType: 'text/plain' },
    '503': { kind: 'answer', status: 503, body: '', headers: { 'retry-after': '5' } },
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      version: { type: 'string', default: '0.98.0' },
      port: { type: 'string', default: '0' },
      speed: { type: 'string', default: '1' },
      fault: { type: 'string', multiple: true, default: [] },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    console.log(USAGE)
    return
  }
  const simulator = await startSimulator({
    version: versionOf(values.version),
    port: numberOf('--port', values.port),
    clock: realClock(numberOf('--speed', values.speed)),
    faults: values.fault.map(faultOf),
  })
  console.log(values.json ? JSON.stringify(target(simulator)) : introduction(simulator))
  process.once('SIGINT', () => void simulator.close())
  process.once('SIGTERM', () => void simulator.close())
}

function versionOf(text: string): ZenmlVersion {
  const version = ZENML_VERSIONS.find((each) => each === text)
  if (version === undefined) throw new Error(`--version ${text}: choose one of ${ZENML_VERSIONS.join(', ')}.`)
  return version
}

function numberOf(flag: string, text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value) || value < 0) {
    throw new Error(`${flag} ${text}: give a number, zero or more.`)
  }
  return value
}

/** `ROUTE:KIND`, `ROUTE:KIND:always`, `ROUTE:KIND:3`, `ROUTE:KIND:1-3`. */
function faultOf(text: string): Fault {
  const [route = '', kind = '', when = '1'] = text.split(':')
  const on = route === 'any' ? 'any' : FAULT_ROUTES.find((each) => each === route)
  const action = faultKinds()[kind]
  const range = /^(\d+)(?:-(\d+))?$/.exec(when)
  if (on === undefined || action === undefined || (range === null && when !== 'always')) {
    throw new Error(`--fault ${text}: write ROUTE:KIND or ROUTE:KIND:OCCURRENCE; --help lists them.`)
  }
  if (range === null) return { on, occurrence: 'always', do: action }
  const from = Number(range[1])
  return { on, occurrence: { from, to: Number(range[2] ?? from) }, do: action }
}

/** The same line that the script for real servers prints. */
function target(simulator: Simulator): Readonly<Record<string, string>> {
  const { url, apiKey, version, seeded } = simulator
  const ids: Record<string, string> = {}
  for (const [name, id] of Object.entries(seeded.templates)) ids[name] = id
  for (const [name, id] of Object.entries(seeded.snapshots)) ids[name.replace(/-template$/, '-snapshot')] = id
  return { 'server-url': url, 'api-key': apiKey, version, ...ids }
}

function introduction(simulator: Simulator): string {
  const { url, apiKey, version, seeded } = simulator
  const kind = version === '0.98.0' ? 'snapshot' : 'template'
  const ids = kind === 'snapshot' ? seeded.snapshots : seeded.templates
  const listed = Object.entries(ids).map(([name, id]) => `  ${name.padEnd(20)} ${id}`)
  return `A simulated ZenML ${version} listens on ${url} (Ctrl-C ends it).

key: ${apiKey}

${kind}s:
${listed.join('\n')}

With curl:
  TOKEN=$(curl -s ${url}/api/v1/login -d 'password=${apiKey}' | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')
  curl -s ${url}/api/v1/run_templates/${seeded.templates['training-template'] ?? ''}/runs -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' -d '{"steps":{"load":{"parameters":{"rows":5}},"train":{"parameters":{"seconds":5,"accuracy":0.9,"fail":""}}}}'
  curl -s ${url}/api/v1/runs?sort_by=desc:created -H "Authorization: Bearer $TOKEN"

As inputs of the action:
  with:
    server-url: ${url}
    api-key: ${apiKey}
    ${kind}: training-template
    configuration: |
      steps: { train: { parameters: { seconds: 5, accuracy: 0.9, fail: '' } }, load: { parameters: { rows: 5 } } }
`
}

try {
  await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
