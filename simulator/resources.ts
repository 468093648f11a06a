import { derivedUuid } from './ids.ts'
import type { ModelEntry, VersionEntry } from './models.ts'
import type { Resource } from './permissions.ts'
import type { Run } from './run.ts'
import type { PipelineEntry, World } from './world.ts'

/** What is seeded, as permissions speak of it. */
function seeded(world: World, type: Resource['type'], { project }: PipelineEntry, id: string): Resource {
  return { type, id, project: project.id, owned: world.ownsSeeded }
}

export function templateResource(world: World, entry: PipelineEntry): Resource {
  return seeded(world, 'run_template', entry, entry.templateId)
}

export function pipelineResource(world: World, entry: PipelineEntry): Resource {
  return seeded(world, 'pipeline', entry, entry.id)
}

export function buildResource(world: World, entry: PipelineEntry): Resource {
  return seeded(world, 'pipeline_build', entry, world.buildId)
}

/** `own`: the copy that a trigger has made, which is that account's. */
export function snapshotResource(
  world: World,
  entry: PipelineEntry,
  own?: { readonly id: string; readonly owned: boolean },
): Resource {
  if (own === undefined) return seeded(world, 'pipeline_deployment', entry, entry.snapshotId)
  return { type: 'pipeline_deployment', id: own.id, project: entry.project.id, owned: own.owned }
}

export function modelResource({ id, project, owned }: ModelEntry): Resource {
  return { type: 'model', id, project: project.id, owned }
}

/** To change it; to read it, the permission is that on its model. */
export function versionResource({ id, model, owned }: VersionEntry): Resource {
  return { type: 'model_version', id, project: model.project.id, owned }
}

/** Stacks are in no project. */
export function stackResource(world: World): Resource {
  return { type: 'stack', id: world.stackId, owned: world.ownsSeeded }
}

export function runResource(world: World, run: Run): Resource {
  return { type: 'pipeline_run', id: run.facts.id, project: world.entryOf(run).project.id, owned: run.owned }
}

/** Artifact versions are asked for as their artifact, whose owner has written its first version. */
export function artifactResource(world: World, run: Run, output: string): Resource {
  const { project } = world.entryOf(run)
  const writes = ({ facts }: Run) => facts.steps.some(({ spec }) => output in (spec.outputs ?? {}))
  const first = world.runs.find((each) => world.entryOf(each).project === project && writes(each)) ?? run
  return { type: 'artifact', id: artifactOf(project.id, output), project: project.id, owned: first.owned }
}

/** The id of the artifact of this name. */
export function artifactOf(project: string, name: string): string {
  return derivedUuid('artifact', project, name)
}
