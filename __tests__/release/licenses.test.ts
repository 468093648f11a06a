import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from '@jest/globals'
import { ALLOWED_LICENSES, licensesOf } from '../../scripts/licenses.mjs'
import { bundledPackages } from '../../scripts/release/sbom.ts'
import { projectFile } from '../project/markdown.ts'

test('all that is in the bundle has a license that may be shipped', () => {
  const packages = bundledPackages(projectFile('dist/licenses.txt'))
  expect(packages.filter(({ license }) => !ALLOWED_LICENSES.includes(license))).toEqual([])
})

test.each(['GPL-3.0-only', '(MIT OR GPL-2.0)', undefined])(
  'a package with the license %s is not built in',
  (license) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'licenses-'))
    try {
      const inside = path.join(folder, 'node_modules/left-pad')
      mkdirSync(inside, { recursive: true })
      const write = (json: object): void =>
        writeFileSync(path.join(inside, 'package.json'), JSON.stringify(json))
      const stats = { toJson: () => ({ modules: [{ nameForCondition: path.join(inside, 'index.js') }] }) }
      write({ name: 'left-pad', version: '1.0.0', license: 'MIT' })
      expect(licensesOf(stats)).toBe('left-pad 1.0.0\n\nMIT\n')
      write({ name: 'left-pad', version: '1.0.0', license })
      expect(() => licensesOf(stats)).toThrow(`left-pad 1.0.0 has the license "${license}"`)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
)
