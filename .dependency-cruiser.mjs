/*
 * Which folder of src/ may use which, and that nothing imports itself in a circle, types included.
 */

/** Folders whose code a folder may run. Files directly in src/ (the entry) may use every folder. */
const MAY_USE = {
  base: [],
  http: ['base'],
  zenml: ['base', 'http'],
  run: ['base', 'http', 'zenml'],
  github: ['base'],
  actions: ['base', 'http', 'zenml', 'run', 'github'],
}

/** What the workflow's folder may only know the types of: their values are handed to it. */
const TYPES_FOR_GITHUB = ['http', 'zenml', 'run', 'actions']

const folders = Object.keys(MAY_USE)
const pathOf = (names) => `^src/(${names.join('|')})/`

const borders = Object.entries(MAY_USE).map(([folder, others]) => ({
  name: `border-of-${folder}`,
  comment: `src/${folder} may use ${others.length === 0 ? 'nothing but itself' : others.join(', ')}: values in, values out; the caller passes the rest in.`,
  severity: 'error',
  from: { path: pathOf([folder]) },
  to: {
    path: '^src/',
    pathNot: pathOf([folder, ...others, ...(folder === 'github' ? TYPES_FOR_GITHUB : [])]),
  },
}))

export default {
  forbidden: [
    {
      name: 'no-circle',
      comment: 'Two files that need each other are one, or hide a third.',
      severity: 'error',
      from: { path: '^src/' },
      to: { circular: true },
    },
    ...borders,
    {
      name: 'types-only-for-github',
      comment: 'src/github may import only types from there: write `import type { … }`.',
      severity: 'error',
      from: { path: '^src/github/' },
      to: { path: pathOf(TYPES_FOR_GITHUB), dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'known-folder',
      comment: 'A new folder needs its borders in this file.',
      severity: 'error',
      from: { path: '^src/[^/]+/', pathNot: pathOf(folders) },
      to: {},
    },
    {
      name: 'only-src-ships',
      comment: 'What ships uses nothing that does not.',
      severity: 'error',
      from: { path: '^src/' },
      to: { pathNot: '^src/|node_modules/', dependencyTypesNot: ['core'] },
    },
    {
      name: 'no-workflow',
      comment: 'Only src/github and src/actions know that they run in a workflow.',
      severity: 'error',
      from: { path: pathOf(['base', 'http', 'zenml', 'run']) },
      to: { path: 'node_modules/@(actions|octokit)/' },
    },
    {
      name: 'loaded-when-needed',
      comment: 'Load it where it is used, with `await import(…)`: it is slow to load and seldom needed.',
      severity: 'error',
      from: { path: '^src/' },
      to: {
        path: 'node_modules/(@octokit/core|yaml)/',
        dependencyTypesNot: ['type-only', 'type-import'],
        dynamic: false,
      },
    },
  ],
  options: {
    // Imports of types as well.
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
}
