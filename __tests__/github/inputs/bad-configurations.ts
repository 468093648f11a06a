import { KEY } from './given.ts'

/** What lies in the workspace, good and bad. */
export const workspaceFiles: Readonly<Record<string, string | Uint8Array>> = {
  'configs/run.yaml': 'steps:\n  train:\n    parameters:\n      epochs: 5\n      epochs: 6\n',
  'configs/list.yaml': '- a\n- b\n',
  'configs/empty.yaml': '# nothing here yet\n',
  'configs/model.bin': new Uint8Array([0x80, 0x04, 0x95, 0x00, 0xff, 0xfe]),
  'configs/utf16.yaml': new Uint8Array([0xff, 0xfe, 0x61, 0x00, 0x3a, 0x00]),
  'configs/nul.yaml': 'a: 1\0',
  'configs/broken.json': '{"steps": {"train": }',
  'configs/large.yaml': `# ${'x'.repeat(256 * 1024)}\n`,
  'configs/brackets.yaml': '['.repeat(256 * 1024),
  'configs/named.yaml': 'run_name: nightly\n',
  'events/fork.json': JSON.stringify({
    pull_request: {
      head: { repo: { full_name: 'contributor/project' } },
      base: { repo: { full_name: 'owner/project' } },
    },
  }),
  'events/deleted-fork.json': JSON.stringify({
    pull_request: { head: { repo: null }, base: { repo: { full_name: 'owner/project' } } },
  }),
  'events/own-branch.json': JSON.stringify({
    pull_request: {
      head: { repo: { full_name: 'owner/project' } },
      base: { repo: { full_name: 'owner/project' } },
    },
  }),
}

function bomb(): string {
  const levels = Array.from({ length: 9 }, (_, level) => {
    const name = String.fromCharCode(97 + level)
    const before = level === 0 ? 'lol' : `*${String.fromCharCode(96 + level)}`
    return `${name}: &${name} [${Array.from({ length: 9 }, () => before).join(', ')}]`
  })
  return levels.join('\n')
}

export const configurations: readonly (readonly [string, string])[] = [
  ['a list', '- train\n- load'],
  ['a number', '5'],
  ['a text', 'train.epochs 5'],
  ["a file's name", 'configs/run.yaml'],
  ['only a comment', '# later'],
  ['the null of YAML', '~'],
  ['a key twice', 'steps:\n  train: {}\n  load: {}\n  train: {}'],
  ['a key twice in JSON', '{"enable_cache": true, "enable_cache": false}'],
  ['a key twice, as number and text', '1: a\n"1": b'],
  ['an unclosed bracket', 'steps: {train: {parameters: {epochs: 5}'],
  ['an unclosed quote', 'run_name: "nightly'],
  ['a trailing text', '{"steps": {}} x'],
  ['half a JSON value', '{"steps": '],
  ['a tab as indentation', 'steps:\n\ttrain: {}'],
  ['a colon in a text', 'description: train: with more data'],
  ['an unknown escape', 'path: "C:\\data"'],
  ['a value that begins with @', 'owner: @data-team'],
  ['a value that begins with %', 'share: %50'],
  ['two documents', 'a: 1\n---\nb: 2'],
  ['a local tag', 'a: !secret key'],
  ['a Python tag', 'a: !!python/object/apply:os.system ["ls"]'],
  ['a set', 'a: !!set {x, y}'],
  ['a binary', 'a: !!binary aGVsbG8='],
  ['a merge key', 'base: &base {epochs: 5}\ntrain:\n  <<: *base'],
  ['a mapping as key', '? {a: 1}\n: b'],
  ['an alias as key', 'a: &a x\n*a : y'],
  ['an empty key', ': 5'],
  ['an unknown alias', 'a: *defaults'],
  ['an alias before its anchor', 'a: *x\nb: &x 5'],
  ['an alias to itself', 'a: &a [*a]'],
  ['a bomb', bomb()],
  ['more brackets than a stack holds', '['.repeat(20_000)],
  ['more mappings than a stack holds', '{a: '.repeat(25_000)],
  ['more lists than a stack holds', '- '.repeat(50_000)],
  ['an endless staircase', Array.from({ length: 150 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n')],
  ['a hundred mappings in each other', `${'{a: '.repeat(101)}1${'}'.repeat(101)}`],
  ['prototype keys', '__proto__: {polluted: true}\nconstructor: {prototype: {polluted: true}}'],
  ['a prototype key in JSON', '{"steps": {"__proto__": {"polluted": true}}}'],
  ['not a number', 'a: .nan\nb: .NaN'],
  ['infinity', 'a: .inf\nb: -.inf\nc: 1e999'],
  ['a number that is too exact', 'seed: 12345678901234567890'],
  ['a run name that is a number', 'enable_cache: true\nrun_name: 5'],
  ['an empty run name', 'run_name: " "'],
  ['a run name with a placeholder of the server', 'run_name: nightly-{pipeline}'],
  ['a run name of 256 characters', `run_name: ${'n'.repeat(231)}{date}{time}`],
  ['many faults', Array.from({ length: 9 }, (_, index) => `k${index}: *x`).join('\n')],
  ['hostile text', 'a: 1\n"##[error]\\u202e::error::": 1\n"##[error]\\u202e::error::": 2'],
  ['the key where a long text is cut', `${'k'.repeat(45)}${KEY}: 1\n`.repeat(2)],
  ['the key in a broken text', `${KEY}: 1\n${KEY}: 2\nx: *${KEY}`],
]

export const files: readonly (readonly [string, string])[] = [
  ['a file that is not there', 'configs/missing.yaml'],
  ['a file behind a file', 'configs/run.yaml/x.yaml'],
  ['a file in the home folder', '~/run.yaml'],
  ['a folder', 'configs'],
  ['a key twice in a file', 'configs/run.yaml'],
  ['a list in a file', 'configs/list.yaml'],
  ['an empty file', 'configs/empty.yaml'],
  ['a binary file', 'configs/model.bin'],
  ['a file in UTF-16', 'configs/utf16.yaml'],
  ['a file with a NUL', 'configs/nul.yaml'],
  ['broken JSON in a file', 'configs/broken.json'],
  ['a large file', 'configs/large.yaml'],
  ['a file of brackets', 'configs/brackets.yaml'],
  ['a name of two lines', 'configs/run.yaml\nconfigs/more.yaml'],
  ['a very long name', 'a/'.repeat(3000)],
  ['a configuration as file name', 'steps: {}'],
]
