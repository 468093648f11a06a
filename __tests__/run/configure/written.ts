import { parseMapping } from '../../../src/github/inputs/yaml.ts'
import type { Layer } from '../../../src/run/configure/layers.ts'

/** A text of the user as a layer, with its places. */
export async function written(text: string, source = 'parameters'): Promise<Layer> {
  const parsed = await parseMapping(text, (words) => words)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  const { ok: _, ...layer } = parsed
  return { source, ...layer }
}
