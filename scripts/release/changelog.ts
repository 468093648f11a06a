import { compareVersions, formatVersion, isCandidate, parseVersion, type Version } from './version.ts'

interface Section {
  /** `Unreleased`, or the version. */
  readonly name: string
  /** As in the heading. */
  readonly date: string | undefined
  readonly body: string
}

interface Changelog {
  /** What stands before the first section. */
  readonly head: string
  readonly sections: readonly Section[]
}

const HEADING = /^## \[([^\]]+)\](?: - (\d{4}-\d{2}-\d{2}))?$/
const LINK = /^\[[^\]]+\]: https?:\/\/\S+$/

function parseChangelog(text: string): Changelog {
  const [head = '', ...rest] = text.split(/^(?=## \[)/m)
  const sections = rest.map((part) => {
    const [heading = '', ...lines] = part.split('\n')
    const [found, name = '', date] = HEADING.exec(heading) ?? []
    if (found === undefined) {
      throw new Error(
        `CHANGELOG.md: "${heading}" is not the heading of a version: write "## [1.2.3] - 2026-01-31".`,
      )
    }
    // The links of the headings are written anew for each release.
    return {
      name,
      date,
      body: lines
        .filter((line) => !LINK.test(line))
        .join('\n')
        .trim(),
    }
  })
  if (sections[0]?.name !== 'Unreleased') {
    throw new Error('CHANGELOG.md does not begin with "## [Unreleased]".')
  }
  return { head: head.trimEnd(), sections }
}

/** The versions of the changelog, the newest first. */
export function changelogVersions(text: string): Version[] {
  return parseChangelog(text).sections.flatMap(({ name }) => parseVersion(name) ?? [])
}

/** Whether there is anything that no version has. */
export function hasUnreleased(text: string): boolean {
  return parseChangelog(text).sections[0]?.body !== ''
}

export interface ChangelogRelease {
  readonly version: Version
  /** As 2026-01-31. */
  readonly date: string
  /** The repository's page, such as https://github.com/owner/name. */
  readonly page: string
  /** All versions that were published. */
  readonly published: readonly Version[]
}

/**
 * Moves what is under Unreleased below a heading of its own, and writes the links of all headings. A release takes in
 * its candidates' sections too, so that it names everything since the release before; and any version takes in those
 * that were prepared and never published. Throws if there is nothing.
 */
export function releaseInChangelog(text: string, release: ChangelogRelease): string {
  const { version, date, page, published } = release
  const { head, sections } = parseChangelog(text)
  const [unreleased, ...earlier] = sections
  const tags = published.map(formatVersion)
  const taken = earlier.filter(
    ({ name }) => !tags.includes(name) || (!isCandidate(version) && isCandidateOf(name, version)),
  )
  const body = joinBodies([unreleased?.body ?? '', ...taken.map((section) => section.body)])
  if (body === '') {
    throw new Error(
      'CHANGELOG.md: there is nothing under Unreleased. Write what users get, or release nothing.',
    )
  }
  const kept = earlier.filter((section) => !taken.includes(section))
  const all = [
    { name: 'Unreleased', date: undefined, body: '' },
    { name: formatVersion(version), date, body },
    ...kept,
  ]
  return `${[head, ...all.map(formatSection), linksOf(all, page)].join('\n\n')}\n`
}

function isCandidateOf(name: string, release: Version): boolean {
  const version = parseVersion(name)
  if (version?.candidate === undefined) return false
  const { major, minor, patch } = version
  return compareVersions({ major, minor, patch }, release) === 0
}

/** One body with each of the headings (Added, Fixed, …) once, in the order in which they first appear. */
function joinBodies(bodies: readonly string[]): string {
  const groups = new Map<string, string[]>()
  for (const part of bodies.flatMap((body) => body.split(/^(?=### )/m))) {
    const [heading = '', ...lines] = part.startsWith('### ') ? part.split('\n') : ['', ...part.split('\n')]
    const text = lines.join('\n').trim()
    if (text !== '') groups.set(heading, [...(groups.get(heading) ?? []), text])
  }
  return [...groups]
    .map(([heading, texts]) => [heading, ...texts].filter((text) => text !== '').join('\n\n'))
    .join('\n\n')
}

function formatSection({ name, date, body }: Section): string {
  const heading = `## [${name}]${date === undefined ? '' : ` - ${date}`}`
  return body === '' ? heading : `${heading}\n\n${body}`
}

function linksOf(sections: readonly Section[], page: string): string {
  return sections
    .map(({ name }, index) => {
      const before = sections[index + 1]?.name
      const end = name === 'Unreleased' ? 'HEAD' : `v${name}`
      const target = before === undefined ? `releases/tag/${end}` : `compare/v${before}...${end}`
      return `[${name}]: ${page}/${target}`
    })
    .join('\n')
}

/** What the changelog says about a version, for the release's page; throws if it says nothing. */
export function changelogNotes(text: string, version: Version): string {
  const section = parseChangelog(text).sections.find(({ name }) => name === formatVersion(version))
  if (section === undefined || section.body === '') {
    throw new Error(`CHANGELOG.md says nothing about ${formatVersion(version)}.`)
  }
  return section.body
}
