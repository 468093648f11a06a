import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

/** Has a module loaded into the action's process before the action itself; `work` gets the variables for it. */
export async function withPreload(
  code: string,
  work: (env: Readonly<Record<string, string>>) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'preload-'))
  try {
    const file = path.join(folder, 'preload.mjs')
    await writeFile(file, code)
    await work({ NODE_OPTIONS: `--import=${pathToFileURL(file).href}` })
  } finally {
    await rm(folder, { recursive: true })
  }
}
