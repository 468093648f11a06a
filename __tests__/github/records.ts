import { NOTHING_KNOWN, type RecordedStep, type RunRecord } from '../../src/github/run-record.ts'
import type { LogTail } from '../../src/run/facts.ts'

/** 2026-01-01T00:00:00Z. */
export const START = Date.UTC(2026, 0, 1)

export const NO_LOG: LogTail = { lines: [], left: undefined, missing: undefined }

/** A completed run of the pipeline `training` after one minute and one second. */
export function recordOf(changes: Partial<RunRecord> = {}): RunRecord {
  return {
    ...NOTHING_KNOWN,
    conclusion: 'completed',
    status: 'completed',
    durationMs: 61_000,
    pipeline: 'training',
    runId: '0a1b2c3d-0000-4000-8000-000000000000',
    runName: 'nightly',
    runUrl: 'https://zenml.example.com/runs/1',
    created: START,
    asOf: START + 61_000,
    ...changes,
  }
}

/** A step that completed within ten seconds from the run's start. */
export function stepOf(name: string, changes: Partial<RecordedStep> = {}): RecordedStep {
  return {
    id: undefined,
    name,
    status: 'completed',
    upstream: [],
    startTime: START,
    durationMs: 10_000,
    attempt: 1,
    ...changes,
  }
}
