import type { Layer } from '../../run/configure/layers.ts'
import type { ParsedServerUrl, ProWorkspace, ServerAddress } from '../../zenml/server-url.ts'
import type { Expectation } from '../../run/outcome/evaluate-expectations.ts'
import { inputFault, type InputFault } from './faults.ts'
import { MAX_TEXT_LENGTH } from './single-values.ts'
import { runIdOnPage } from './run-reference.ts'
import { inputTables, type InputName, type RawInputs } from './table.ts'
import { showOnOneLine } from '../../base/printable.ts'
import { urlOf } from '../../base/url.ts'

/*
 * Rules about inputs together: what is missing, and what contradicts what. They look at the texts as given,
 * so they hold also while single values have faults of their own.
 */

/** Longer than any usual path, short enough for one line. */
const MAX_SOURCE_LENGTH = 150

/** Whether a boolean input is on, as far as its text can tell. */
export function isTrue(text: string | undefined): boolean {
  return /^\s*true\s*$/i.test(text ?? '')
}

/** Whether a boolean input whose default is `false` is off, as far as its text can tell. */
export function isOff(text: string | undefined): boolean {
  return /^\s*(?:false\s*)?$/i.test(text ?? '')
}

/**
 * Every action needs a server and one credential.
 *
 * @param names the action's inputs. @param missingSecrets why GitHub passes no secrets here, if that is so.
 */
export function connectionFaults(
  raw: RawInputs,
  names: readonly InputName[],
  missingSecrets: string | undefined,
): InputFault[] {
  return [
    ...serverFaults(raw, missingSecrets),
    ...credentialFaults(raw, names, missingSecrets),
    ...proFaults(raw),
  ]
}

function serverFaults(raw: RawInputs, missingSecrets: string | undefined): InputFault[] {
  if (raw['server-url'] !== undefined && raw.workspace !== undefined) {
    return fault('workspace', 'cannot be combined with server-url; give only one')
  }
  if (raw['server-url'] !== undefined || raw.workspace !== undefined) return []
  return missingSecrets === undefined
    ? fault(
        'server-url',
        'missing; write the address of your ZenML server, such as https://zenml.example.com, or workspace: NAME for ZenML Pro',
      )
    : fault('server-url', `empty; if it comes from a secret: ${missingSecrets}`)
}

function credentialFaults(
  raw: RawInputs,
  names: readonly InputName[],
  missingSecrets: string | undefined,
): InputFault[] {
  const ways: readonly InputName[] = ['api-key', 'access-token', 'client-secret']
  const credentials = ways.filter((name) => names.includes(name))
  const [first, second] = credentials.filter((name) => raw[name] !== undefined)
  if (first !== undefined && second !== undefined) {
    return fault(second, `cannot be combined with ${first}; give only one`)
  }
  if (first === 'access-token' && raw.workspace !== undefined) {
    return fault(
      first,
      'cannot be combined with workspace: a token is good for one server only; give its server-url, or an api-key',
    )
  }
  if (first !== undefined) return []
  if (missingSecrets !== undefined) return fault('api-key', `empty: ${missingSecrets}`)
  if (raw['client-id'] !== undefined) return fault('client-secret', 'missing, or empty; client-id needs it')
  const other = credentials.includes('access-token') ? ', or give an access-token' : ''
  return fault(
    'api-key',
    'missing, or its secret does not exist; write api-key: ${{ secrets.ZENML_API_KEY }} with the key of a ' +
      `ZenML service account${other}`,
  )
}

/** What only ZenML Pro's management API takes; id and secret go together. */
function proFaults(raw: RawInputs): InputFault[] {
  const api = raw['pro-api-url']?.trim()
  if (
    api !== undefined &&
    api !== inputTables.main.defaults['pro-api-url'] &&
    raw.workspace === undefined &&
    raw['access-token'] !== undefined
  ) {
    return fault('pro-api-url', 'has no effect with an access-token; give an api-key, or remove it')
  }
  const given = raw['client-id'] ?? raw['client-secret']
  if (given === undefined) return []
  if (raw['client-id'] === undefined) return fault('client-id', 'missing; client-secret needs it')
  return raw.workspace === undefined
    ? fault('client-id', 'works with workspace only; write workspace: NAME, or give an api-key')
    : []
}

/** The action itself needs something to run. */
export function targetFaults(raw: RawInputs): InputFault[] {
  if (raw.snapshot !== undefined && raw.template !== undefined) {
    return fault('template', 'cannot be combined with snapshot; give only one')
  }
  if (raw.snapshot !== undefined || raw.template !== undefined || raw.pipeline !== undefined) return []
  return fault(
    'snapshot',
    'missing, so there is nothing to run; give a snapshot, a template (servers before 0.90), or a pipeline for its newest one',
  )
}

/** Inputs about what comes after the start, and what they say where they change nothing. */
function aboutWait() {
  const { defaults } = inputTables.main
  return [
    ['timeout', 'none'],
    ['poll-interval', 'adaptive'],
    ['on-timeout', defaults['on-timeout']],
    ['on-paused', defaults['on-paused']],
    ['on-lost', defaults['on-lost']],
    ['lost-after', defaults['lost-after']],
    ['expect', ''],
    ['baseline', ''],
    ['logs', defaults['logs']],
    ['log-tail', defaults['log-tail']],
    ['visualizations', defaults['visualizations']],
  ] as const
}

/** Without a wait they have no effect. No fault: `wait` may come from a form, and the others stand as they are. */
export function waitNotices(raw: RawInputs): string[] {
  if (raw.wait === undefined || !isOff(raw.wait)) return []
  const unused = aboutWait().filter(
    ([name, neutral]) => ![undefined, neutral].includes(raw[name]?.trim().toLowerCase()),
  )
  return unused.length === 0
    ? []
    : [`wait is false, so these inputs have no effect: ${unused.map(([name]) => name).join(', ')}`]
}

/**
 * Where a step is to hand its run over, something has to say when.
 *
 * @param isHosted whether the job's own end says it. @see waitLimitMs in src/run/job-time-limit.ts
 */
export function handOverFaults(
  { 'on-timeout': onTimeout, timeout, wait }: RawInputs,
  isHosted: boolean,
): InputFault[] {
  if (onTimeout?.trim() !== 'hand-over' || isHosted || (wait !== undefined && isOff(wait))) return []
  return [undefined, 'none'].includes(timeout?.trim()) ? fault('timeout', NO_HAND_OVER) : []
}

const NO_HAND_OVER =
  'missing; on-timeout: hand-over needs it on runners that GitHub does not host; write a time such as 5h'

/** What compares with a baseline needs one. */
export function baselineFaults(raw: RawInputs, expectations: readonly Expectation[] = []): InputFault[] {
  if (raw.baseline !== undefined) return []
  const compared = expectations.find(({ wanted }) => typeof wanted === 'object')
  const advice = 'write baseline: main, or run: and the ID or name of a run'
  if (compared !== undefined) {
    return fault(
      'expect',
      `compares ${showOnOneLine(compared.name, MAX_SOURCE_LENGTH)} with the baseline, but the input baseline is missing or empty; ${advice}`,
    )
  }
  return isTrue(raw['baseline-required'])
    ? fault('baseline-required', `is true, but the input baseline is missing or empty; ${advice}`)
    : []
}

/** A run of an earlier attempt is found by the name that the action gives, so there must be no other name. */
export function resumeFaults(raw: RawInputs, configuration: readonly Layer[]): InputFault[] {
  if (!isTrue(raw.resume) && raw.resume?.trim() !== 'replay') return []
  const named = configuration.filter(({ value }) => (value['run_name'] ?? null) !== null)
  const places = [
    ...(raw['run-name'] === undefined ? [] : ['run-name']),
    ...named.map(({ source }) => `run_name in ${showOnOneLine(source, MAX_SOURCE_LENGTH)}`),
  ]
  if (places.length === 0) return []
  return fault(
    'resume',
    `cannot be combined with ${places.join(' and ')}: resume finds the earlier run by the name that the action generates; remove one of them`,
  )
}

/** The dashboard of ZenML Pro, whose address does not say where the workspace's own server is. */
const PRO_PAGE = /\/(?:organizations|workspaces|tenants)\//i

/**
 * wait/ and stop/ need a run that something else started. The address of its page says on which server it is; on another
 * one its id would be looked for in vain.
 *
 * @param server undefined if what names it is missing, or has a fault
 */
export function runFaults(
  { run }: RawInputs,
  server: ServerAddress | ProWorkspace | undefined,
  parse: (text: string) => ParsedServerUrl,
): InputFault[] {
  const page = run?.trim()
  if (page === undefined) {
    return fault(
      'run',
      'missing; write the ID or the name of the run, such as ${{ needs.train.outputs.run-id }}',
    )
  }
  // What is too long is a fault of its own, however its parts look.
  if (page.length > MAX_TEXT_LENGTH) return []
  const id = runIdOnPage(page)
  if (
    id === undefined ||
    server === undefined ||
    !('url' in server) ||
    PRO_PAGE.test(urlOf(page)?.pathname ?? '')
  )
    return []
  const parsed = parse(page)
  if (!parsed.ok) return fault('run', parsed.problem)
  if (isSamePlace(parsed.url, server.url)) return []
  return fault(
    'run',
    `the page is on ${parsed.url}, but the step connects to ${server.url}; correct one of them, or write only the run's ID, ${id}`,
  )
}

/**
 * resolve/ needs a run that asks something; of one that is to be stopped it needs no answer. An approval that is repeated
 * must not be given to whatever the run asks next.
 */
export function resolveFaults(raw: RawInputs, runAttempt: number, ...place: RunPlace): InputFault[] {
  const isIdle = raw.answer !== undefined && raw.resolution?.trim() === 'abort'
  const isAnyQuestion = raw.question === undefined && runAttempt > 1
  return [
    ...runFaults(raw, ...place),
    ...(isAnyQuestion ? fault('question', NO_QUESTION) : []),
    ...(isIdle ? fault('answer', 'has no effect with resolution: abort; remove one of them') : []),
  ]
}

const NO_QUESTION =
  'missing; a re-run needs it, as the run may ask something else by now: start a new workflow run instead; to allow re-runs, set question in the workflow'

/** What a run's page is compared with. */
type RunPlace = [Parameters<typeof runFaults>[1], Parameters<typeof runFaults>[2]]

/** promote/ needs a version, named in one of two ways, and a stage. */
export function promoteFaults(
  raw: RawInputs,
  server: ServerAddress | ProWorkspace | undefined,
  parse: (text: string) => ParsedServerUrl,
): InputFault[] {
  return [...versionFaults(raw, server, parse), ...(raw.stage === undefined ? fault('stage', NO_STAGE) : [])]
}

const NO_STAGE = 'missing; write staging, production or archived'

function versionFaults(raw: RawInputs, ...place: RunPlace): InputFault[] {
  const given = (['model', 'version'] as const).filter((input) => raw[input] !== undefined)
  if (raw.run !== undefined && given.length > 0) {
    return fault(
      'run',
      `cannot be combined with ${given.join(' and ')}; give either run, or model and version`,
    )
  }
  if (raw.run !== undefined) return runFaults(raw, ...place)
  if (given.length === 2) return []
  if (given[0] === 'model') {
    return fault('version', 'missing; write a version of the model, by its number, name or ID')
  }
  if (given[0] === 'version') return fault('model', 'missing; write the name or the ID of the model')
  return fault(
    'run',
    'missing; write the ID or name of a run that made a model version, or model and version',
  )
}

/** With or without TLS, it is the same server. */
function isSamePlace(url: string, other: string): boolean {
  return url.replace(/^https?:/, '') === other.replace(/^https?:/, '')
}

function fault(input: InputName, problem: string): [InputFault] {
  return [inputFault(input, problem)]
}
