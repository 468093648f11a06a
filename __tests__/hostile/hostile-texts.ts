/** A text that somebody who can name a pipeline, a step or an account may write, to do more than be read. */
export interface HostileText {
  readonly title: string
  readonly text: string
}

const TRACEBACK = [
  'Traceback (most recent call last):',
  '  File "/app/train.py", line 3, in train',
  "    raise ValueError('no rows')",
  'ValueError: no rows',
].join('\n')

const ESC = '\u001B'
const HALF = '\uD800'

const commands = [
  ['an error command', '::error::forged'],
  ['an error command with a place', '::error file=app.js,line=1,title=ZenML::forged'],
  ['a mask', '::add-mask::completed'],
  ['an output, the old way', '::set-output name=conclusion::completed'],
  ['a state, the old way', '::save-state name=settled::true'],
  ['a variable, the old way', '::set-env name=NODE_OPTIONS::--require=/tmp/x.js'],
  ['a path, the old way', '::add-path::/tmp'],
  ['an end of all commands', '::stop-commands::pause'],
  ['a command behind white space', ' \t\u00A0::error::forged'],
  ['a command in a second line', 'fine\n::error::forged'],
  ['a command behind a carriage return', 'fine\r::error::forged'],
  ['a command behind both', 'fine\r\n::set-output name=run-id::forged'],
  ['a command in capitals', '::ERROR::forged'],
  ['an old command', '##[error]forged'],
  ['an old command in mid-line', 'step ##[add-mask]completed'],
  ['an old command with properties', 'step ##[set-output name=conclusion;]completed'],
  ['an old command split by what is taken out', '#\u200B#[error]forged and ##\u0000[error]forged'],
  ['a group that never ends', '::group::everything'],
  ['a matcher', '::add-matcher::/tmp/matcher.json'],
  ['an encoded line end', 'fine%0A::error::forged%0D%0A##[error]forged'],
  ['a double encoded line end', 'fine%250A::error::forged'],
] as const

const files = [
  ['an output of the file kind', 'x\nconclusion=completed\nrun-id<<EOF\nforged\nEOF'],
  [
    'a delimiter of the file kind',
    'x\nghadelimiter_00000000-0000-4000-8000-000000000000\nconclusion=completed',
  ],
] as const

const invisible = [
  [
    'terminal colours',
    `${ESC}[31mred${ESC}[0m ${ESC}]8;;https://evil.example.com${ESC}\\link${ESC}]8;;${ESC}\\`,
  ],
  ['a cleared screen', `${ESC}[2J${ESC}[H${ESC}[1Aover the line above`],
  ['backspaces', 'failed\b\b\b\b\b\bpassed'],
  ['a carriage return', 'The run failed\rThe run completed'],
  ['line separators', 'fine\u2028::error::forged\u2029##[error]forged\u0085::error::forged'],
  ['a zero byte', 'a\0b'],
  ['a right-to-left mark', 'run \u202Edetelpmoc\u202C \u2067x\u2069 \u200F'],
  ['zero width', 'com\u200Bple\u200Dted\uFEFF\u2060'],
  ['half of a pair', `${HALF}x\uDC00`],
  ['emoji', '🚀👩‍🔬🏳️‍🌈'],
] as const

const markdown = [
  ['a link', '[all is well](https://evil.example.com "title")'],
  ['a script as link', '[all is well](javascript:alert(1))'],
  ['a bare link', 'https://evil.example.com www.evil.example.com evil@example.com'],
  ['an image', '![x](https://evil.example.com/pixel.png)'],
  ['a reference', '[x]: https://evil.example.com\n[x]'],
  ['a table', 'a | b\n--- | ---\n1 | 2 |||'],
  ['a heading', '# All is well\n## completed\n===\n---'],
  ['a fence', '```\ncode\n```\n~~~\ncode'],
  ['code', '`code` ``code` `'],
  ['a formula', String.raw`$\huge\color{red}{failed}$ $$x$$`],
  ['a list', '- [ ] task\n1. one\n* two\n+ three\n> quote'],
  ['emphasis', '**bold** _it_ ~~gone~~ \\*'],
  ['mentions', '@octo-org/team @octocat #1 octo-org/example#1 GH-1'],
  ['HTML', '<script>alert(1)</script><img src=x onerror=alert(1)><a href="javascript:x">x</a>'],
  ['an HTML comment', '<!-- hidden --> <details><summary>x</summary>'],
  ['entities', '&lt;script&gt; &#60;b&#62; &amp;#96;'],
] as const

const others = [
  ['a Python traceback, which matchers read', TRACEBACK],
  ['the first line of a traceback', '  File "/app/train.py", line 3, in train'],
  ['a line of code in four spaces', `    File "/app/train.py", line 3, in train`],
  ['200 KB', 'x'.repeat(200_000)],
  ['200 KB of line ends', '\n'.repeat(200_000)],
  ['200 KB of emoji', '🚀'.repeat(50_000)],
  ['100,000 commands', '::error::forged\n'.repeat(12_500)],
  ['blank', ' \t '],
  ['prototype keys', '__proto__ constructor toString'],
  ['JSON', '{"conclusion":"completed"}'],
  ['a shell', '$(touch /tmp/x) `touch /tmp/x`; touch /tmp/x && "\' | cat'],
  ['an expression of a workflow', '${{ secrets.ZENML_API_KEY }}'],
] as const

export const hostileTexts: readonly HostileText[] = [
  ...commands,
  ...files,
  ...invisible,
  ...markdown,
  ...others,
].map(([title, text]) => ({ title, text }))
