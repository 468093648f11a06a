import { expect, test } from '@jest/globals'
import { code, projectFile, tables } from './markdown.ts'
import { givenTexts, saidTexts } from './said-texts.ts'

const guide = projectFile('docs/troubleshooting.md')

/** The texts that the guide explains: headings, and first cells of its tables. */
const explained = [
  ...[...guide.matchAll(/^### `(.*)`$/gm)].map(([, heading = '']) => heading),
  ...tables(guide, 'The text ').flatMap((rows) => rows.map(([cell]) => code(cell) ?? '')),
]

/** All that the action or a server can say. */
const said = saidTexts('src', 'simulator')
  .map(({ pieces }) => pieces.join('…'))
  .join('\n')

/** Where one text of the code ends and another is put behind it or filled in. */
const SEAM =
  /, so …|…|: |; |\. |The server recorded |Could not |Check that |Check |\d{3}|\b(?:the server|something that is not a ZenML API|snapshots?|run templates?|wait: false|failed|are no longer valid|now name another server)\b/

/** The pieces of an explained text that stand in the code as they are. */
function fixedParts(text: string): string[] {
  return text
    .replace(/^[a-z-]+: /, '')
    .split(SEAM)
    .map(withoutEdges)
    .filter((part) => part.length > 3)
}

function withoutEdges(text: string): string {
  return text.replace(/^[\s;.,()"]+|[\s;.,()"]+$/g, '')
}

/** Texts of src/run and src/zenml that are no part of any error. */
const NO_ERRORS: readonly string[] = [
  // ZenML's status reason of a run that this action ends.
  'The workflow step was',
  'stopped after its timeout',
  'Stopped by a workflow',
  'The question of the parent run was answered with abort',
  'The server never began this run',
  // A post step with nothing to do says nothing.
  // Told in the log while the step goes on.
  'Waiting until the limit is reset',
  // Said of a promotion that succeeded.
  'already; nothing was changed',
  // A part of the permission that an error asks for.
  'read the values of',
  // What a dry run says that it cannot know.
  'permission to start runs',
  'changes to the stack',
  'secrets and stack components',
  "whether the run's name is free",
  'whether there is a free slot',
  // What ZenML itself writes, and is looked for.
  'An exception has occurred.',
  // In place of a server's text, which the guide cannot know.
  '(nested too deeply to be shown)',
  // A certificate's names, or in their place.
  'no host at all',
  // Advice behind a fault of an input that the guide has.
  'did you mean {…}?',
  'did you mean ==?',
  'log it as a string, and put it in quotes here',
  ', or give an access-token',
  // What stands for the run's id in such a fault.
  'ID or the name',
  'Kubernetes Ingress Controller Fake Certificate',
]

const FEWEST_WORDS = 4

/** The first words of each piece that is long enough to be looked for. */
function openings(pieces: readonly string[]): string[] {
  return pieces
    .map((piece) => withoutEdges(piece).split(/\s+/))
    .filter((words) => words.length >= FEWEST_WORDS)
    .map((words) => words.slice(0, FEWEST_WORDS).join(' '))
}

const errors = saidTexts(
  'src/base',
  'src/http',
  'src/run',
  'src/zenml',
  'src/github/inputs',
  'src/github/sweep',
)
  .map(({ file, pieces }) => ({ file, text: pieces.join('…'), words: openings(pieces) }))
  .filter(({ text, words }) => words.length > 0 && !NO_ERRORS.some((other) => text.includes(other)))

test('the guide has errors to explain', () => {
  expect(explained.length).toBeGreaterThan(80)
  expect(errors.length).toBeGreaterThan(70)
})

test.each(explained)('the text "%s" is one that a user can meet', (text) => {
  const parts = fixedParts(text)
  expect(parts).not.toEqual([])
  expect(parts.filter((part) => !said.includes(part))).toEqual([])
})

test.each(errors)('the guide explains "$text", which $file says', ({ words }) => {
  expect(words.filter((opening) => explained.some((text) => text.includes(opening)))).not.toEqual([])
})

test('no text is explained twice', () => {
  expect(explained.filter((text, index) => explained.indexOf(text) !== index)).toEqual([])
})

test('every text named as no error is in the code', () => {
  expect(NO_ERRORS.filter((text) => !said.includes(text))).toEqual([])
})

/** Without the name or exception that follows. */
function plainTitle(title: string): string {
  return title.replace(/…$/, '')
}

/** What the code puts above an error, warning or notice. */
const titles = [
  ...givenTexts('title', 'src/actions', 'src/github'),
  // Those that a table or a record gives.
  ...saidTexts('src/actions', 'src/github')
    .map(({ pieces }) => pieces.join('…'))
    .filter((text) => /^(?:No )?ZenML (?:run|login|model|promotion) (?!of\b)/.test(text)),
].map(plainTitle)

/** Ends without an annotation: the step is green. */
const GREEN: readonly string[] = [
  'ZenML run completed',
  'ZenML run started',
  'ZenML run handed over',
  'ZenML run answered',
]

test('the guide explains the title of every annotation, and no others', () => {
  const inGuide = tables(guide, 'The title').flatMap((rows) =>
    rows.map(([cell]) => plainTitle(code(cell) ?? '')),
  )
  const annotated = new Set(titles.filter((title) => !GREEN.includes(title)))
  expect(inGuide.sort()).toEqual([...annotated].sort())
})
