import { z } from 'zod'
import { id } from '../schemas.ts'

/** What an artifact version shows a person, as servers list it: `html`, `image`, `csv`, `markdown` or `json`. */
export interface ArtifactLooks {
  /** Of the artifact. */
  readonly name: string | undefined
  /** In the order of their indexes. */
  readonly visualizations: readonly { readonly id: string | undefined; readonly type: string }[]
}

/** A visualization that somebody chose for the page of a run. */
export interface CuratedVisualization {
  readonly artifactId: string
  readonly visualizationId: string
  readonly name: string | undefined
}

const text = z.string().optional().catch(undefined)

export const artifactLooksSchema = z.object({
  id,
  body: z
    .object({ artifact: z.object({ name: text }).nullish().catch(undefined) })
    .nullish()
    .catch(undefined),
  metadata: z
    .object({
      visualizations: z.array(
        z.object({
          id: id.optional().catch(undefined),
          body: z.object({ type: z.string() }).nullish().catch(undefined),
        }),
      ),
    })
    .nullish(),
})

/** Of a picture the value is base64. */
export const visualizationSchema = z.object({ type: z.string(), value: z.string() })
export type VisualizationAnswer = z.infer<typeof visualizationSchema>

export function toArtifactLooks({ body, metadata }: z.infer<typeof artifactLooksSchema>): ArtifactLooks {
  return {
    name: body?.artifact?.name,
    visualizations: (metadata?.visualizations ?? []).map((each) => ({
      id: each.id,
      type: each.body?.type ?? 'unknown',
    })),
  }
}

const curatedItem = z.object({
  body: z.object({
    artifact_version_id: id,
    artifact_visualization_id: id,
    display_name: text.nullable(),
    display_order: z.number().nullish().catch(undefined),
  }),
})

/** Those of a hydrated run, in the order that they were given. What has another shape is left out. */
export const curated = z
  .array(z.unknown())
  .transform((items) =>
    items
      .flatMap((item) => curatedItem.safeParse(item).data?.body ?? [])
      .toSorted((a, b) => (a.display_order ?? Number.MAX_VALUE) - (b.display_order ?? Number.MAX_VALUE))
      .map((body): CuratedVisualization => ({
        artifactId: body.artifact_version_id,
        visualizationId: body.artifact_visualization_id,
        name: body.display_name ?? undefined,
      })),
  )
  .nullish()
  .catch(undefined)
