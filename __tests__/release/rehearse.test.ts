import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from '@jest/globals'
import { rehearse } from '../../scripts/release/rehearse.ts'
import { makeRepository } from './repository.ts'

test('a candidate, the first release, a patch and the roll back, told as a story', async () => {
  const repository = makeRepository()
  repository.write('.github/workflows/ci.yml', 'name: CI\n')
  repository.commit('CI')
  const folder = mkdtempSync(path.join(tmpdir(), 'rehearsal-'))
  const said: string[] = []
  try {
    const tags = await rehearse({
      source: repository.root,
      folder,
      releases: ['1.0.0-rc.1', '1.0.0', 'patch'],
      say: (line) => said.push(line),
    })
    expect([...tags.keys()]).toEqual(['v1', 'v1.0.0', 'v1.0.0-rc.1', 'v1.0.1'])
    expect(tags.get('v1')).toBe(tags.get('v1.0.0'))
    expect(tags.get('v1.0.1')).not.toBe(tags.get('v1.0.0'))
    const of = [
      ' prepare',
      ' merge',
      ' verify',
      ' rebuild',
      ' pack',
      ' draft',
      ' publish',
      ' check',
      ' move',
      ' again',
    ]
    expect(said.map((line) => ` ${line.split(' ')[0]}`)).toEqual([
      ...['v1.0.0-rc.1', 'v1.0.0', 'v1.0.1'].flatMap(() => [' ==', ...of]),
      ...[' ==', ' refused', ' move', ' again', ' All'],
    ])
    expect(said).toContain('move      v1.0.0-rc.1 is a candidate: v1 stays where it is.')
    expect(said.join('\n')).toMatch(
      /move {6}v1 leads to v1\.0\.1, \w{40}\. To undo it: gh workflow run published\.yml -f tag=v1\.0\.0 -f allow-older=true/,
    )
    // It only reads.
    expect(repository.git('status', '--porcelain')).toBe('')
    expect(repository.git('tag', '--list')).toBe('')
  } finally {
    repository.remove()
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
})
