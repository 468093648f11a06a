import { notFound, refusal } from '../answers.ts'
import { isUuid } from '../ids.ts'
import type { Resource } from '../permissions.ts'
import type { Fields } from '../query.ts'
import { DEFAULT_PROJECT, type Project, type World } from '../world.ts'

/**
 * The rows that the account may read of the project that a list is about: that of the filter `project` (the last one
 * counts); without it nothing on Pro, the one called `default` on an open-source server. 0.74 has workspaces
 * instead, and ignores it.
 */
export function inScope<Row>(
  world: World,
  query: URLSearchParams,
  rows: readonly Row[],
  projectOf: (row: Row) => Project,
  resourceOf: (row: Row) => Resource,
): readonly Row[] {
  if (world.version === '0.74.0') return rows
  const wanted = query.getAll('project').at(-1) ?? ''
  if (wanted === '' && world.options.pro !== undefined) {
    throw refusal(400, 'ValueError', 'Project scope missing from the filter')
  }
  const { id } = projectByName(world, wanted === '' ? DEFAULT_PROJECT : wanted)
  const there = rows.filter((row) => projectOf(row).id === id)
  return there.filter((row) => world.permissions.may('read', resourceOf(row)))
}

/** The project of this name or id, or ZenML's 404. */
export function projectByName(world: World, nameOrId: string): Project {
  const project = world.projects.find(({ id, name }) => id === nameOrId || name === nameOrId)
  if (project !== undefined) return project
  const kind = world.version === '0.74.0' ? 'workspace' : 'project'
  const why = isUuid(nameOrId)
    ? `No ${kind} with this ID found.`
    : `'${nameOrId}' is not a valid  UUID and no ${kind} with this name exists.`
  throw notFound(`Unable to get ${kind} with name or ID '${nameOrId}': ${why}`)
}

/** Each version's filter by tag; `tags` means nothing on 0.74, `tag` nothing from 0.90 on. */
export function tagFilters<Row>(world: World, tagsOf: (row: Row) => readonly string[]): Fields<Row> {
  switch (world.version) {
    case '0.74.0':
      return { tag: tagsOf }
    case '0.85.0':
      return { tag: tagsOf, tags: tagsOf }
    case '0.98.0':
      return { tags: tagsOf }
  }
}
