import { open, stat } from 'node:fs/promises'

/** A file's content, or why it cannot be had. */
export type FileContent =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | {
      readonly ok: false
      readonly reason: 'missing' | 'directory' | 'no-file' | 'too-large' | 'unreadable'
      /** The system's code, such as `EACCES`; empty where it has none. */
      readonly code: string
    }

/**
 * Why a file cannot be had and what to do, to stand behind its path.
 *
 * @param missing what to do where there is none
 */
export function fileProblem(
  { reason, code }: Extract<FileContent, { ok: false }>,
  {
    kind,
    maxKilobytes,
    missing,
  }: { readonly kind: string; readonly maxKilobytes: number; readonly missing: string },
): string {
  switch (reason) {
    case 'missing':
      return `does not exist; ${missing}`
    case 'directory':
      return `is a folder; write the path of one ${kind} file`
    case 'no-file':
      return `is a device or a pipe; write the path of one ${kind} file`
    case 'too-large':
      return `is larger than ${maxKilobytes} KB; is it the right file?`
    case 'unreadable':
      return `cannot be read${code === '' ? '' : ` (${code})`}; check its path and its permissions`
  }
}

/** Reads a whole file of at most `maxBytes`; never rejects. */
export type ReadFile = (path: string, maxBytes: number) => Promise<FileContent>

/** {@link ReadFile} on this machine's disk. Devices and pipes, which may have no end, are not read. */
export const readFile: ReadFile = async (path, maxBytes) => {
  try {
    const entry = await stat(path)
    if (entry.isDirectory()) return { ok: false, reason: 'directory', code: 'EISDIR' }
    if (!entry.isFile()) return { ok: false, reason: 'no-file', code: '' }
    if (entry.size > maxBytes) return { ok: false, reason: 'too-large', code: '' }
    return await readUpTo(path, maxBytes)
  } catch (error) {
    const code = systemCode(error)
    return { ok: false, reason: code === 'ENOENT' || code === 'ENOTDIR' ? 'missing' : 'unreadable', code }
  }
}

/** For how many milliseconds a file has been there, even if it was written again; undefined where it cannot be seen. */
export async function fileAgeMs(path: string): Promise<number | undefined> {
  try {
    const { birthtimeMs, mtimeMs } = await stat(path)
    // Some file systems do not know when it was made.
    return Date.now() - (birthtimeMs > 0 ? Math.min(birthtimeMs, mtimeMs) : mtimeMs)
  } catch {
    return undefined
  }
}

/** A file may grow while it is read, and some (under /proc) say that they are empty. */
async function readUpTo(path: string, maxBytes: number): Promise<FileContent> {
  const file = await open(path)
  try {
    const chunks: Uint8Array[] = []
    let length = 0
    for await (const chunk of file.createReadStream({ end: maxBytes, autoClose: false })) {
      if (!(chunk instanceof Uint8Array)) continue
      chunks.push(chunk)
      length += chunk.byteLength
    }
    if (length > maxBytes) return { ok: false, reason: 'too-large', code: '' }
    return { ok: true, bytes: Buffer.concat(chunks) }
  } finally {
    await file.close()
  }
}

/** The system's code of an error, such as `EACCES`; empty where it has none. */
export function systemCode(error: unknown): string {
  const hasCode = typeof error === 'object' && error !== null && 'code' in error
  return hasCode && typeof error.code === 'string' ? error.code : ''
}
