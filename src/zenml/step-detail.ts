import { z } from 'zod'
import type { JsonObject } from '../base/json.ts'
import { id, mapping, reference, runSchema, stepSchema } from './schemas.ts'
import { toNamed, toRun, toStep, type Named, type Run, type StepState } from './model.ts'
import { curated, type CuratedVisualization } from './answers/visualization.ts'

/** An artifact version that a step wrote. */
export interface StepOutput {
  readonly output: string
  readonly id: string
  readonly name: string | undefined
  readonly version: string | undefined
  readonly uri: string | undefined
  /** ZenML's kind of artifact, such as `DataArtifact` or `ModelArtifact`. */
  readonly type: string | undefined
  /** True if the account may see no more of it than its id. */
  readonly permissionDenied: boolean
}

/** All that a hydrated step has. */
export interface StepDetail {
  readonly state: StepState
  /** What was logged; undefined where the account may not see it, or it is no mapping. */
  readonly metadata: JsonObject | undefined
  readonly outputs: readonly StepOutput[]
  readonly exception: ExceptionInfo | undefined
  /** The step that its result was taken from: by a replay, which skips it, or from the cache. */
  readonly originalId?: string | undefined
}

/** A hydrated run. */
export interface RunDetail extends Run {
  /** Of a dynamic pipeline's own code, from 0.90 on. */
  readonly exception: ExceptionInfo | undefined
  /** What somebody chose to be looked at first, in their order; from 0.91 on. */
  readonly curated: readonly CuratedVisualization[]
  /** The run that this one replays; from 0.95 on. */
  readonly originalRun?: Named | undefined
}

const text = z.string().optional().catch(undefined)

const exception = z
  .object({
    /** The class with its module, such as `builtins.RuntimeError`. */
    source: text,
    message: text,
    /** From the user's own function on, if the exception passed through it. */
    traceback: text,
  })
  .optional()
  .catch(undefined)

/** What ZenML knows of an exception; 0.85 only its traceback, 0.74 nothing. */
export type ExceptionInfo = NonNullable<z.infer<typeof exception>>

const artifactVersion = z.object({
  id,
  permission_denied: z.boolean().nullish().catch(undefined),
  body: z
    .object({
      artifact: z.object({ name: text }).nullish().catch(undefined),
      version: z.string().or(z.number().transform(String)).optional().catch(undefined),
      uri: text,
      type: text,
    })
    .nullish()
    .catch(undefined),
})

/** By the output's name; a list, or one where a version has no lists. What has another shape is left out. */
const outputs = z
  .record(z.string(), z.unknown())
  .transform((named) =>
    Object.entries(named).flatMap(([output, value]) =>
      [value].flat().flatMap((item) => {
        const parsed = artifactVersion.safeParse(item)
        return parsed.success ? [toOutput(output, parsed.data)] : []
      }),
    ),
  )
  .nullish()
  .catch(undefined)

/** What was logged. Nothing at all counts as nothing logged; what is no mapping could not be read. */
const logged = z
  .unknown()
  .transform((value): JsonObject | undefined => mapping.parse(value ?? {}) ?? undefined)

/** A hydrated step: its outputs are in the body before 0.80 or so, later in the resources. */
export const stepDetailSchema = stepSchema.extend({
  body: stepSchema.shape.body.unwrap().unwrap().extend({ outputs }).nullish(),
  metadata: z
    .object({
      run_metadata: logged,
      pipeline_run_id: text,
      exception_info: exception,
      original_step_run_id: id.nullish().catch(undefined),
    })
    .nullish()
    .catch(undefined),
  resources: z.object({ outputs }).nullish().catch(undefined),
})

export const runDetailSchema = runSchema
  .extend({
    metadata: runSchema.shape.metadata.unwrap().unwrap().extend({ exception_info: exception }).nullish(),
    resources: runSchema.shape.resources
      .unwrap()
      .unwrap()
      .extend({ visualizations: curated, original_run: reference.catch(undefined) })
      .nullish(),
  })
  .transform((run): RunDetail => ({
    ...toRun(run),
    exception: run.metadata?.exception_info,
    curated: run.resources?.visualizations ?? [],
    originalRun: toNamed(run.resources?.original_run),
  }))

/** A log as far as a server gives it. */
export interface Log {
  /** Oldest first, each of one line or more. */
  readonly records: readonly string[]
  /** How many entries the server gave; a long record comes in several. Undefined where the log is one text. */
  readonly entries: number | undefined
  /** Whether it ends where the server ran out of room: within a record, or at the longest text that it gives. */
  readonly breaksOff: boolean
}

/** What servers before 0.85 give of a log by default, from its beginning (`get_step_logs`, in bytes). */
const MOST_TEXT = 16 * 1024 * 1024

const entry = z.object({
  message: z.string().catch(''),
  chunk_index: z.number().nullish().catch(undefined),
  total_chunks: z.number().nullish().catch(undefined),
})

/** A log: a list of entries from 0.85 on, one text before. */
export const logSchema = z.union([z.string().transform(splitRecords), z.array(entry).transform(joinPieces)])

export function toStepDetail(from: z.infer<typeof stepDetailSchema>): StepDetail {
  return {
    state: toStep(from),
    metadata: from.metadata?.run_metadata,
    outputs: from.resources?.outputs ?? from.body?.outputs ?? [],
    exception: from.metadata?.exception_info,
    originalId: from.metadata?.original_step_run_id ?? undefined,
  }
}

function toOutput(
  output: string,
  { id, body, permission_denied }: z.infer<typeof artifactVersion>,
): StepOutput {
  return {
    output,
    id,
    name: body?.artifact?.name,
    version: body?.version,
    uri: body?.uri,
    type: body?.type,
    permissionDenied: permission_denied === true,
  }
}

/** Each record begins with its time, as `[2026-01-31 12:00:00 UTC] `. */
function splitRecords(whole: string): Log {
  const records = whole.split(/(?:^|\n)\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\] /)
  return {
    records: records.filter((record) => record !== ''),
    entries: undefined,
    breaksOff: Buffer.byteLength(whole) >= MOST_TEXT,
  }
}

/** A record that is too long for one entry comes in pieces. */
function joinPieces(entries: readonly z.infer<typeof entry>[]): Log {
  const records: string[] = []
  for (const { message, chunk_index: piece } of entries) {
    const last = records.at(-1)
    if (last !== undefined && (piece ?? 0) > 0) records[records.length - 1] = last + message
    else records.push(message)
  }
  const { chunk_index: piece, total_chunks: pieces } = entries.at(-1) ?? {}
  return { records, entries: entries.length, breaksOff: (piece ?? 0) + 1 < (pieces ?? 1) }
}
