import type { z } from 'zod'
import type { definitionSchema, runSchema } from './schemas.ts'

/**
 * Where the code of a run comes from, as far as the server says. A template or snapshot holds the code that it was made
 * with. Times are milliseconds since the epoch; no text is blank.
 */
export interface CodeSource {
  /** Undefined for a run that was started without one, or does not name it. */
  readonly kind: 'template' | 'snapshot' | undefined
  /** Name, or else id. */
  readonly name: string | undefined
  readonly madeAt: number | undefined
  readonly madeBy: string | undefined
  /** When the code was recorded that a template was made of. */
  readonly recordedAt: number | undefined
  /** Only where ZenML's client knew the repository when it was made, and nothing in it was changed. */
  readonly commit: string | undefined
  /** A template does not say. */
  readonly stack: string | undefined
}

/** Reads it out of a hydrated template or snapshot. */
export function codeOfDefinition(
  kind: 'template' | 'snapshot',
  { id, name, body, resources }: z.infer<typeof definitionSchema>,
): CodeSource {
  return {
    kind,
    name: said(name) ?? id,
    madeAt: body?.created ?? undefined,
    madeBy: withoutAddress(said(resources?.user?.name ?? body?.user?.name)),
    recordedAt: (resources?.source_snapshot ?? resources?.source_deployment)?.body?.created ?? undefined,
    commit: said(resources?.code_reference?.body.commit),
    stack: said(resources?.stack?.name),
  }
}

/** Reads it out of a hydrated run. Before 0.90 that does not name its template; who made a snapshot it never says. */
export function codeOfRun({ body, resources }: z.infer<typeof runSchema>): CodeSource {
  const snapshot = resources?.source_snapshot
  return {
    kind: snapshot == null ? undefined : 'snapshot',
    name: said(snapshot?.name) ?? snapshot?.id,
    madeAt: snapshot?.body?.created ?? undefined,
    madeBy: undefined,
    recordedAt: undefined,
    commit: said((resources?.code_reference ?? body?.code_reference)?.body.commit),
    stack: said((resources?.stack ?? body?.stack)?.name),
  }
}

function said(text: string | null | undefined): string | undefined {
  return text == null || text.trim() === '' ? undefined : text
}

/** Accounts may be named by their e-mail address, and a comment of a public repository is read by everybody. */
function withoutAddress(name: string | undefined): string | undefined {
  return said(name?.split('@', 1)[0]) ?? name
}
