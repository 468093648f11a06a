import { inputsOf } from '../definition.ts'
import { derivedUuid } from '../ids.ts'
import type { Json, JsonObject } from '../json.ts'
import { artifactOf, artifactResource } from '../resources.ts'
import type { ConfiguredStep } from '../attempts.ts'
import type { Run } from '../run.ts'
import type { StepSpec } from '../types.ts'
import type { World } from '../world.ts'
import { base, entity, ownerOf, utc, workspace } from './common.ts'

export const MATERIALIZER: JsonObject = {
  module: 'zenml.materializers.built_in_materializer',
  attribute: 'BuiltInMaterializer',
  type: 'internal',
}

/** What a step reads and what it has written, as its answer shows them. */
export function artifactsOf(
  world: World,
  run: Run,
  step: ConfiguredStep,
  ended: boolean,
): { inputs: JsonObject; outputs: JsonObject } {
  const old = world.version === '0.74.0'
  const place = world.version === '0.98.0' ? { index: 0, chunk_index: null, chunk_size: null } : {}
  const inputs = inputsOf(step.spec, run.specs).map(({ from, output }): [string, Json] => {
    const input = { ...visibleVersion(world, run, from, output), input_type: 'step_output', ...place }
    return [output, old ? input : [input]]
  })
  const outputs = (ended ? producedBy(step) : []).map((output): [string, Json] => [
    output,
    [visibleVersion(world, run, step.spec, output)],
  ])
  return { inputs: Object.fromEntries(inputs), outputs: Object.fromEntries(outputs) }
}

/** The id of the artifact version that a run's step writes. */
export function artifactId(run: Run, step: string, output: string): string {
  const { original } = run
  const { id, steps } = run.facts
  const isSkipped = steps.find(({ name }) => name === step)?.original !== undefined
  return original && isSkipped ? artifactId(original, step, output) : derivedUuid(id, step, output)
}

/** An artifact version as its own route shows it. */
export function artifactVersionModel(
  world: World,
  run: Run,
  { id, spec }: ConfiguredStep,
  output: string,
  hydrate: boolean,
): JsonObject {
  const own = artifactVersion(world, run, spec, output)
  const metadata: JsonObject = { visualizations: visualizationsOf(run, spec, output), run_metadata: {} }
  if (world.version === '0.74.0') {
    const old = { workspace: workspace(world), producer_step_run_id: id, ...metadata }
    return { ...own, metadata: hydrate ? old : null }
  }
  const producer = { producer_step_run_id: id, producer_pipeline_run_id: run.facts.id }
  return {
    ...own,
    metadata: hydrate ? metadata : null,
    resources: { ...ownerOf(world), tags: [], ...producer },
  }
}

/** What an artifact version shows, without the values. */
function visualizationsOf(run: Run, step: StepSpec, output: string): JsonObject[] {
  const artifact = artifactId(run, step.name, output)
  return (step.visualizations?.[output] ?? []).map(({ type }, index) =>
    entity({
      id: visualizationId(artifact, index),
      body: {
        created: utc(run.begin),
        updated: utc(run.begin),
        type,
        uri: `/srv/artifacts/${step.name}/${output}/${artifact}/output.${type}`,
      },
      resources: null,
    }),
  )
}

function visualizationId(artifact: string, index: number): string {
  return derivedUuid(artifact, 'visualization', String(index))
}

/** The visualizations that somebody chose for a run's page. */
export function chosenVisualizations(world: World, run: Run): JsonObject[] {
  const { spec, project } = world.entryOf(run)
  return (spec.chosen ?? []).map(({ step, output, index, name = null, order = null }) => {
    const artifact = artifactId(run, step, output)
    return entity({
      id: derivedUuid(artifact, 'chosen', String(index)),
      body: {
        ...base(world, run.begin, run.begin, project.id),
        artifact_visualization_id: visualizationId(artifact, index),
        artifact_version_id: artifact,
        display_name: name,
        display_order: order,
        layout_size: 'full_width',
        resource_id: run.facts.id,
        resource_type: 'pipeline_run',
      },
      resources: null,
    })
  })
}

/** The outputs that are there, of a step that has ended. */
export function producedBy(step: ConfiguredStep): readonly string[] {
  return step.fails === undefined ? Object.keys(step.spec.outputs ?? {}) : []
}

/** An artifact version inside a step's answer. */
function visibleVersion(world: World, run: Run, step: StepSpec, output: string): JsonObject {
  const version = artifactVersion(world, run, step, output)
  return world.permissions.shown(artifactResource(world, run, output), version)
}

function artifactVersion(world: World, run: Run, step: StepSpec, output: string): JsonObject {
  const { version } = world
  const project = world.entryOf(run).project.id
  const at = run.begin
  const id = artifactId(run, step.name, output)
  const old = version === '0.74.0'
  const [module = '', attribute = ''] = (step.outputs?.[output] ?? '').split('.')
  const latest = old ? { tags: [], latest_version_name: '1', latest_version_id: id } : {}
  const times = { created: utc(at), updated: utc(at) }
  const artifact = entity({
    id: artifactOf(project, output),
    name: output,
    body: old ? { ...times, ...latest } : base(world, at, at, project),
  })
  return entity({
    id,
    body: {
      ...base(world, at, at, project),
      artifact,
      version: '1',
      uri: `/srv/artifacts/${step.name}/${output}/${id}`,
      type: 'DataArtifact',
      materializer: MATERIALIZER,
      data_type: { module, attribute, type: 'builtin' },
      ...(old ? { tags: [], producer_pipeline_run_id: run.facts.id } : {}),
      save_type: 'step_output',
      artifact_store_id: derivedUuid('artifact-store'),
      ...(old ? {} : { content_hash: derivedUuid(id, 'content').replaceAll('-', '') }),
      ...(version === '0.98.0' ? { item_count: null } : {}),
    },
  })
}
