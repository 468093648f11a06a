import { inputsOf } from '../definition.ts'
import type { JsonObject } from '../json.ts'
import { byName } from '../attempts.ts'
import type { Run } from '../run.ts'
import type { StepSpan } from '../timeline.ts'
import type { StepSpec } from '../types.ts'
import type { World } from '../world.ts'
import { utc } from './common.ts'
import { artifactId } from './artifact.ts'
import { stepStatus } from './step.ts'
import { waitNode } from './wait.ts'

/** The run's graph: steps and artifacts; one that is not there yet has `id: null`. */
export function dagModel(world: World, run: Run): JsonObject {
  const now = world.now()
  const state = run.state(now)
  const child = run.childAt(now)
  const spans = byName(state.spans)
  const all = run.facts.steps.map(({ spec }) => spec)
  // A dynamic pipeline's steps are not known before they start.
  const steps = run.facts.pipeline.dynamic ? all.filter((step) => spans.has(step.name)) : all
  const specs = new Map(steps.map((step) => [step.name, step]))
  const outputs = steps.flatMap((step) => Object.keys(step.outputs ?? {}).map((output) => ({ step, output })))
  return {
    id: run.facts.id,
    status: state.status,
    nodes: [
      ...steps.map((step) => stepNode(run, step, spans.get(step.name), now)),
      ...outputs.map(({ step, output }) => artifactNode(run, step, output, spans.get(step.name), now)),
      ...run.conditions(now).map((condition) => waitNode(condition)),
      ...(child === undefined ? [] : [childNode(child, now)]),
    ],
    edges: steps.flatMap((step) => edgesOf(world, step, specs, spans.has(step.name))),
  }
}

function stepNode(run: Run, step: StepSpec, span: StepSpan | undefined, now: number): JsonObject {
  const node = { node_id: `step/${step.name}`, type: 'step' }
  if (span === undefined) return { ...node, id: null, name: step.name, metadata: {} }
  const metadata: JsonObject = { status: stepStatus(span, now), start_time: utc(span.start) }
  if (span.end <= now) metadata['duration'] = (span.end - span.start) / 1000
  return { ...node, id: run.stepOf(span).id, name: step.name, metadata }
}

function artifactNode(
  run: Run,
  step: StepSpec,
  output: string,
  span: StepSpan | undefined,
  now: number,
): JsonObject {
  const there =
    span !== undefined && span.end <= now && ['completed', 'cached', 'skipped'].includes(span.outcome)
  const metadata: JsonObject = there
    ? { type: 'DataArtifact', data_type: step.outputs?.[output] ?? '', save_type: 'step_output' }
    : {}
  const id = there ? artifactId(run, step.name, output) : null
  return { node_id: outputNode(step.name, output), type: 'artifact', id, name: output, metadata }
}

/** The type is that of a run which a step triggered; only the node's id tells one from the other. */
function childNode(child: Run, now: number): JsonObject {
  const { id, name } = child.facts
  const { status, end } = child.state(now)
  const over = end === undefined ? {} : { end_time: utc(end), duration: (end - child.createdAt) / 1000 }
  const metadata: JsonObject = { status, start_time: utc(child.createdAt), ...over }
  return { node_id: `child_run/${name}`, type: 'triggered_run', id, name, metadata }
}

function edgesOf(
  world: World,
  step: StepSpec,
  steps: ReadonlyMap<string, StepSpec>,
  started: boolean,
): JsonObject[] {
  const newest = world.version === '0.98.0'
  const place: JsonObject = newest
    ? { ...(started ? { index: 0 } : {}), chunk_index: null, chunk_size: null }
    : {}
  const incoming = inputsOf(step, steps).map(({ from, output }) => ({
    source: outputNode(from.name, output),
    target: `step/${step.name}`,
    metadata: { input_name: output, type: 'step_output', ...place },
  }))
  const outgoing = Object.keys(step.outputs ?? {}).map((output) => ({
    source: `step/${step.name}`,
    target: outputNode(step.name, output),
    metadata: { output_name: output, type: 'step_output' },
  }))
  return [...incoming, ...outgoing]
}

function outputNode(step: string, output: string): string {
  return `${step}/outputs/step_output/${output}`
}
