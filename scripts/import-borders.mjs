import path from 'node:path'

/**
 * Which room of src/ may use which. `values`: imports that remain at run time; `types`: `import type` only.
 * A room may always use itself. Files directly in src/ (the entry module) may use every room.
 */
const ROOMS = {
  base: { values: [], types: [] },
  http: { values: ['base', 'zenml'], types: [] },
  zenml: { values: ['base', 'http'], types: [] },
  run: { values: ['base', 'http', 'zenml'], types: [] },
  github: { values: ['base'], types: ['http', 'zenml', 'run', 'actions'] },
  actions: { values: ['base', 'http', 'zenml', 'run', 'github'], types: [] },
}

/** Rooms that must not know that they run inside a workflow. */
const WITHOUT_WORKFLOW = ['base', 'http', 'zenml', 'run']

/** Packages whose loading would be felt at every start of the action, though few runs use them. */
const LOADED_WHEN_NEEDED = ['@actions/github', 'yaml']

const MESSAGES = {
  outside: 'src/ ships; "{{target}}" is not part of it.',
  room: 'src/{{room}} must not import from src/{{target}}: values in, values out (the caller passes it in).',
  typesOnly: 'src/{{room}} may import only types from src/{{target}}: write `import type { … }`.',
  workflow: 'src/{{room}} must not know the workflow: {{target}} belongs to src/github and src/actions.',
  lazy: 'Load {{target}} where it is used, with `await import(…)`: it is slow to load and seldom needed.',
}

/** The path below src/, as its parts; undefined for a file elsewhere. */
function partsInSrc(file, root) {
  const parts = path.relative(path.join(root, 'src'), file).split(path.sep)
  return parts[0] === '..' ? undefined : parts
}

/** The message for one import, or undefined if it is allowed. `kind`: 'value', 'type' or 'lazy' (an `import()`). */
function faultOf(specifier, kind, filename, root) {
  const own = partsInSrc(filename, root)
  const room = own.length > 1 ? own[0] : undefined
  if (!specifier.startsWith('.')) return packageFault(specifier, kind, room)

  const target = partsInSrc(path.resolve(path.dirname(filename), specifier), root)
  if (target === undefined) return { messageId: 'outside', data: { target: specifier } }
  if (room === undefined || target[0] === room) return undefined

  const rule = ROOMS[room] ?? { values: [], types: [] }
  if (rule.values.includes(target[0])) return undefined
  if (!rule.types.includes(target[0])) return { messageId: 'room', data: { room, target: target[0] } }
  return kind === 'type' ? undefined : { messageId: 'typesOnly', data: { room, target: target[0] } }
}

function packageFault(specifier, kind, room) {
  if (WITHOUT_WORKFLOW.includes(room) && specifier.startsWith('@actions/')) {
    return { messageId: 'workflow', data: { room, target: specifier } }
  }
  const lazy = LOADED_WHEN_NEEDED.some((name) => specifier === name || specifier.startsWith(`${name}/`))
  return lazy && kind === 'value' ? { messageId: 'lazy', data: { target: specifier } } : undefined
}

/** ESLint rule: the rooms of src/ keep to themselves. Sees static imports, re-exports, `import()` and import types. */
export const importBorders = {
  meta: { type: 'problem', schema: [], messages: MESSAGES },
  create(context) {
    if (partsInSrc(context.filename, context.cwd) === undefined) return {}
    const check = (source, kind) => {
      if (typeof source?.value !== 'string') return
      const fault = faultOf(source.value, kind, context.filename, context.cwd)
      if (fault !== undefined) context.report({ node: source, ...fault })
    }
    return {
      ImportDeclaration: (node) => check(node.source, node.importKind),
      ExportNamedDeclaration: (node) => check(node.source, node.exportKind),
      ExportAllDeclaration: (node) => check(node.source, node.exportKind),
      ImportExpression: (node) => check(node.source, 'lazy'),
      TSImportType: (node) => check(node.source, 'type'),
    }
  },
}
