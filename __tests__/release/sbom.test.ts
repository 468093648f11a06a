import { existsSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { Spec, Validation } from '@cyclonedx/cyclonedx-library'
import { readProject } from '../../scripts/release/project.ts'
import { bundledPackages, cyclonedx } from '../../scripts/release/sbom.ts'
import { projectFile } from '../project/markdown.ts'

const ROOT = path.join(import.meta.dirname, '../..')

const source = {
  project: readProject(ROOT),
  licenses: projectFile('dist/licenses.txt'),
  lock: projectFile('package-lock.json'),
}
const text = cyclonedx(source)

/** As much of it as the tests read. */
interface Bom {
  readonly serialNumber: string
  readonly metadata: { readonly component: { readonly 'bom-ref': string } }
  readonly components: readonly {
    readonly group?: string
    readonly name: string
    readonly version: string
    readonly purl: string
    readonly hashes: readonly { readonly content: string }[]
  }[]
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[]
}

function read(json: string): Bom {
  return JSON.parse(json) as Bom
}

const bom = read(text)

const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6)

describe('the list of what is in the bundle', () => {
  test('is valid CycloneDX 1.6', async () => {
    expect(await validator.validate(text)).toBeNull()
    // The validator sees what is wrong.
    expect(await validator.validate(text.replace('"library"', '"libary"'))).not.toBeNull()
  })

  test('has the packages of licenses.txt, and no others', () => {
    const headings = source.licenses
      .split(`\n\n${'-'.repeat(80)}\n\n`)
      .map((section) => section.split('\n')[0])
    const listed = bom.components.map(({ group, name, version }) => {
      return `${group === undefined ? '' : `${group}/`}${name} ${version}`
    })
    expect(listed).toEqual(headings)
    expect(listed.length).toBeGreaterThan(10)
    // Installed are many more.
    expect(existsSync(path.join(ROOT, 'node_modules/typescript'))).toBe(true)
    expect(text).not.toContain('typescript')
  })

  test('has the version, license and checksum of each', () => {
    const { packages } = JSON.parse(source.lock)
    const core = bom.components.find(({ purl }) => purl.startsWith('pkg:npm/%40octokit/core@'))
    const { version, license, integrity } = packages['node_modules/@octokit/core']
    expect(core).toMatchObject({
      group: '@octokit',
      name: 'core',
      version,
      licenses: [{ license: { id: license } }],
    })
    const sha512 = Buffer.from(core!.hashes[0]!.content, 'hex').toString('base64')
    expect(`sha512-${sha512}`).toBe(integrity)
    for (const { hashes } of bom.components) expect(hashes).toHaveLength(1)
  })

  test('says what the action needs, and what those need', () => {
    const [self, ...others] = bom.dependencies
    expect(self!.ref).toBe(bom.metadata.component['bom-ref'])
    expect(self!.dependsOn.map((ref) => ref.replace(/@[^@]*$/, ''))).toEqual(
      Object.keys(JSON.parse(projectFile('package.json')).dependencies)
        .map((name) => `pkg:npm/${name.replace('@', '%40')}`)
        .sort(),
    )
    const reached = new Set([self!.ref])
    for (const ref of reached) {
      const found = bom.dependencies.find((each) => each.ref === ref)
      for (const next of found!.dependsOn) reached.add(next)
    }
    expect(others.filter(({ ref }) => !reached.has(ref))).toEqual([])
  })

  test('is the same every time, and another one for another content', () => {
    expect(cyclonedx(source)).toBe(text)
    expect(text).not.toMatch(/\d{4}-\d\d-\d\dT/)
    const other = read(
      cyclonedx({ ...source, project: { ...source.project, version: { major: 9, minor: 0, patch: 0 } } }),
    )
    expect(other.serialNumber).not.toBe(bom.serialNumber)
  })

  test('cannot be made of a bundle that was built from other packages than those of the lock file', () => {
    const licenses = source.licenses.replace(/^yaml \S+/m, 'yaml 1.2.3')
    expect(() => cyclonedx({ ...source, licenses })).toThrow('package-lock.json has no yaml 1.2.3')
    expect(() => bundledPackages('something else')).toThrow('does not begin with a package')
  })
})

test('a package inside another one is the one that the outer one needs', () => {
  const lock = JSON.stringify({
    packages: {
      '': { dependencies: { a: '1', b: '1' } },
      'node_modules/a': { version: '1.0.0', dependencies: { b: '2' } },
      'node_modules/a/node_modules/b': { version: '2.0.0' },
      'node_modules/b': { version: '1.0.0' },
    },
  })
  const section = (name: string): string => `${name}\n\nMIT\n\nText`
  const licenses = ['a 1.0.0', 'b 1.0.0', 'b 2.0.0'].map(section).join(`\n\n${'-'.repeat(80)}\n\n`)
  const { dependencies } = read(cyclonedx({ project: source.project, lock, licenses }))
  expect(dependencies.map(({ dependsOn }) => dependsOn)).toEqual([
    ['pkg:npm/a@1.0.0', 'pkg:npm/b@1.0.0'],
    ['pkg:npm/b@2.0.0'],
    [],
    [],
  ])
})
