import type { PipelineSpec, RouteName, Simulator, SimulatorOptions } from '../../simulator/index.ts'
import type { HttpLimits } from '../../src/http/http.ts'
import type { RunRequest } from '../../src/run/start-and-follow-run.ts'
import { put, type Tamper, type Tampering } from './tampering-server.ts'
import type { StepOptions, Way } from './workflow-step.ts'

/** An answer that no ZenML server should give, and how a step that meets it ends. */
export interface BadAnswer {
  readonly title: string
  /** Default: execute. */
  readonly way?: Way
  readonly on: RouteName
  readonly answers: Tampering
  /** A second route that answers badly, always. */
  readonly also?: { readonly on: RouteName; readonly answers: Tampering }
  /** How often the route answers so, before it answers as it should; default: always. */
  readonly times?: number
  /** Default: failed. */
  readonly ends?: string
  readonly server?: SimulatorOptions
  readonly changes?: Partial<RunRequest>
  readonly limits?: Partial<HttpLimits>
  readonly before?: (server: Simulator) => void
  /** Also taken through the built action, as the runner does it; only where no long back-off is waited for. */
  readonly built?: true
}

/** Tampers with one route the first `times` times, and always with the second; tells when it does. */
export function tamperWith({ on, answers, also, times = Infinity }: BadAnswer, tell: () => void): Tamper {
  let met = 0
  return (route) => {
    if (route !== undefined && route === also?.on) return also.answers
    if (route !== on) return undefined
    tell()
    met += 1
    return met > times ? undefined : answers
  }
}

export const PAGE = '<!DOCTYPE html><html><head><title>Sign in</title></head><body>…</body></html>'
export const html = (status: number, { work = false } = {}): Tampering => ({
  kind: 'instead',
  status,
  work,
  body: PAGE,
  headers: { 'content-type': 'text/html' },
})
export const json = (status: number, body: unknown): Tampering => ({
  kind: 'instead',
  status,
  body: JSON.stringify(body),
})
export const raw = (body: string | Uint8Array, status = 200): Tampering => ({ kind: 'instead', status, body })
export const change = (path: string, value: unknown): Tampering => ({
  kind: 'json',
  change: put(path, value),
})
export const redirect = (location: string, status = 302): Tampering => ({
  kind: 'instead',
  status,
  headers: { location },
})

/** Small enough that a test need not wait; the action's own are in seconds and megabytes. */
export const SHORT = { exchangeMs: 60, bodyBytes: 1024 * 1024 }

export const DENIED = { body: null, metadata: null, resources: null, permission_denied: true }
export const deny = (place: string): Tampering => ({
  kind: 'json',
  change: (real) =>
    Object.entries(DENIED).reduce((answer, [key, value]) => put(`${place}${key}`, value)(answer), real),
})

/** Two branches at once: one fails early, the other takes two minutes; so its steps have to be asked for. */
export const SPLIT: PipelineSpec = {
  name: 'split',
  steps: [
    {
      name: 'short',
      seconds: 1,
      fails: { type: 'ValueError', message: 'no rows', traceback: '', userCodeLine: 3 },
    },
    { name: 'long', seconds: 120 },
  ],
}
export const split = (version: '0.74.0' | '0.98.0' = '0.98.0'): Pick<BadAnswer, 'server' | 'changes'> => ({
  server: { version, pipelines: [SPLIT] },
  changes: { target: { kind: 'template', reference: 'split-template' }, pollIntervalMs: 20_000 },
})

export const SNAPSHOT = { target: { kind: 'snapshot', reference: 'training-template' } } as const
export const PIPELINE = { target: { kind: 'pipeline', pipeline: 'training' } } as const
export const INITIALIZING = { startupSeconds: 3_600 } as const
export const deeply = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`

/** The step that meets a bad answer. */
export function stepOf(bad: BadAnswer, tell: () => void): StepOptions {
  const { way, server, changes, limits, before } = bad
  return {
    tamper: tamperWith(bad, tell),
    ...(way === undefined ? {} : { way }),
    ...(server === undefined ? {} : { server }),
    ...(changes === undefined ? {} : { changes }),
    ...(limits === undefined ? {} : { limits }),
    ...(before === undefined ? {} : { before }),
  }
}
