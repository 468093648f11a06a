import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { git } from '../../scripts/release/git.ts'
import { pack, readAssets, sha256, shippedFiles, writeAssets } from '../../scripts/release/pack.ts'
import { LICENSES, makeRepository, type Repository } from './repository.ts'
import { digests } from './scene.ts'

const NAMES = ['zenml-run-action-0.1.0.tar', 'sbom.cdx.json', 'SHA256SUMS']

let repository: Repository
let folder: string

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'pack-'))
  repository = makeRepository()
  repository.write('dist/index.js', 'run()\n')
  repository.write('dist/licenses.txt', LICENSES)
  repository.commit('Built')
})

afterAll(() => {
  repository.remove()
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
})

test('the assets are the same bytes in another folder, with another umask and in another time zone', () => {
  const assets = pack(repository.root)
  const other = path.join(folder, 'an other', 'clone')
  mkdirSync(path.dirname(other), { recursive: true })
  const [umask, zone] = [process.umask(0o077), process.env['TZ']]
  try {
    process.env['TZ'] = 'Pacific/Kiritimati'
    git(folder, 'clone', '--quiet', repository.root, other)
    git(other, 'config', 'tar.umask', '0007')
    git(other, 'config', 'core.autocrlf', 'true')
    // What is not committed is not shipped.
    writeFileSync(path.join(other, 'dist/index.js'), 'other()\n')
    expect(digests(pack(other))).toEqual(digests(assets))
  } finally {
    process.umask(umask)
    if (zone === undefined) delete process.env['TZ']
    else process.env['TZ'] = zone
  }
  expect([...assets.keys()]).toEqual(NAMES)
})

test('the archive holds what a workflow needs, readable by all, and tells its commit', () => {
  const tar = pack(repository.root).get(NAMES[0]!)!
  const id = spawnSync('git', ['get-tar-commit-id'], { input: tar, encoding: 'utf8' })
  expect(id.stdout.trim()).toBe(repository.git('rev-parse', 'HEAD'))

  const listed = spawnSync('tar', ['-tvf', '-'], { input: tar, encoding: 'utf8' }).stdout.trim().split('\n')
  const files = listed.filter((line) => !line.endsWith('/')).map((line) => line.split(' ').at(-1)!)
  expect(files.map((file) => file.replace('zenml-run-action-0.1.0/', '')).sort()).toEqual(
    [
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'action.yml',
      'dist/index.js',
      'dist/licenses.txt',
      ...['login', 'promote', 'resolve', 'stop', 'sweep', 'wait'].map((name) => `${name}/action.yml`),
    ].sort(),
  )
  expect(listed.filter((line) => !/^(?:-rw-r--r--|drwxr-xr-x) /.test(line))).toEqual([])
})

test('the checksums are those of the archive, the list of packages and each file', () => {
  const assets = pack(repository.root)
  const sums = assets.get('SHA256SUMS')!.toString('utf8').trimEnd().split('\n')
  const expected = [
    ...NAMES.slice(0, 2).map((name) => `${sha256(assets.get(name)!)}  ${name}`),
    ...shippedFiles(repository.root, 'HEAD').map(
      (file) => `${sha256(readFileSync(path.join(repository.root, file)))}  ${file}`,
    ),
  ]
  expect(sums).toEqual(expected)
  expect(sums.length).toBe(14)
})

test('another commit has another archive', () => {
  const before = pack(repository.root)
  repository.write('README.md', 'New\n')
  const commit = repository.commit('New')
  expect(pack(repository.root).get(NAMES[0]!)!.equals(before.get(NAMES[0]!)!)).toBe(false)
  expect(digests(pack(repository.root, `${commit}^`))).toEqual(digests(before))
})

test('without a build there is nothing to pack; a folder with other files is refused', () => {
  expect(() => pack(repository.root, 'HEAD~2')).toThrow('dist/licenses.txt is not in the commit')
  const out = path.join(folder, 'out')
  writeAssets(out, pack(repository.root))
  expect(digests(readAssets(out))).toEqual(expect.arrayContaining(digests(pack(repository.root))))
  expect(() => writeAssets(out, pack(repository.root))).toThrow('is not empty')
})
