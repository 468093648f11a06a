import { describe, expect, test } from '@jest/globals'
import { interfaceChanges, neededLevel } from '../../scripts/release/interface.ts'
import { ACTION_FILES } from '../../scripts/action-files.mjs'
import { marketplaceFaults } from '../../scripts/release/marketplace.ts'
import { projectFile } from '../project/markdown.ts'

const BEFORE = `
inputs:
  server-url: { description: Address }
  timeout: { description: How long, default: 30m }
  must: { description: To be given, required: true }
outputs:
  run-id: { description: ID }
runs: { using: node24, main: dist/main.js }
`

/** What is done to the action.yml above, what it is called, and what it needs. */
const CHANGES: readonly (readonly [
  string,
  (text: string) => string,
  string[],
  'patch' | 'minor' | 'major',
])[] = [
  ['nothing', (text) => text, [], 'patch'],
  ['another description', (text) => text.replace('How long', 'For how long'), [], 'patch'],
  ['another file that it starts', (text) => text.replace('main.js', 'start.js'), [], 'patch'],
  [
    'an input more',
    (text) => text.replace('inputs:', 'inputs:\n  extra: {}'),
    ['input extra is new'],
    'minor',
  ],
  [
    'an output more',
    (text) => text.replace('outputs:', 'outputs:\n  extra: {}'),
    ['output extra is new'],
    'minor',
  ],
  [
    'an input that has to be given',
    (text) => text.replace('inputs:', 'inputs:\n  extra: { required: true }'),
    ['input extra is new', 'input extra has to be given'],
    'major',
  ],
  [
    'an input that now has to be given',
    (text) => text.replace('Address', 'Address, required: true'),
    ['input server-url has to be given'],
    'major',
  ],
  ['an input that no longer has to be given', (text) => text.replace(', required: true', ''), [], 'patch'],
  ['an input less', (text) => text.replace(/^ {2}timeout.*\n/m, ''), ['input timeout is gone'], 'major'],
  [
    'an input renamed',
    (text) => text.replace('timeout:', 'time-out:'),
    ['input timeout is gone', 'input time-out is new'],
    'major',
  ],
  ['an output less', (text) => text.replace(/^ {2}run-id.*\n/m, ' {}\n'), ['output run-id is gone'], 'major'],
  [
    'an output renamed',
    (text) => text.replace('run-id', 'id'),
    ['output run-id is gone', 'output id is new'],
    'major',
  ],
  [
    'another default',
    (text) => text.replace('30m', '60m'),
    ["default of input timeout: '30m' → '60m'"],
    'major',
  ],
  [
    'a default less',
    (text) => text.replace(', default: 30m', ''),
    ["default of input timeout: '30m' → none"],
    'major',
  ],
  [
    'a default more',
    (text) => text.replace('Address', 'Address, default: here'),
    ["default of input server-url: none → 'here'"],
    'major',
  ],
  ['another Node', (text) => text.replace('node24', 'node26'), ['using: node24 → node26'], 'major'],
]

describe('what changed for workflows', () => {
  test.each(CHANGES)('%s', (_, change, texts, level) => {
    const changes = interfaceChanges(
      new Map([['action.yml', BEFORE]]),
      new Map([['action.yml', change(BEFORE)]]),
    )
    expect(changes.map(({ text }) => text)).toEqual(texts)
    expect(neededLevel(changes)).toBe(level)
  })

  test('a sub-action more is minor, one less is major; both are told with their file', () => {
    const [one, two] = [
      new Map([['action.yml', BEFORE]]),
      new Map([
        ['action.yml', BEFORE],
        ['wait/action.yml', BEFORE],
      ]),
    ]
    expect(interfaceChanges(one, two)).toEqual([
      { file: 'wait/action.yml', level: 'minor', text: 'the action is new' },
    ])
    expect(interfaceChanges(two, one)).toEqual([
      { file: 'wait/action.yml', level: 'major', text: 'the action is gone' },
    ])
  })

  test('the real files can be compared', () => {
    const files = new Map(ACTION_FILES.map((file) => [file, projectFile(file)]))
    expect(interfaceChanges(files, files)).toEqual([])
  })
})

describe('the Marketplace', () => {
  test.each(ACTION_FILES)('would list %s', (file) => {
    expect(marketplaceFaults(projectFile(file))).toEqual([])
  })

  test.each([
    ['name: ""', 'it has no name'],
    [`description: ${'x'.repeat(125)}`, 'the description has 125 characters, and must have fewer than 125'],
    ['branding: { icon: coffee, color: purple }', 'coffee is no icon that GitHub has'],
    ['branding: { icon: award, color: pink }', 'pink is no color that GitHub has'],
  ])('would not list an action with %s', (line, fault) => {
    const key = line.split(':')[0]!
    const lines = ['name: A', 'description: B', 'branding: { icon: award, color: purple }']
    expect(marketplaceFaults([...lines.filter((each) => !each.startsWith(key)), line].join('\n'))).toEqual([
      fault,
    ])
  })

  test('lists it under the name that the README and the repository have', () => {
    const name = /^name: (.*)$/m.exec(projectFile('action.yml'))?.[1]
    expect(projectFile('README.md')).toMatch(new RegExp(`^# ${name}\\n`))
    expect(name?.toLowerCase().replaceAll(' ', '-')).toBe(JSON.parse(projectFile('package.json')).name)
  })
})
