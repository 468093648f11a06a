import { parse } from 'yaml'
import { z } from 'zod'
import type { Level } from './version.ts'

const Value = z.union([z.string(), z.number(), z.boolean()]).transform(String)
const ActionFile = z.object({
  inputs: z
    .record(z.string(), z.object({ default: Value.optional(), required: z.boolean().default(false) }))
    .default({}),
  outputs: z.record(z.string(), z.unknown()).default({}),
  runs: z.object({ using: z.string() }),
})

type Action = z.infer<typeof ActionFile>

/** What is different for workflows that use the action, and how much the version has to change because of it. */
export interface InterfaceChange {
  readonly file: string
  readonly level: Exclude<Level, 'patch'>
  /** What is different, such as `input timeout is gone`. */
  readonly text: string
}

/** Compares two states of the action.yml files, given as path → text. A renamed name counts as gone and new. */
export function interfaceChanges(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): InterfaceChange[] {
  const files = [...new Set([...before.keys(), ...after.keys()])]
  return files.flatMap((file) => {
    const [old, now] = [actionOf(before.get(file)), actionOf(after.get(file))]
    const changes = changesBetween(old, now)
    return changes.map(([level, text]) => ({ file, level, text }))
  })
}

/** The level that the changes need; a patch if there are none. */
export function neededLevel(changes: readonly InterfaceChange[]): Level {
  if (changes.some(({ level }) => level === 'major')) return 'major'
  return changes.length === 0 ? 'patch' : 'minor'
}

function actionOf(text: string | undefined): Action | undefined {
  return text === undefined ? undefined : ActionFile.parse(parse(text))
}

type Found = readonly [InterfaceChange['level'], string]

function changesBetween(old: Action | undefined, now: Action | undefined): Found[] {
  if (old === undefined || now === undefined) {
    if (old !== undefined) return [['major', 'the action is gone']]
    return now === undefined ? [] : [['minor', 'the action is new']]
  }
  const using: Found[] =
    old.runs.using === now.runs.using ? [] : [['major', `using: ${old.runs.using} → ${now.runs.using}`]]
  return [
    ...using,
    ...inputChanges(old.inputs, now.inputs),
    ...nameChanges('output', old.outputs, now.outputs),
  ]
}

function inputChanges(old: Action['inputs'], now: Action['inputs']): Found[] {
  const ofBoth = Object.entries(now).flatMap(([name, input]): Found[] => {
    const was = old[name]
    const asked: Found[] =
      isMissable(input) || (was !== undefined && !isMissable(was))
        ? []
        : [['major', `input ${name} has to be given`]]
    if (was === undefined || was.default === input.default) return asked
    const [from, to] = [was.default, input.default].map((text) => (text === undefined ? 'none' : `'${text}'`))
    return [...asked, ['major', `default of input ${name}: ${from} → ${to}`]]
  })
  return [...nameChanges('input', old, now), ...ofBoth]
}

/** A workflow may leave the input out. */
function isMissable(input: Action['inputs'][string]): boolean {
  return !input.required || input.default !== undefined
}

function nameChanges(kind: 'input' | 'output', old: object, now: object): Found[] {
  const gone = Object.keys(old).filter((name) => !(name in now))
  const added = Object.keys(now).filter((name) => !(name in old))
  return [
    ...gone.map((name): Found => ['major', `${kind} ${name} is gone`]),
    ...added.map((name): Found => ['minor', `${kind} ${name} is new`]),
  ]
}
