import { X509Certificate } from 'node:crypto'
import { resolve } from 'node:path'

import { fileProblem, type ReadFile } from '../workflow/files.ts'
import { inputFault, type InputFault } from './faults.ts'
import { cut, quote } from '../../base/printable.ts'

/** CA certificates that the input `ca-certificate` gives, and what is wrong with it. */
export interface ReadAuthorities {
  /** PEM texts, one certificate each; none that has expired. */
  readonly authorities: readonly string[]
  readonly notices: readonly string[]
  readonly faults: readonly InputFault[]
}

/** All public CA certificates together have about 250 KB. */
const MAX_KILOBYTES = 1024
const MAX_SUBJECT_LENGTH = 100
/** Of the certificates with a problem; the others are counted. */
const MAX_NAMED = 3

/**
 * Reads CA certificates to trust: one or several certificates as PEM text, or the path of a file that holds them.
 *
 * @param workspace where relative paths begin
 */
export async function readAuthorities(
  given: string | undefined,
  { workspace, readFile }: { readonly workspace: string; readonly readFile: ReadFile },
): Promise<ReadAuthorities> {
  const text = given?.trim() ?? ''
  if (text === '') return { authorities: [], notices: [], faults: [] }
  if (!isPath(text)) return readPem(text, '')
  const file = await readFile(resolve(workspace, text), MAX_KILOBYTES * 1024)
  if (!file.ok) {
    const missing = 'write the path of a PEM file on this runner, or the PEM text itself'
    return fault(`${quote(text)} ${fileProblem(file, { kind: 'PEM', maxKilobytes: MAX_KILOBYTES, missing })}`)
  }
  const content = Buffer.from(file.bytes)
  return readPem(content.toString('latin1'), `${quote(text)} `)
}

/**
 * Neither PEM nor what was inside of it: that may be a private key, and must not be shown as a path would be. `\n` can
 * stand for a line end, or begin a folder's name on Windows.
 */
function isPath(text: string): boolean {
  const isOfWindows = /^(?:[A-Za-z]:|\.{0,2})\\|\.\w{2,4}$/.test(text)
  return (
    !/-----|[\r\n]/.test(text) &&
    (isOfWindows || !text.includes('\\n')) &&
    !/^MI[A-Za-z0-9+/=\s]{60}/.test(text) &&
    text.length <= 4096
  )
}

function readPem(text: string, where: string): ReadAuthorities {
  if (/-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----/.test(text)) {
    return fault(`${where}contains a private key, which must never leave its server; give only certificates`)
  }
  if (!text.includes('-----BEGIN') && text.includes('\\n')) {
    return fault(
      `${where}contains \\n where line breaks should be; give it as a YAML block (ca-certificate: |)`,
    )
  }
  const blocks = text
    .split(/(?=-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----)/)
    .filter((part) => /^-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----/.test(part))
  if (blocks.length === 0) {
    const is = text.trim() === '' ? 'is empty' : 'contains no certificate'
    return fault(`${where}${is}; give PEM text, which begins with -----BEGIN CERTIFICATE-----, or its file`)
  }
  return judge(blocks, where)
}

function judge(blocks: readonly string[], where: string): ReadAuthorities {
  const authorities: string[] = []
  const unusable: string[] = []
  const broken: string[] = []
  for (const [index, block] of blocks.entries()) {
    const which = blocks.length === 1 ? 'the certificate' : `certificate ${index + 1} of ${blocks.length}`
    const certificate = parse(block)
    if (certificate === undefined) {
      broken.push(`${where}${which} is broken or incomplete; copy it again with its BEGIN and END lines`)
      continue
    }
    const problem = timeProblem(certificate)
    if (problem === undefined) authorities.push(certificate.toString())
    else unusable.push(`${where}${which}, ${subjectOf(certificate)}, ${problem}`)
  }
  if (broken.length > 0) return fault(...firstOf(broken))
  // In a bundle an old one harms nobody; alone, it is the mistake.
  if (authorities.length === 0)
    return fault(...firstOf(unusable.map((line) => `${line}; give one that is valid now`)))
  return {
    authorities,
    notices: firstOf(unusable.map((line) => `${line}, so it is ignored`)).map(
      (line) => `ca-certificate: ${line}`,
    ),
    faults: [],
  }
}

function firstOf(lines: readonly string[]): string[] {
  const left = lines.length - MAX_NAMED
  return left > 0 ? [...lines.slice(0, MAX_NAMED), `and ${left} more like these`] : [...lines]
}

function parse(block: string): X509Certificate | undefined {
  const end = /-----END (?:X509 |TRUSTED )?CERTIFICATE-----/.exec(block)
  if (end === null) return undefined
  try {
    return new X509Certificate(block.slice(0, end.index + end[0].length))
  } catch {
    return undefined
  }
}

function timeProblem({ validFrom, validTo }: X509Certificate): string | undefined {
  const now = Date.now()
  if (Date.parse(validTo) < now) return `expired on ${day(validTo)}`
  return Date.parse(validFrom) > now ? `is not valid before ${day(validFrom)}` : undefined
}

function day(time: string): string {
  return new Date(time).toISOString().slice(0, 10)
}

function subjectOf({ subject }: X509Certificate): string {
  const name = /^CN=(.+)$/m.exec(subject)?.[1] ?? subject.replaceAll('\n', ', ')
  return quote(cut(name, MAX_SUBJECT_LENGTH), MAX_SUBJECT_LENGTH)
}

function fault(...problems: readonly string[]): ReadAuthorities {
  const faults = problems.map((problem) => inputFault('ca-certificate', problem))
  return { authorities: [], notices: [], faults }
}
