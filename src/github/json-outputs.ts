import type { JsonObject, JsonValue } from '../base/json.ts'
import type { ArtifactInfo, Comparison } from '../run/facts.ts'
import { sum } from '../base/decimal.ts'
import { cut, harmlessJson } from '../base/printable.ts'
import type { RecordedStep, RunRecord } from './run-record.ts'

/**
 * Characters of one output. GitHub gives all outputs of a job 1 MB together, and counts two bytes a character; there
 * are four such outputs, and a job may have several steps.
 */
const MAX_LENGTH = 100_000

/** ZenML's own limit is 255; what is longer was made to do harm. */
const MAX_NAME_LENGTH = 1_000

/** Where the note about what was left out goes. */
const NOTE_LENGTH = 40

/** The outputs before anything is known, and where nothing was started: a later `fromJSON` must not fail. */
export const EMPTY_JSON_OUTPUTS = {
  steps: '[]',
  metadata: '{}',
  artifacts: '[]',
  comparison: '{"baseline":null,"metrics":[]}',
} as const

/**
 * The outputs that are JSON. What would be too long loses whole entries from its end, and says so: a list in a last
 * entry, a mapping in a last key, both `"left-out": N`.
 */
export function jsonOutputs({
  steps,
  details,
  comparison,
}: RunRecord): Record<keyof typeof EMPTY_JSON_OUTPUTS, string> {
  return {
    steps: shownSteps(steps),
    metadata: details === undefined ? '{}' : shownMetadata(details),
    artifacts: shownList((details?.artifacts ?? []).map(artifactEntry)),
    comparison: comparison === undefined ? EMPTY_JSON_OUTPUTS.comparison : shownComparison(comparison),
  }
}

/** In the order of the run; where not all fit, the failed ones come first. */
function shownSteps(steps: readonly RecordedStep[]): string {
  const list = new BoundedList(steps.map(stepEntry))
  if (list.left === 0) return list.text
  const failed = steps.filter(hasFailed)
  return shownList([...failed, ...steps.filter((step) => !hasFailed(step))].map(stepEntry))
}

function hasFailed({ status }: RecordedStep): boolean {
  return status === 'failed'
}

function stepEntry({ name, status, startTime, durationMs, attempt }: RecordedStep): JsonObject {
  return {
    name,
    status: status ?? null,
    start: startTime === undefined ? null : isoTime(startTime),
    duration: durationMs === undefined ? null : Math.round(durationMs) / 1000,
    attempt: attempt ?? null,
  }
}

/** A server may name a time that no date can say. */
function isoTime(ms: number): string | null {
  const date = new Date(ms)
  return Number.isNaN(date.getTime()) ? null : date.toISOString()
}

function artifactEntry({ step, output, id, name, version, uri, type }: ArtifactInfo): JsonObject {
  return {
    step,
    output,
    id,
    name: name ?? null,
    version: version ?? null,
    uri: uri ?? null,
    type: type ?? null,
  }
}

/** Change and relative change are null where one of both runs has no value, or the baseline's is 0. */
function shownComparison({ baseline, metrics }: Comparison): string {
  const run =
    baseline === undefined
      ? null
      : { ...baseline, name: cut(baseline.name, MAX_NAME_LENGTH), url: baseline.url ?? null }
  const head = `{"baseline":${shownJson(run) ?? 'null'},"metrics":`
  return `${head}${shownList(metrics.map(metricEntry), MAX_LENGTH - head.length - 1)}}`
}

function metricEntry({ name, value, baseline }: Comparison['metrics'][number]): JsonObject {
  const change = value === undefined || baseline === undefined ? null : sum(value, -baseline)
  return {
    name,
    value: value ?? null,
    baseline: baseline ?? null,
    change,
    relative: change === null || !baseline ? null : Number((change / Math.abs(baseline)).toPrecision(6)),
  }
}

/** What is too long loses whole entries from its end, and says in a last one how many. */
export function shownList(entries: readonly JsonObject[], maxLength = MAX_LENGTH): string {
  return new BoundedList(entries, maxLength).text
}

class BoundedList {
  readonly left: number
  readonly text: string

  constructor(entries: readonly JsonObject[], maxLength = MAX_LENGTH) {
    const texts: string[] = []
    let length = NOTE_LENGTH
    for (const entry of entries) {
      const text = shownJson(entry)
      length += (text?.length ?? maxLength) + 1
      if (text === undefined || length > maxLength) break
      texts.push(text)
    }
    this.left = entries.length - texts.length
    this.text = `[${[...texts, ...(this.left > 0 ? [`{"left-out":${this.left}}`] : [])].join(',')}]`
  }
}

/** Entries are the values of the run, then those of its steps. */
function shownMetadata({ metadata, stepMetadata }: NonNullable<RunRecord['details']>): string {
  const room = new Room()
  const run = room.take(metadata)
  const steps = stepMetadata
    .filter((each) => Object.keys(each.metadata).length > 0)
    .flatMap(({ step, metadata: ofStep }) => {
      const taken = room.take(ofStep, keyText(step).length)
      return taken === '{}' ? [] : [`${keyText(step)}:${taken}`]
    })
  const note = room.left > 0 ? `,"left-out":${room.left}` : ''
  return `{"run":${run},"steps":{${steps.join(',')}}${note}}`
}

/** Hands out what is left of an output's length; after the first entry that does not fit, none does. */
class Room {
  #length = '{"run":{},"steps":{}}'.length + NOTE_LENGTH
  left = 0

  /** The entries that fit, as a mapping's text. */
  take(mapping: JsonObject, prefixLength = 0): string {
    this.#length += prefixLength + '{}:,'.length
    const taken: string[] = []
    for (const [key, value] of Object.entries(mapping)) {
      const text = this.left > 0 ? undefined : shownJson(value)
      const entry = `${keyText(key)}:${text ?? ''}`
      if (text === undefined || this.#length + entry.length + 1 > MAX_LENGTH) {
        this.left += 1
      } else {
        this.#length += entry.length + 1
        taken.push(entry)
      }
    }
    return `{${taken.join(',')}}`
  }
}

function keyText(key: string): string {
  return harmlessJson(JSON.stringify(key))
}

/** Undefined for what cannot be written down: `JSON.stringify` fails on values that are nested too deeply. */
export function shownJson(value: JsonValue): string | undefined {
  try {
    return harmlessJson(JSON.stringify(value))
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}
