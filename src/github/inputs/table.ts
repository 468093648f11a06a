import { z } from 'zod'

import type { StopMode } from '../../run/recovery-journal.ts'
import type { FollowPolicy } from '../../run/run-supervisor.ts'
import type { Replace } from '../../run/promote/decide.ts'
import type { Stage } from '../../zenml/model-versions.ts'
import type { Resolution } from '../../zenml/answers/resolve-answer.ts'
import {
  boolean,
  choice,
  comment,
  credential,
  answer,
  duration,
  durationOrNone,
  githubToken,
  line,
  name,
  pollInterval,
  rank,
  resume,
  runName,
  tags,
  text,
  wholeNumber,
  workspaceReference,
} from './single-values.ts'
import { baseline, runReference } from './run-reference.ts'
import { expectations } from './expectations.ts'

/** A page of ZenML's log has no more. */
const MAX_LOG_TAIL = 1000

/** GitHub's own numbers are far below it. */
const MAX_PULL_REQUEST = 2 ** 31 - 1

/** So many runs the post step of a killed job can end in the two minutes that it has. */
const MAX_PARALLEL = 64

const onLost = choice<FollowPolicy['onLost']>(['keep-running', 'stop'])
const stopMode = choice<StopMode>(['stop', 'stop-gracefully', 'keep-running'], { leave: 'keep-running' })
const timeoutMode = choice<FollowPolicy['onTimeout']>(
  ['stop', 'stop-gracefully', 'keep-running', 'hand-over'],
  {
    leave: 'keep-running',
  },
)
const modeOfStop = choice<Exclude<StopMode, 'keep-running'>>(['stop', 'stop-gracefully'], {
  graceful: 'stop-gracefully',
  gracefully: 'stop-gracefully',
})
const stage = choice<Stage>(['staging', 'production', 'archived'], {
  prod: 'production',
  stage: 'staging',
  archive: 'archived',
})
const resolution = choice<Resolution['resolution']>(['continue', 'abort'], {
  approve: 'continue',
  resume: 'continue',
  reject: 'abort',
  stop: 'abort',
})
const replace = choice<Replace>(['older', 'always', 'never'], {
  true: 'always',
  false: 'never',
  newer: 'older',
})
const logs = choice<NonNullable<FollowPolicy['logs']>>(['failed', 'live'], { true: 'live', false: 'failed' })
const onPaused = choice<FollowPolicy['onPaused']>(['wait', 'fail'])

/** Which server, and what to log in with there. */
const server = {
  'server-url': text.optional(),
  workspace: workspaceReference.optional(),
  'pro-api-url': text.prefault('https://cloudapi.zenml.io'),
}
const client = { 'client-id': credential.optional(), 'client-secret': credential.optional() }
const login = { ...server, 'api-key': credential.optional(), ...client }
const connection = {
  ...server,
  'api-key': credential.optional(),
  'access-token': credential.optional(),
  ...client,
}
const limits = { timeout: durationOrNone.optional(), 'poll-interval': pollInterval.optional() }
const network = { 'ca-certificate': text.optional(), 'allow-insecure-http': boolean.prefault('false') }

/** What a person is shown of the run, and where. */
const report = {
  'log-tail': wholeNumber(0, MAX_LOG_TAIL).prefault('50'),
  summary: boolean.prefault('true'),
  comment: comment.prefault('false'),
  'github-token': githubToken.prefault(''),
}
const step = { 'step-key': line.prefault('') }

const SECRETS: readonly string[] = ['api-key', 'access-token', 'client-secret', 'github-token']

/** Made when it is first asked for: each takes a while, and a step needs one. */
function table<Shape extends z.ZodRawShape>(shapeOf: () => Shape) {
  let made: ReturnType<typeof madeTable<Shape>> | undefined
  const get = () => (made ??= madeTable(shapeOf()))
  return {
    get schema() {
      return get().schema
    },
    /** Every input, in the order of the action's file. */
    get names() {
      return get().names
    },
    /** The defaults of the action's file as the code has them, for an expression that came out empty. */
    get defaults() {
      return get().defaults
    },
    /** Inputs whose values are masked before anything else happens. */
    get secrets() {
      return get().secrets
    },
  }
}

function madeTable<Shape extends z.ZodRawShape>(shape: Shape) {
  const schema = z.object(shape)
  const names = schema.keyof().options
  const defaults = Object.fromEntries(
    Object.entries(shape).flatMap(([input, field]) =>
      field instanceof z.ZodPrefault ? [[input, String(field.def.defaultValue)]] : [],
    ),
  )
  return { schema, names, defaults, secrets: names.filter((input) => SECRETS.includes(input)) }
}

/**
 * The inputs of the actions, in the order of their files: what each may hold. An input that is not given,
 * or blank, is `undefined` here; `prefault` is the default of the action's file.
 *
 * Every issue's message is the rest of a line that begins with the input's name.
 */
export const inputTables = {
  main: table(() => ({
    ...connection,
    snapshot: name.optional(),
    template: name.optional(),
    pipeline: name.optional(),
    project: name.optional(),
    parameters: text.optional(),
    configuration: text.optional(),
    'configuration-file': line.optional(),
    'run-name': runName.optional(),
    tags: tags.optional(),
    'enable-cache': boolean.optional(),
    wait: boolean.prefault('true'),
    timeout: limits.timeout,
    'trigger-timeout': duration.prefault('30m'),
    'poll-interval': limits['poll-interval'],
    'on-cancel': stopMode.prefault('stop'),
    'on-timeout': timeoutMode.prefault('stop'),
    'on-paused': onPaused.prefault('wait'),
    'on-lost': onLost.prefault('keep-running'),
    'lost-after': duration.prefault('30m'),
    resume: resume.prefault('false'),
    expect: expectations.optional(),
    baseline: baseline.optional(),
    'baseline-required': boolean.prefault('false'),
    'dry-run': boolean.prefault('false'),
    logs: logs.prefault('failed'),
    ...report,
    visualizations: boolean.prefault('false'),
    'note-origin': boolean.prefault('true'),
    ...network,
    ...step,
  })),
  login: table(() => ({ ...login, 'export-env': boolean.prefault('false'), ...network })),
  wait: table(() => ({
    ...connection,
    run: runReference.optional(),
    project: name.optional(),
    ...limits,
    'on-cancel': stopMode.prefault('keep-running'),
    'on-timeout': timeoutMode.prefault('keep-running'),
    'on-paused': onPaused.prefault('wait'),
    'on-lost': onLost.prefault('keep-running'),
    'lost-after': duration.prefault('30m'),
    expect: expectations.optional(),
    baseline: baseline.optional(),
    'baseline-required': boolean.prefault('false'),
    logs: logs.prefault('failed'),
    ...report,
    'pull-request': wholeNumber(1, MAX_PULL_REQUEST).optional(),
    visualizations: boolean.prefault('false'),
    ...network,
    ...step,
  })),
  sweep: table(() => ({
    ...connection,
    snapshot: name.optional(),
    template: name.optional(),
    pipeline: name.optional(),
    project: name.optional(),
    matrix: text.optional(),
    parameters: text.optional(),
    configuration: text.optional(),
    'configuration-file': line.optional(),
    tags: tags.optional(),
    'enable-cache': boolean.optional(),
    'max-parallel': wholeNumber(1, MAX_PARALLEL).prefault('4'),
    'fail-fast': boolean.prefault('false'),
    rank: rank.optional(),
    expect: expectations.optional(),
    'expect-all': boolean.prefault('false'),
    baseline: baseline.optional(),
    'baseline-required': boolean.prefault('false'),
    timeout: limits.timeout,
    'run-timeout': limits.timeout,
    'trigger-timeout': duration.prefault('30m'),
    'poll-interval': limits['poll-interval'],
    'on-cancel': stopMode.prefault('stop'),
    'on-timeout': stopMode.prefault('stop'),
    'on-paused': onPaused.prefault('wait'),
    'on-lost': onLost.prefault('keep-running'),
    'lost-after': duration.prefault('30m'),
    resume: boolean.prefault('false'),
    ...report,
    'note-origin': boolean.prefault('true'),
    ...network,
    ...step,
  })),
  stop: table(() => ({
    ...connection,
    run: runReference.optional(),
    project: name.optional(),
    mode: modeOfStop.prefault('stop'),
    timeout: duration.prefault('2m'),
    ...network,
  })),
  resolve: table(() => ({
    ...connection,
    run: runReference.optional(),
    project: name.optional(),
    question: line.optional(),
    answer: answer.optional(),
    resolution: resolution.prefault('continue'),
    ...network,
  })),
  promote: table(() => ({
    ...connection,
    run: runReference.optional(),
    model: name.optional(),
    version: name.optional(),
    stage: stage.optional(),
    replace: replace.prefault('older'),
    project: name.optional(),
    ...network,
  })),
}

/** An action of this repository, by the name of its entry. */
export type ActionName = keyof typeof inputTables

/** An input of any of the actions. */
export type InputName = (typeof inputTables)[ActionName]['names'][number]

/** The checked inputs of one action; what is not given is `undefined`. */
export type InputValues<Action extends ActionName> = z.output<(typeof inputTables)[Action]['schema']>

/** What the runner gave for each input, as it is; `undefined` if nothing or only white space. */
export type RawInputs = Readonly<Partial<Record<InputName, string>>>
