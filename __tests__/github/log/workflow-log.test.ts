import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { anyText } from '../../any-text.ts'

import { inline, WorkflowLog } from '../../../src/github/log/workflow-log.ts'
import { readAsRunner } from '../runner-reader.ts'

function recorder() {
  const writes: string[] = []
  const log = new WorkflowLog((text) => writes.push(text))
  return { log, writes, read: () => readAsRunner(writes.join('')) }
}

/** Texts made of what a forger would use. */
const hostileText = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '::',
        '::error::',
        ':',
        '##[error]',
        '##[',
        '#',
        '[',
        ']',
        '\n',
        '\r',
        '\t',
        ' ',
        ',',
        '=',
        '%0A',
        '%3A',
      ),
      fc.constantFrom('error', 'add-mask', 'set-output name=x', 'stop-commands', 'warning file=a,line=1'),
      fc.constantFrom(
        '\u001b[31m',
        '\u001b]8;;x\u0007',
        '\u009b0m',
        '\u202e',
        '\u200d',
        '\u2028',
        '\u0085',
        '\ufeff',
      ),
      anyText(4),
    ),
    { maxLength: 30 },
  )
  .map((parts) => parts.join(''))

const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u

test.each([
  '::error::forged',
  '  \t::error title=x::forged',
  '\u00a0::add-mask::a',
  'harmless ##[error]forged',
  'a\n::error::forged',
  'a\r::error::forged',
  '##[add-mask]a',
  '####[error]forged',
  '::stop-commands::me\n::error::forged',
  '\u001b[0m::error::forged',
  '#\u001b[0m#[error]forged',
  '\ufeff::error::forged',
])('a line of our own that holds %j is no command', (text) => {
  const { log, read } = recorder()
  log.info(text)
  log.info(inline(text))
  log.info(`${inline(text)} is running`)
  expect(read().commands).toEqual([])
})

test('no text makes an own line a command', () => {
  fc.assert(
    fc.property(hostileText, (text) => {
      const { log, read } = recorder()
      log.info(text)
      log.info(`step ${inline(text)} failed`)
      expect(read().commands).toEqual([])
    }),
    { numRuns: 1000 },
  )
})

test('no text inside an annotation makes a second command or another property', () => {
  fc.assert(
    fc.property(hostileText, hostileText, (message, title) => {
      const { log, read } = recorder()
      log.error(message, { title })
      const { commands } = read()
      expect(commands.map((command) => command.name)).toEqual(['error'])
      const names = Object.keys(commands[0]?.properties ?? {})
      expect(names.filter((name) => name !== 'title')).toEqual([])
    }),
    { numRuns: 1000 },
  )
})

test('no text of a server is a command, shows an invisible character, or stands without its bar', () => {
  fc.assert(
    fc.property(fc.array(hostileText, { maxLength: 5 }), hostileText, (lines, title) => {
      const { log, writes, read } = recorder()
      log.serverText(lines, title)
      expect(writes.length).toBeLessThanOrEqual(1)
      const { commands, shown } = read()
      expect(commands).toEqual([])
      // Bar and broken brackets hold also for a reader that knows no fence.
      const unfenced = writes.join('').replaceAll(/^::.*$/gm, '')
      expect(readAsRunner(unfenced).commands).toEqual([])
      for (const line of writes.join('').split('\n')) {
        expect(line.replaceAll('\t', '')).not.toMatch(UNPRINTABLE)
      }
      const fenced = writes.join('').split(/^::stop-commands::.*$/m)[1] ?? ''
      const inside = fenced.split('\n').slice(1, -2)
      expect(inside.filter((line) => !line.startsWith('│ '))).toEqual([])
      expect(shown).toEqual(expect.arrayContaining(inside))
    }),
    { numRuns: 1000 },
  )
})

test('after a block of server text our own commands work again', () => {
  const { log, read } = recorder()
  log.serverText(['::error::forged', '::stop-commands::x'], 'Log')
  log.warning('ours')
  expect(read().commands).toEqual([{ name: 'warning', data: 'ours', properties: {} }])
})

test('a block of server text is one write, fenced, with its title above', () => {
  const { log, writes } = recorder()
  log.serverText(['first\r\nsecond\tline\rthird'], 'log of train')
  expect(writes).toHaveLength(1)
  const token = /^::stop-commands::([0-9a-f-]{36})$/m.exec(writes[0] ?? '')?.[1] ?? 'none'
  expect(writes[0]).toBe(
    `log of train\n::stop-commands::${token}\n│ first\n│ second\tline\n│ third\n::${token}::\n`,
  )
})

test('each block has its own fence', () => {
  const { log, writes } = recorder()
  log.serverText(['a'], 'Log')
  log.serverText(['a'], 'Log')
  expect(writes[0]).not.toBe(writes[1])
})

test('colours and bidirectional marks of a server are taken out of its text', () => {
  const { log, read } = recorder()
  log.serverText(['\u001b[31mred\u001b[0m and \u202etxt.exe\u202c\n#\u001b[0m#[error]forged'], 'Log')
  expect(read().shown.slice(1, 3)).toEqual(['│ red and txt.exe', '│ ## [error]forged'])
})

test('a very long line is cut', () => {
  const { log, read } = recorder()
  log.serverText(['x'.repeat(1_000_000)], 'Log')
  expect(read().shown[1]).toHaveLength(1002)
  expect(read().shown[1]).toMatch(/…$/)
})

test('an empty text of a server writes no fence', () => {
  const { log, writes } = recorder()
  log.serverText([], 'the server gave no log')
  expect(writes).toEqual(['the server gave no log\n'])
})

test("a server's short text is one line, its characters visible, and of bounded length", () => {
  expect(inline('two\nlines \u202eoff\u0007')).toBe('two\\nlines \\u{202e}off\\u{7}')
  expect(inline('\u001b[1mtrain\u001b[0m')).toBe('train')
  expect(inline('::error::x')).toBe(': :error::x')
  expect(inline('std::vector')).toBe('std::vector')
  expect(inline('😀'.repeat(300), 10)).toBe('😀😀😀😀…')
})

test('annotations carry a title, with every character that has a meaning escaped', () => {
  const { log, writes } = recorder()
  log.error('100%\nfailed', { title: 'train: a, b' })
  expect(writes).toEqual(['::error title=train%3A a%2C b::100%25%0Afailed\n'])
})

test('an annotation has at most 4096 characters', () => {
  const { log, read } = recorder()
  log.warning('y'.repeat(10_000))
  expect(read().commands[0]?.data).toHaveLength(4096)
})

test('the eleventh annotation of a kind is a plain line, as the runner would drop it', () => {
  const { log, read } = recorder()
  for (let count = 1; count <= 11; count += 1) log.warning(`number ${count}`, { title: 'Slow' })
  log.error('another kind')
  const { commands, shown } = read()
  expect(commands.filter((command) => command.name === 'warning')).toHaveLength(10)
  expect(commands.at(-1)).toMatchObject({ name: 'error', data: 'another kind' })
  expect(shown).toContain('Warning: Slow: number 11')
})

test('a secret is masked whole, and one under four characters is not', () => {
  const { log, read } = recorder()
  log.mask('ZENKEY_50%\nsecond')
  log.mask('abc')
  log.mask('abcd')
  expect(read().commands).toEqual(
    ['ZENKEY_50%\nsecond', 'abcd'].map((data) => ({ name: 'add-mask', data, properties: {} })),
  )
})

test('lines of our own are folded under a title, in one write', () => {
  const { log, writes, read } = recorder()
  log.fold('Run ::x::\n##[error]y', ['inside', '::error::forged'])
  expect(writes).toHaveLength(1)
  expect(read().commands.map(({ name, data }) => [name, data])).toEqual([
    ['group', 'Run ::x::\\n##[error]y'],
    ['endgroup', ''],
  ])
  expect(read().shown).toEqual(['inside', ': :error::forged', ''])
})

test('a block of server text is folded under its title, and its group ends behind its fence', () => {
  const { log, writes, read } = recorder()
  log.serverText(['first', '::endgroup::'], 'Log of train', { isFolded: true })
  expect(writes).toHaveLength(1)
  expect(read().commands.map(({ name, data }) => [name, data])).toEqual([
    ['group', 'Log of train'],
    ['endgroup', ''],
  ])
  expect(read().shown).toEqual(['│ first', '│ : :endgroup::', ''])
})

test('debug lines are commands of their own kind', () => {
  const { log, read } = recorder()
  log.debug('a\n::error::b')
  expect(read().commands).toEqual([{ name: 'debug', data: 'a\n::error::b', properties: {} }])
})
