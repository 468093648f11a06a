/** A key as ZenML makes them, with the characters of base64 that other programs escape. */
export const KEY =
  'ZENKEY_eyJpZCI6ICIwMWIyYzNkNC01ZTZmLTRhMWItOGMyZC0zZTRmNWE2YjdjOGQiLCAia2V5IjogIn4/Pn4/PjdmM2E5ZGMx+2U0YjI2MDhm/2E1YzFkM2I3In0='

const encode = encodeURIComponent
const base64 = (text: string, encoding: 'base64' | 'base64url' = 'base64'): string =>
  Buffer.from(text).toString(encoding)
const escaped = (text: string): string =>
  text.replaceAll(
    /[^A-Za-z0-9]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0').toUpperCase()}`,
  )
const wholly = (text: string): string =>
  text.replaceAll(/./g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`)
const entities = (text: string): string =>
  text.replaceAll(/[^A-Za-z0-9]/g, (sign) => `&#${sign.charCodeAt(0)};`)
const lower = (text: string): string => text.replaceAll(/%\w\w/g, (code) => code.toLowerCase())

/** What servers, proxies and libraries make of a secret, by what a person would call it. */
export const SECRET_FORMS: readonly (readonly [name: string, form: (secret: string) => string])[] = [
  ['as it is', (secret) => secret],
  ['with JSON escapes', escaped],
  ['with JSON escapes of JSON escapes', (secret) => JSON.stringify(escaped(secret))],
  ['wholly in JSON escapes of JSON escapes', (secret) => JSON.stringify(wholly(secret))],
  ['percent-encoded', encode],
  ['percent-encoded in lower case', (secret) => lower(encode(secret))],
  ['percent-encoded twice', (secret) => lower(encode(encode(secret)))],
  ['wholly percent-encoded', (secret) => Buffer.from(secret).toString('hex').replaceAll(/../g, '%$&')],
  ['as a form sends it', (secret) => new URLSearchParams({ password: secret }).toString()],
  ['with HTML entities', entities],
  [
    'with hexadecimal entities',
    (secret) => secret.replaceAll(/[^A-Za-z]/g, (c) => `&#x${c.charCodeAt(0).toString(16)};`),
  ],
  [
    'with named entities',
    (secret) => secret.replaceAll('+', '&plus;').replaceAll('/', '&sol;').replaceAll('=', '&equals;'),
  ],
  ['with entities of entities', (secret) => entities(secret).replaceAll('&', '&amp;')],
  ['in base64', (secret) => base64(secret)],
  ['in base64 behind one byte', (secret) => base64(`.${secret}`)],
  ['in base64 behind two bytes', (secret) => base64(`..${secret}`)],
  ['as the header Authorization in base64', (secret) => base64(`Bearer ${secret}`)],
  ['in base64 of JSON', (secret) => base64(JSON.stringify({ authorization: `Bearer ${secret}` }))],
  ['in base64url', (secret) => base64(`Bearer ${secret}`, 'base64url')],
  ['in base64 with line ends', (secret) => base64(`Bearer ${secret}`).replaceAll(/.{19}/g, '$&\n')],
  ['in hex', (secret) => Buffer.from(secret).toString('hex')],
  [
    'in upper-case hex with colons',
    (secret) =>
      Buffer.from(secret)
        .toString('hex')
        .toUpperCase()
        .replaceAll(/..(?=.)/g, '$&:'),
  ],
  ['in the numbers of its bytes', (secret) => [...Buffer.from(secret)].join(',')],
  ['in the numbers of its bytes with spaces', (secret) => [...Buffer.from(secret)].join(', ')],
  ['as JSON of a Buffer', (secret) => JSON.stringify(Buffer.from(secret))],
  ['without its end', (secret) => secret.slice(0, -3)],
  ['cut after 40 characters', (secret) => secret.slice(0, 40)],
  ['without its beginning', (secret) => secret.slice(-20)],
  ['in upper case', (secret) => secret.toUpperCase()],
  ['in lower case', (secret) => secret.toLowerCase()],
  ['over several lines', (secret) => secret.replaceAll(/.{7}/g, '$&\r\n')],
  ['with spaces', (secret) => secret.replaceAll(/.{4}/g, '$& ')],
  ['with characters of no width', (secret) => secret.replaceAll(/./g, '$&\u200B')],
  ['with joiners and marks', (secret) => secret.replaceAll(/.{3}/g, '$&\u200D\u2060\uFEFF')],
  ['with soft hyphens', (secret) => secret.replaceAll(/.{5}/g, '$&\u00AD')],
  ['in halves of a list', (secret) => JSON.stringify([secret.slice(0, 30), secret.slice(30)])],
  ['in an address', (secret) => `https://zenml.example.com/a/${secret}/b?c=${encode(secret)}#d`],
  ['between letters', (secret) => `x${secret}x`],
]
