import path from 'node:path'
import { expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { z } from 'zod'
import { blocks, examples, fileName, stepsOf } from './guide-examples.ts'
import { guides, headings, projectFile, readmes, withoutCode } from './markdown.ts'

test('the configuration file shown is the one that an example uses', () => {
  const used = examples.flatMap(stepsOf).flatMap((step) => step.with?.['configuration-file'] ?? [])
  expect(used.length).toBeGreaterThan(0)
  expect(blocks.map(({ text }) => fileName(text))).toEqual(expect.arrayContaining(used))
})

test('a workflow that calls another one of the guides gives it what it takes, and no more', () => {
  const Called = z.object({
    on: z.object({
      workflow_call: z.object({
        inputs: z.record(z.string(), z.object({ required: z.boolean().optional() })),
        secrets: z.record(z.string(), z.unknown()),
      }),
    }),
  })
  const Caller = z.object({
    jobs: z.record(
      z.string(),
      z.object({
        uses: z.string(),
        with: z.record(z.string(), z.unknown()),
        secrets: z.record(z.string(), z.unknown()),
      }),
    ),
  })
  const callers = blocks.flatMap(({ text }) => {
    const caller = Caller.safeParse(parse(text))
    return caller.success ? Object.values(caller.data.jobs) : []
  })
  expect(callers.length).toBeGreaterThan(0)
  for (const job of callers) {
    const called = blocks.find(({ text }) => job.uses.includes(`/${fileName(text) ?? '?'}@`))
    const { inputs, secrets } = Called.parse(parse(called?.text ?? '')).on.workflow_call
    expect(Object.keys(inputs)).toEqual(expect.arrayContaining(Object.keys(job.with)))
    const required = Object.entries(inputs).filter(([, input]) => input.required === true)
    expect(Object.keys(job.with)).toEqual(expect.arrayContaining(required.map(([name]) => name)))
    expect(Object.keys(job.secrets)).toEqual(Object.keys(secrets))
  }
})

test('a workflow for closed pull requests is in the group of one that starts runs, named by what a merge does not change', () => {
  const Grouped = z.object({
    on: z.literal('pull_request').or(z.object({ pull_request: z.object({ types: z.array(z.string()) }) })),
    concurrency: z
      .string()
      .transform((group) => ({ group, 'cancel-in-progress': false }))
      .or(z.object({ group: z.string(), 'cancel-in-progress': z.boolean() })),
  })
  const grouped = blocks.flatMap(({ text }) => {
    const workflow = Grouped.safeParse(parse(text))
    return workflow.success ? [workflow.data] : []
  })
  const started = grouped.filter(({ on }) => typeof on === 'string').map(({ concurrency }) => concurrency)
  const closed = grouped.filter(({ on }) => typeof on !== 'string').map(({ concurrency }) => concurrency)
  expect(closed.length).toBeGreaterThan(2)
  for (const concurrency of closed) {
    expect(started).toContainEqual(concurrency)
    expect(concurrency.group).toContain('${{ github.event.pull_request.number }}')
  }
})

test('examples use the versions of actions that CI uses', () => {
  const ci = projectFile('.github/workflows/ci.yml')
  // Our own workflows keep no files.
  const known = new Map(
    [...ci.matchAll(/uses: (actions\/[\w-]+)@[0-9a-f]{40} # (v[\d.]+)$/gm)].map(([, name, version]) => [
      name,
      version,
    ]),
  ).set('actions/upload-artifact', 'v7.0.1')
  const used = blocks.flatMap(({ guide, text }) =>
    [...text.matchAll(/uses: (actions\/[\w-]+)@(\S+)/g)].map(([, name, version]) => ({
      guide,
      name,
      version,
    })),
  )
  expect(used.length).toBeGreaterThan(0)
  expect(used.filter(({ name, version }) => known.get(name) !== version)).toEqual([])
})

test('no two examples are saved under one name', () => {
  const names = blocks.flatMap(({ text }) => fileName(text) ?? [])
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([])
})

test('links between the guides lead somewhere', () => {
  for (const guide of [...guides(), 'SECURITY.md', 'CONTRIBUTING.md']) {
    const links = [...withoutCode(projectFile(guide)).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)]
    for (const [link, file = '', anchor] of links) {
      const target = file === '' ? guide : path.posix.join(path.posix.dirname(guide), file)
      const found = anchor === undefined ? projectFile(target) !== '' : anchors(target).includes(anchor)
      expect({ guide, link, found }).toEqual({ guide, link, found: true })
    }
  }
})

/** What GitHub calls the headings of a page in links. */
function anchors(guide: string): string[] {
  return headings(projectFile(guide)).map((heading) =>
    heading
      .toLowerCase()
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  )
}

test('every guide is reached from the README', () => {
  const reached = new Set(['README.md'])
  for (const guide of reached) {
    for (const [, file = ''] of projectFile(guide).matchAll(/\]\((?!https?:)([^)#]+\.md)/g)) {
      reached.add(path.posix.join(path.posix.dirname(guide), file))
    }
  }
  expect(guides().filter((guide) => !reached.has(guide))).toEqual([])
})

test('the README says how to try the action without a server, and how to run the tests', () => {
  const named = [...projectFile('README.md').matchAll(/`(npm (?:run )?[^`]+)`/g)].map(
    ([, command]) => command,
  )
  expect(named).toEqual(['npm ci && npm run demo', 'npm test'])
  const { scripts } = JSON.parse(projectFile('package.json')) as { scripts: object }
  expect(Object.keys(scripts)).toEqual(expect.arrayContaining(['demo', 'test']))
})

/** Lines as an editor counts them. */
const MOST_LINES = 260
/** Without code blocks and the pipes of tables. */
const MOST_WORDS = 1_700
const WIDEST_ROW = 130

test(`the README has at most ${MOST_LINES} lines and ${MOST_WORDS} words`, () => {
  const readme = projectFile('README.md')
  const words = withoutCode(readme)
    .replaceAll(/^\|[ |:-]+\|$/gm, '')
    .replaceAll('|', ' ')
    .split(/\s+/)
    .filter((word) => word !== '')
  expect(readme.trimEnd().split('\n').length).toBeLessThanOrEqual(MOST_LINES)
  expect(words.length).toBeLessThanOrEqual(MOST_WORDS)
})

test.each(readmes)(`%s has no table row over ${WIDEST_ROW} characters, and can be read alone`, (guide) => {
  const readme = projectFile(guide)
  const rows = readme.split('\n').filter((line) => line.startsWith('|'))
  expect(rows.filter((row) => row.length > WIDEST_ROW)).toEqual([])
  expect(readme).not.toMatch(/\bas above\b/i)
})
