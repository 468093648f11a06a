import { expect, test } from '@jest/globals'
import { LiveLog } from '../../../src/github/log/live-log.ts'
import { WorkflowLog } from '../../../src/github/log/workflow-log.ts'

function shown(use: (live: LiveLog, log: WorkflowLog) => void): string {
  let text = ''
  const log = new WorkflowLog((part) => {
    text += part
  })
  use(new LiveLog(log), log)
  return text
}

test('lines are fenced, so that none of them is a command, a terminal code or a secret', () => {
  const text = shown((live, log) => {
    log.mask('hunter22hunter22')
    const lines = ['::error::forged', '\u001b[31mred\u001b[0m', 'key: hunter22hunter22', '##[error]x']
    live.lines({ kind: 'step-log', step: 'train', lines, areSeveral: false })
  })
  const [, title, begin, ...rest] = text.trimEnd().split('\n')
  expect(title).toBe('Log of the step train:')
  expect(begin).toMatch(/^::stop-commands::[0-9a-f-]{36}$/)
  expect(rest.at(-1)).toBe(`::${begin?.split('::').at(-1)}::`)
  expect(rest.slice(0, -1)).toEqual([
    expect.stringMatching(/^│ :.?:error:.?:forged$/u),
    '│ red',
    '│ key: ***',
    expect.stringMatching(/^│ #.?#/u),
  ])
  expect(rest.join('\n')).not.toContain('##[')
})

test('of several steps, each line has the name of its own, on one line', () => {
  const text = shown((live) => {
    live.lines({ kind: 'step-log', step: 'a\n::error::b', lines: ['one', 'two'], areSeveral: true })
  })
  expect(text).not.toMatch(/^::error/m)
  expect(text.match(/^│ .*: (one|two)$/gm)).toHaveLength(2)
})

test('the name of the one step that runs stands once above its lines, and again after those of others', () => {
  const log = (step: string, line: string, areSeveral = false) =>
    ({ kind: 'step-log', step, lines: [line], areSeveral }) as const
  const text = shown((live) => {
    live.lines(log('train', '1'))
    live.lines(log('train', '2'))
    live.lines(log('train', '3', true))
    live.lines(log('train', '4'))
    live.lines(log('check', '5'))
  })
  const said = text.split('\n').filter((line) => line !== '' && !line.startsWith('::'))
  expect(said).toEqual([
    'Log of the step train:',
    ...['│ 1', '│ 2', '│ train: 3'],
    'Log of the step train:',
    '│ 4',
    'Log of the step check:',
    '│ 5',
  ])
})

test.each([true, false])('a secret that goes on over lines is hidden (several steps: %s)', (areSeveral) => {
  const key = 'ZENKEY_q8Jd0xVb3LmN7tRw2Yc5PzKa9Hf4Gs6E'
  const pieces = key.match(/.{1,10}/g) ?? []
  const text = shown((live, log) => {
    log.mask(key)
    live.lines({ kind: 'step-log', step: 'train', lines: ['before', '', ...pieces, 'behind'], areSeveral })
  })
  const block = text.slice(text.indexOf('│'))
  for (const piece of pieces) expect(block).not.toContain(piece)
  const name = areSeveral ? 'train: ' : ''
  expect(block).toContain(`│ ${name}before\n│ ${name}\n│ ${name}***`)
  expect(block).toContain(`│ ${name}behind\n`)
})

test('that a log is no longer followed is one line', () => {
  const text = shown((live) => {
    live.ended({ kind: 'logs-not-followed', step: 'train', why: 'no\n::error::x' })
    live.ended({ kind: 'logs-not-followed', step: undefined, why: 'the limit of 4 MB is reached' })
  })
  expect(text.trimEnd().split('\n')).toEqual([
    expect.stringMatching(/^The log of the step train is no longer followed: no/),
    'The log of the steps is no longer followed: the limit of 4 MB is reached',
  ])
})
