import { createHash } from 'node:crypto'
import { formatVersion } from './version.ts'
import type { Project } from './project.ts'

/** A package whose code is in the bundle. */
export interface BundledPackage {
  readonly name: string
  readonly version: string
  /** An SPDX identifier or expression. */
  readonly license: string
}

/** One of the packages of package-lock.json. */
interface LockedPackage {
  readonly version?: string
  readonly integrity?: string
  readonly dependencies?: Readonly<Record<string, string>>
}

export interface SbomSource {
  readonly project: Project
  /** The text of dist/licenses.txt. */
  readonly licenses: string
  /** The text of package-lock.json. */
  readonly lock: string
}

/** The packages of dist/licenses.txt, in its order. */
export function bundledPackages(licenses: string): BundledPackage[] {
  return licenses.split(`\n\n${'-'.repeat(80)}\n\n`).map((section) => {
    const [, name, version, license] = /^(\S+) (\S+)\n\n(\S.*)(?:\n|$)/.exec(section) ?? []
    if (name === undefined || version === undefined || license === undefined) {
      throw new Error(
        `dist/licenses.txt: "${section.slice(0, 60)}" does not begin with a package and its license.`,
      )
    }
    return { name, version, license }
  })
}

/**
 * What is in the bundle, as CycloneDX 1.6: exactly the packages of dist/licenses.txt, with the checksums of
 * package-lock.json, and which of them needs which. The same input gives the same bytes: there is no time in it, and
 * the serial number is made of the content. Throws if a package of the bundle is not in the lock file.
 */
export function cyclonedx({ project, licenses, lock }: SbomSource): string {
  const packages = bundledPackages(licenses)
  const locked = (JSON.parse(lock) as { packages: Record<string, LockedPackage> }).packages
  const places = new Map(packages.map((each) => [placeOf(each, locked), each]))
  const refs = (place: string): string[] =>
    Object.keys(locked[place]?.dependencies ?? {})
      .flatMap((name) => places.get(resolve(place, name, locked)) ?? [])
      .map(purl)
      .sort()
  const self = `pkg:github/${project.repository}@v${formatVersion(project.version)}`
  const content = {
    version: 1,
    metadata: {
      lifecycles: [{ phase: 'build' }],
      component: {
        type: 'application',
        'bom-ref': self,
        name: project.name,
        version: formatVersion(project.version),
        licenses: [{ license: { id: 'MIT' } }],
        purl: self,
      },
    },
    components: [...places].map(([place, each]) => component(each, locked[place]?.integrity)),
    dependencies: [
      { ref: self, dependsOn: refs('') },
      ...[...places].map(([place, each]) => ({ ref: purl(each), dependsOn: refs(place) })),
    ],
  }
  const whole = {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${uuidOf(JSON.stringify(content))}`,
    ...content,
  }
  return `${JSON.stringify(whole, undefined, 2)}\n`
}

/** Where npm installs the package, such as `node_modules/undici`. */
function placeOf({ name, version }: BundledPackage, locked: Readonly<Record<string, LockedPackage>>): string {
  const found = Object.keys(locked).find(
    (place) => place.endsWith(`node_modules/${name}`) && locked[place]?.version === version,
  )
  if (found === undefined)
    throw new Error(`package-lock.json has no ${name} ${version}, which is in the bundle.`)
  return found
}

/** Where a package finds another one: below it, or below one of the folders around it. */
function resolve(from: string, name: string, locked: Readonly<Record<string, LockedPackage>>): string {
  for (let place = from; place !== ''; place = place.replace(/\/?node_modules\/(?:@[^/]+\/)?[^/]+$/, '')) {
    if (`${place}/node_modules/${name}` in locked) return `${place}/node_modules/${name}`
  }
  return `node_modules/${name}`
}

function component(bundled: BundledPackage, integrity: string | undefined): object {
  const [group, name] = bundled.name.startsWith('@') ? bundled.name.split('/') : [undefined, bundled.name]
  const sha512 = /^sha512-(.+)$/.exec(integrity ?? '')?.[1]
  const isExpression = bundled.license.includes(' ')
  return {
    type: 'library',
    'bom-ref': purl(bundled),
    ...(group === undefined ? {} : { group }),
    name,
    version: bundled.version,
    scope: 'required',
    ...(sha512 === undefined
      ? {}
      : { hashes: [{ alg: 'SHA-512', content: Buffer.from(sha512, 'base64').toString('hex') }] }),
    licenses: [isExpression ? { expression: bundled.license } : { license: { id: bundled.license } }],
    purl: purl(bundled),
  }
}

function purl({ name, version }: BundledPackage): string {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`
}

/** A UUID of version 8, which leaves the choice of its bits to us: those of a checksum. */
function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex')
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 0x3) | 0x8).toString(16)
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    variant + hex.slice(17, 20),
    hex.slice(20, 32),
  ].join('-')
}
