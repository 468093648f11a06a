import { readdir, readFile, stat } from 'node:fs/promises'
import path from 'node:path'

/** All files below a folder that may not be there; hidden folders (caches) left out. */
async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  const nested = await Promise.all(
    entries.map(async (entry) => {
      const file = path.join(folder, entry.name)
      if (entry.isFile()) return [file]
      return entry.name.startsWith('.') ? [] : filesBelow(file)
    }),
  )
  return nested.flat().toSorted()
}

/** Every file below `folder`, by its path there, with its size. */
export async function fileSizes(folder: string): Promise<{ name: string; bytes: number }[]> {
  const files = await filesBelow(folder)
  return Promise.all(
    files.map(async (file) => ({ name: path.relative(folder, file), bytes: (await stat(file)).size })),
  )
}

/** How many TypeScript files and lines are below `folder`; caches left out. */
export async function sourceLines(folder: string): Promise<{ files: number; lines: number }> {
  const files = (await filesBelow(folder)).filter((file) => file.endsWith('.ts'))
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')))
  return { files: files.length, lines: texts.reduce((sum, text) => sum + text.split('\n').length - 1, 0) }
}
