import {
  configSchema,
  configTemplate,
  executionMode,
  hasSnapshots,
  pipelineSpec,
  specsByName,
  stepSpec,
} from '../definition.ts'
import { derivedUuid } from '../ids.ts'
import type { Json, JsonObject } from '../json.ts'
import { snapshotResource } from '../resources.ts'
import type { Run } from '../run.ts'
import type { PipelineEntry, World } from '../world.ts'
import {
  base,
  build,
  codeReference,
  entity,
  environment,
  latestRun,
  ownerOf,
  pipelineReference,
  snapshotBody,
  snapshotReference,
  stack,
  user,
  workspace,
} from './common.ts'

/** A run template; hydrated it has config_template and config_schema. */
export function templateModel(world: World, entry: PipelineEntry, hydrate: boolean): JsonObject {
  const { version } = world
  const old = version === '0.74.0'
  const runnable = entry.spec.runnable ?? true
  const common = base(world, entry.createdAt, entry.createdAt, entry.project.id)
  const latest = latestRun(world, (run) => run.facts.templateId === entry.templateId)
  const metadata = {
    ...(old ? { workspace: workspace(world) } : {}),
    description: null,
    pipeline_spec: pipelineSpec(entry.spec, version),
    config_template: configTemplate(entry.spec, version),
    config_schema: configSchema(entry.spec, version),
  }
  return entity({
    id: entry.templateId,
    name: entry.templateName,
    body: old ? { ...common, runnable, ...latest } : { ...common, runnable, hidden: false },
    metadata: hydrate ? metadata : null,
    resources: {
      ...ownerOf(world),
      ...(hasSnapshots(version)
        ? { source_snapshot: snapshotReference(world, entry) }
        : { source_deployment: deployment(world, entry) }),
      pipeline: pipelineReference(world, entry),
      build: build(world, entry),
      code_reference: codeReference(world, entry),
      tags: [],
      ...(old ? {} : latest),
    },
  })
}

function deployment(world: World, entry: PipelineEntry): JsonObject {
  const body = base(world, entry.createdAt, entry.createdAt, entry.project.id)
  const model = entity({ id: entry.snapshotId, body })
  return world.permissions.shown(snapshotResource(world, entry), model)
}

/** A snapshot: a seeded one, or the unnamed copy that a trigger made. */
export interface SnapshotRow {
  readonly entry: PipelineEntry
  readonly own?: {
    readonly id: string
    readonly at: number
    readonly templateId: string | undefined
    readonly owned: boolean
  }
}

/** Its config_template and config_schema come only when asked for. */
export function snapshotModel(
  world: World,
  row: SnapshotRow,
  hydrate: boolean,
  withSchema: boolean,
): JsonObject {
  const { entry, own } = row
  const created = own?.at ?? entry.createdAt
  return entity({
    id: own?.id ?? entry.snapshotId,
    name: own ? null : entry.templateName,
    body: snapshotBody(world, entry, created),
    metadata: hydrate ? snapshotMetadata(world, row, withSchema) : null,
    resources: {
      ...ownerOf(world),
      pipeline: pipelineReference(world, entry),
      stack: stack(world),
      build: build(world, entry),
      schedule: null,
      code_reference: codeReference(world, entry),
      deployment: null,
      tags: [],
      ...latestOf(world, (run) => run.facts.sourceSnapshotId === entry.snapshotId && own === undefined),
      visualizations: [],
    },
  })
}

function snapshotMetadata(world: World, row: SnapshotRow, withSchema: boolean): JsonObject {
  const { spec } = row.entry
  const { version } = world
  const template = configTemplate(spec, version)
  const byName = specsByName(spec)
  const steps = spec.steps.map((step): [string, Json] => [
    step.name,
    {
      spec: stepSpec(step, byName, spec.definitions, version),
      config: { name: step.name },
      step_config_overrides: { name: step.name },
    },
  ])
  return {
    description: null,
    source_code: `@pipeline\ndef ${spec.name}(): ...\n`,
    run_name_template: `${spec.name}-{date}-{time}`,
    pipeline_configuration: {
      enable_cache: false,
      execution_mode: executionMode(spec),
      parameters: template['parameters'] ?? {},
      name: spec.name,
    },
    step_configurations: Object.fromEntries(steps),
    client_environment: environment(world),
    client_version: version,
    server_version: version,
    pipeline_version_hash: derivedUuid('pipeline', spec.name).replaceAll('-', ''),
    pipeline_spec: pipelineSpec(spec, version),
    code_path: null,
    template_id: row.own?.templateId ?? null,
    source_snapshot_id: row.own ? row.entry.snapshotId : null,
    config_template: withSchema ? template : null,
    config_schema: withSchema ? configSchema(spec, version) : null,
  }
}

/** The newest of some runs, with who started it. */
function latestOf(world: World, which: (run: Run) => boolean): JsonObject {
  const latest = latestRun(world, which)
  return { latest_run_user: latest['latest_run_id'] === null ? null : user(world, false), ...latest }
}

/** A pipeline, as its own list shows it. */
export function pipelineModel(world: World, entry: PipelineEntry): JsonObject {
  if (world.version === '0.74.0') {
    return { ...pipelineReference(world, entry), resources: { latest_run_user: null, tags: [] } }
  }
  const latest = latestOf(world, (run) => world.entryOf(run).id === entry.id)
  const visual = world.version === '0.98.0' ? { visualizations: [] } : {}
  return {
    ...pipelineReference(world, entry),
    resources: { ...ownerOf(world), ...latest, tags: [], ...visual },
  }
}
