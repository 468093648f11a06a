import { json, notFound, refusal, type Answer } from '../answers.ts'
import { flag, list } from '../query.ts'
import { artifactResource } from '../resources.ts'
import type { ConfiguredStep } from '../attempts.ts'
import type { Run } from '../run.ts'
import { artifactId, artifactVersionModel, producedBy } from '../wire/artifact.ts'
import type { World } from '../world.ts'
import { sortableTime } from './catalog.ts'
import type { Call, Route } from './route.ts'
import { inScope } from './scope.ts'

const listEndpoint = { function: 'list_artifact_versions', line: 191 }

/** What steps have written. */
export const artifactRoutes: readonly Route[] = [
  {
    name: 'artifacts',
    method: 'GET',
    path: '/artifact_versions',
    endpoint: listEndpoint,
    handle: listVersions,
  },
  {
    name: 'artifact',
    method: 'GET',
    path: '/artifact_versions/{artifact_version_id}',
    endpoint: { function: 'get_artifact_version', line: 191 },
    handle: ({ world, ids, query }) => {
      const row = rowById(world, ids[0])
      world.permissions.verify('read', artifactResource(world, row.run, row.output))
      return json(model(world, row, flag(query, 'hydrate', true)))
    },
  },
  {
    name: 'visualization',
    method: 'GET',
    path: '/artifact_versions/{artifact_version_id}/visualize',
    endpoint: { function: 'get_artifact_visualization', line: 345 },
    handle: ({ world, ids, query }) => {
      const row = rowById(world, ids[0])
      world.permissions.verify('read', artifactResource(world, row.run, row.output))
      return visualize(row, Number(query.get('index') ?? 0))
    },
  },
]

interface Row {
  readonly run: Run
  readonly step: ConfiguredStep
  readonly output: string
  readonly at: number
}

function rows(world: World): readonly Row[] {
  const now = world.now()
  return world.visibleRuns().flatMap((run) =>
    run.state(now).spans.flatMap((span) => {
      const step = run.stepOf(span)
      const outputs = span.end <= now && span.outcome === 'completed' ? producedBy(step) : []
      return outputs.map((output) => ({ run, step, output, at: span.end }))
    }),
  )
}

function visualize(row: Row, index: number): Answer {
  const all = row.step.spec.visualizations?.[row.output] ?? []
  const found = all[index]
  if (found !== undefined) return json({ ...found })
  const count = `only has ${String(all.length)} visualizations, but index ${String(index)} was requested.`
  const what = all.length === 0 ? 'has no visualizations.' : count
  throw refusal(404, 'DoesNotExistException', `Artifact '${idOf(row)}' ${what}`)
}

function idOf({ run, step, output }: Row): string {
  return artifactId(run, step.name, output)
}

function rowById(world: World, id = ''): Row {
  const row = rows(world).find((each) => idOf(each) === id)
  if (row !== undefined) return row
  const [named, end] = world.version === '0.74.0' ? [id, '.'] : [`'${id}'`, '']
  throw notFound(
    `Unable to get artifact version with ID ${named}: No artifact version with this ID found${end}`,
  )
}

function model(world: World, { run, step, output }: Row, hydrate: boolean) {
  return artifactVersionModel(world, run, step, output, hydrate)
}

function listVersions({ world, query }: Call): Answer {
  return json(
    list(world.version, query, {
      rows: inScope(
        world,
        query,
        rows(world),
        ({ run }) => world.entryOf(run).project,
        ({ run, output }) => artifactResource(world, run, output),
      ),
      filters: { id: idOf, artifact: ({ output }) => output },
      sorting: { created: ({ at }) => sortableTime(at) },
      model: (row, hydrate) => model(world, row, hydrate),
      filterName: 'ArtifactVersionFilter',
      endpoint: { ...listEndpoint, path: '/api/v1/artifact_versions' },
    }),
  )
}
