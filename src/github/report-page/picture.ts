/** What a picture is, told by its first bytes; a server does not say it. */
const FORMATS: readonly (readonly [type: string, begins: RegExp])[] = [
  ['image/png', /^\x89PNG\r\n/],
  ['image/jpeg', /^\xff\xd8\xff/],
  ['image/gif', /^GIF8[79]a/],
  ['image/webp', /^RIFF[^]{4}WEBP/],
  ['image/svg+xml', /^(?:\xef\xbb\xbf)?\s*(?:<\?xml[^]{0,2000}|<!--[^]{0,2000})?<svg[\s>]/],
]

const LOOKED_AT = 5_000
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/

export interface Picture {
  /** Such as `image/png`. */
  readonly mediaType: string
  readonly bytes: Buffer
}

/** A picture that came in base64; undefined if it is none that browsers know. */
export function readPicture(base64: string): Picture | undefined {
  if (!BASE64.test(base64.replaceAll(/\s+/g, ''))) return undefined
  const bytes = Buffer.from(base64, 'base64')
  const begin = bytes.subarray(0, LOOKED_AT).toString('latin1')
  const mediaType = FORMATS.find(([, begins]) => begins.test(begin))?.[0]
  return mediaType === undefined ? undefined : { mediaType, bytes }
}
