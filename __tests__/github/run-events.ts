import type { RunEvent } from '../../src/run/events.ts'
import type { RunDetails, StepChange, StepCounts, StepFailure } from '../../src/run/facts.ts'
import type { Definition, Run, StepState } from '../../src/zenml/model.ts'

export const RUN_URL = 'https://zenml.example.com/projects/default/runs/0b0b'

export const definition: Definition = {
  kind: 'snapshot',
  id: 'aaaaaaaa-0000-4000-8000-000000000001',
  name: 'nightly',
  runnable: true,
  pipeline: { id: 'p', name: 'training' },
  project: { id: 'q', name: 'default' },
  sourceSnapshotId: undefined,
  stepParameters: undefined,
  isDynamic: false,
  hidesStack: false,
  code: {
    kind: 'snapshot',
    name: 'nightly',
    madeAt: Date.UTC(2026, 0, 5, 23),
    madeBy: 'ann',
    recordedAt: undefined,
    commit: '0123456789abcdef0123456789abcdef01234567',
    stack: 'production',
  },
  documents: { configTemplate: undefined, configSchema: undefined, pipelineSpec: undefined },
}

export const run: Run = {
  id: 'bbbbbbbb-0000-4000-8000-000000000002',
  name: 'training-gh1-1-abc',
  permissionDenied: false,
  isDynamic: false,
  status: 'initializing',
  statusReason: undefined,
  inProgress: true,
  updated: undefined,
  created: Date.UTC(2026, 0, 31, 12),
  endTime: undefined,
  templateId: undefined,
  sourceSnapshotId: undefined,
  startMark: undefined,
  pipeline: { id: 'p', name: 'training' },
  projectId: 'q',
  code: undefined,
  metadata: undefined,
}

export const triggering: RunEvent = {
  kind: 'triggering',
  name: 'training-gh1-1-abc',
  server: {
    version: '0.98.0',
    isPro: false,
    dashboardUrl: undefined,
    proApiUrl: undefined,
    hasProjects: true,
  },
  project: { id: 'q', name: 'default' },
}

export const started: RunEvent = { kind: 'started', run, url: RUN_URL, ageMs: 0, adopted: false }

export function counts(some: Partial<StepCounts>): StepCounts {
  return { total: 3, running: 0, succeeded: 0, cached: 0, failed: 0, stopped: 0, ...some }
}

export function change(name: string, status: string, some: Partial<StepChange> = {}): StepChange {
  return { name, status, startTime: undefined, durationMs: undefined, attempt: 1, ...some }
}

export function steps(changes: readonly StepChange[], some: Partial<StepCounts> = {}): RunEvent {
  return { kind: 'steps', changes, counts: counts(some) }
}

export function failure(step: string, some: Partial<StepFailure> = {}): StepFailure {
  return {
    step,
    fault: {
      type: 'RuntimeError',
      message: 'no data',
      frame: 'train.py, line 42, in train',
      code: 'raise RuntimeError("no data")',
    },
    log: { lines: ['loading', 'Traceback'], left: 12, missing: undefined },
    ...some,
  }
}

export function stepState(name: string, some: Partial<StepState> = {}): StepState {
  return {
    id: `id-${name}`,
    name,
    status: 'completed',
    upstream: [],
    startTime: Date.UTC(2026, 0, 31, 12, 0, 5),
    durationMs: 61_200,
    ...some,
  }
}

export function details(some: Partial<RunDetails> = {}): RunDetails {
  return {
    durationMs: undefined,
    steps: [],
    metadata: {},
    stepMetadata: [],
    artifacts: [],
    missing: [],
    ...some,
  }
}
