import { z } from 'zod'
import type { JsonObject } from '../base/json.ts'

/*
 * Only what is relied on, as servers 0.74 to 0.98 answer it. Fields that a version lacks are optional; body,
 * metadata and resources are null in an object that the account may not see (`permission_denied`).
 */

/** Of the largest graph that is read; more would keep the process from hearing a signal. */
const MOST_EDGES = 100_000

/** ZenML's are UUIDs; whatever else comes goes into a path, an output and the saved state no further than this. */
export const id = z.string().regex(/^[\w-]{1,100}$/)

export const reference = z.object({ id, name: z.string().nullish() }).nullish()

/** ZenML writes times in UTC without a zone. Gives milliseconds since the epoch. */
const time = z.string().transform((text, context) => {
  const ms = Date.parse(/(Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`)
  if (!Number.isNaN(ms)) return ms
  context.issues.push({ code: 'custom', message: 'not a time', input: text })
  return z.NEVER
})

/** What is only told to a person: whatever cannot be understood counts as not said. */
const moment = time.nullish().catch(undefined)
const dated = z
  .object({ body: z.object({ created: moment }).nullish() })
  .nullish()
  .catch(undefined)
const named = z.object({ name: z.string().nullish() }).nullish().catch(undefined)
const codeReference = z
  .object({ body: z.object({ commit: z.string() }) })
  .nullish()
  .catch(undefined)

export const tokenSchema = z.object({
  /** What can stand in a header. */
  access_token: z.string().regex(/^[\x21-\x7e]{1,16000}$/),
  /** Seconds; null where tokens never expire. */
  expires_in: z.number().nullish(),
})
export type Token = z.infer<typeof tokenSchema>

export const infoSchema = z.object({
  version: z.string(),
  deployment_type: z.string().nullish(),
  dashboard_url: z.string().nullish(),
  pro_api_url: z.string().nullish(),
})

export const accountSchema = z.object({
  id,
  name: z.string().nullish(),
  body: z.object({ default_project_id: id.nullish() }).nullish(),
})

export const projectSchema = z.object({ id, name: z.string() })

/**
 * A mapping of any shape, for what is only read where it can be understood. An answer is JSON, so its parts need
 * no look: a template's schema has tens of thousands.
 */
export const mapping = z
  .custom<JsonObject>((value) => typeof value === 'object' && value !== null && !Array.isArray(value))
  .nullish()
  .catch(undefined)

/** A run template or a snapshot: from 0.90 the first wraps the second, and both look alike. */
export const definitionSchema = z.object({
  id,
  name: z.string().nullish(),
  body: z
    .object({
      runnable: z.boolean().nullish(),
      project_id: id.nullish(),
      is_dynamic: z.boolean().nullish(),
      created: moment,
      /** Before 0.80; then in the resources. */
      user: named,
    })
    .nullish(),
  metadata: z
    .object({
      workspace: reference,
      project: reference,
      config_template: mapping,
      config_schema: mapping,
      pipeline_spec: mapping,
      source_snapshot_id: id.nullish(),
    })
    .nullish(),
  resources: z
    .object({
      pipeline: reference,
      source_snapshot: z
        .object({ id, body: z.object({ is_dynamic: z.boolean().nullish(), created: moment }).nullish() })
        .nullish(),
      /** Before 0.90 in place of a snapshot. */
      source_deployment: dated,
      stack: z
        .object({ permission_denied: z.boolean().nullish(), name: z.string().nullish().catch(undefined) })
        .nullish()
        .catch(undefined),
      user: named,
      code_reference: codeReference,
    })
    .nullish(),
})

export const runSchema = z.object({
  id,
  name: z.string().nullish(),
  /** In 0.82 and 0.83; later in the body. */
  project_id: id.nullish().catch(undefined),
  permission_denied: z.boolean().nullish(),
  body: z
    .object({
      status: z.string(),
      status_reason: z.string().nullish(),
      in_progress: z.boolean().nullish(),
      created: time.nullish(),
      updated: time.nullish().catch(undefined),
      project_id: id.nullish(),
      pipeline: reference,
      /** From 0.90 on in the resources. */
      stack: named,
      code_reference: codeReference,
    })
    .nullish(),
  metadata: z
    .object({
      end_time: time.nullish(),
      template_id: z.string().nullish(),
      workspace: reference,
      /** In 0.80 and 0.81 in place of the workspace. */
      project: reference,
      run_metadata: mapping,
      config: z
        .object({ extra: z.object({ github_actions: z.object({ start: z.string() }) }) })
        .nullish()
        .catch(undefined),
    })
    .nullish(),
  resources: z
    .object({
      pipeline: reference,
      source_snapshot: z
        .object({
          id,
          name: z.string().nullish(),
          body: z.object({ created: moment }).nullish().catch(undefined),
        })
        .nullish(),
      /** Its own; the body is null where the account may not see it. */
      snapshot: z
        .object({ body: z.object({ is_dynamic: z.boolean().nullish() }).nullish() })
        .nullish()
        .catch(undefined),
      model_version: z.object({ id }).nullish().catch(undefined),
      stack: named,
      code_reference: codeReference,
    })
    .nullish(),
})

export const stepSchema = z.object({
  id,
  name: z.string().nullish(),
  body: z.object({ status: z.string(), start_time: time.nullish(), end_time: time.nullish() }).nullish(),
})

interface Edge {
  readonly source: string
  readonly target: string
}

function isEdge(value: unknown): value is Edge {
  if (typeof value !== 'object' || value === null || !('source' in value && 'target' in value)) return false
  return typeof value.source === 'string' && typeof value.target === 'string'
}

function withoutArtifacts(nodes: unknown): unknown {
  return Array.isArray(nodes) ? nodes.filter((node) => !isArtifact(node)) : nodes
}

function isArtifact(node: unknown): boolean {
  return typeof node === 'object' && node !== null && 'type' in node && node.type === 'artifact'
}

/**
 * The graph of 5,000 steps has 10,000 nodes and as many edges, and a copy of each stays until all are read. So edges are
 * taken as they came, and artifacts, of which only edges are of interest, are left out first.
 */
export const dagSchema = z.object({
  /** Of the run. */
  id: id.nullish(),
  status: z.string(),
  nodes: z.preprocess(
    withoutArtifacts,
    z.array(
      z.object({
        node_id: z.string(),
        type: z.string(),
        /** Null for a step that has not started. */
        id: id.nullish(),
        name: z.string(),
        metadata: z
          .object({
            status: z.string().nullish(),
            start_time: time.nullish().catch(undefined),
            /** Seconds. */
            duration: z.number().nullish().catch(undefined),
            /** Of a wait condition. */
            question: z.string().nullish().catch(undefined),
          })
          .nullish(),
      }),
    ),
  ),
  edges: z.custom<readonly Edge[]>(
    (value) => Array.isArray(value) && value.length <= MOST_EDGES && value.every(isEdge),
  ),
})

/**
 * A page of a list; items beyond the page are counted in `total`. One that counts items and has none is no answer: it
 * must not say that there is nothing.
 */
export function pageOf<Item extends z.ZodType>(
  item: Item,
): z.ZodObject<{ total: z.ZodNumber; total_pages: z.ZodNumber; items: z.ZodArray<Item> }> {
  return z
    .object({ total: z.number(), total_pages: z.number(), items: z.array(item) })
    .refine(({ total, items }) => items.length > 0 || total === 0)
}
