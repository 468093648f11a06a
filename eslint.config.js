import eslint from '@eslint/js'
import { defineConfig } from 'eslint/config'
import tseslint from 'typescript-eslint'

/** Syntax that the project's habits rule out everywhere. */
const HABITS = [
  {
    selector: ":matches(PropertyDefinition, MethodDefinition[kind!='constructor'])[accessibility='private']",
    message: 'Use a #private member: it is private at run time too.',
  },
  {
    selector: "LogicalExpression[operator='||'][left.callee.name=/^(parseInt|parseFloat|Number)$/]",
    message: 'This turns 0 and NaN into the default: check the number.',
  },
]

/** Syntax that is ruled out in what ships. */
const HABITS_OF_SRC = [
  ...HABITS,
  {
    selector: "Program > VariableDeclaration[kind='let']",
    message: 'No module state: two uses in one process would share it. Pass it in or keep it in an object.',
  },
]

/** core.setFailed sets the exit code behind our back. */
const SET_FAILED = {
  selector:
    ":matches(MemberExpression[property.name='setFailed'], ImportSpecifier[imported.name='setFailed'])",
  message: 'setFailed sets the exit code: only src/exit-code.ts decides that. Use core.error, or throw.',
}

const NO_EXIT = {
  object: 'process',
  property: 'exit',
  message: 'process.exit loses output that is still being written. Set process.exitCode and return.',
}

const EXIT_CODE = {
  object: 'process',
  property: 'exitCode',
  message: 'Only src/exit-code.ts decides the exit code: return a value or throw.',
}

/** Text leaves the process in two places, and both cover secrets. */
const STDOUT = {
  object: 'process',
  property: 'stdout',
  message: 'Secrets are covered where text leaves: write through WorkflowLog.',
}

const ACTIONS_CORE = {
  regex: '^@actions/core$',
  message:
    'Secrets are covered where text leaves: only src/github/outputs.ts and append-summary.ts use @actions/core.',
}

const RELATIVE_WITHOUT_TS = {
  regex: String.raw`^\.\.?/(?!.*(\.ts|\.mjs|\.json|/(eslint|jest)\.config\.js)$)`,
  message: 'Write relative imports with the .ts extension.',
}

export default defineConfig(
  {
    ignores: [
      'dist/',
      'build/',
      'coverage/',
      'demo-output/',
      'e2e/.cache/',
      'bench/.cache/',
      'mutation/.cache/',
      '**/node_modules/',
      '**/golden/',
    ],
  },
  { linterOptions: { reportUnusedDisableDirectives: 'error', reportUnusedInlineConfigs: 'error' } },
  eslint.configs.recommended,
  tseslint.configs.strictTypeChecked,
  tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      complexity: ['error', { max: 20, variant: 'modified' }],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'max-depth': ['error', 4],
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
      'no-console': 'error',
      'no-empty': ['error', { allowEmptyCatch: false }],
      'no-param-reassign': 'error',
      'no-restricted-exports': [
        'error',
        { restrictDefaultExports: { direct: true, named: true, defaultFrom: true, namedFrom: true } },
      ],
      'no-restricted-imports': ['error', { patterns: [RELATIVE_WITHOUT_TS] }],
      'no-restricted-properties': ['error', NO_EXIT],
      'no-restricted-syntax': ['error', ...HABITS],
      'no-warning-comments': ['error', { terms: ['todo', 'fixme', 'xxx'], location: 'anywhere' }],
      '@typescript-eslint/consistent-type-exports': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
      // `import { type X }` would leave `import {}` behind, which loads the module at run time.
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', destructuredArrayIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { requireDefaultForNonUnion: true }],
    },
  },
  {
    files: ['src/**'],
    rules: {
      'no-restricted-imports': ['error', { patterns: [RELATIVE_WITHOUT_TS, ACTIONS_CORE] }],
      'no-restricted-properties': ['error', NO_EXIT, EXIT_CODE, STDOUT],
      'no-restricted-syntax': ['error', ...HABITS_OF_SRC, SET_FAILED],
      '@typescript-eslint/no-unsafe-type-assertion': 'error',
    },
  },
  {
    files: ['src/github/outputs.ts', 'src/github/append-summary.ts'],
    rules: { 'no-restricted-imports': ['error', { patterns: [RELATIVE_WITHOUT_TS] }] },
  },
  {
    files: ['src/exit-code.ts'],
    rules: {
      'no-restricted-properties': ['error', NO_EXIT],
      'no-restricted-syntax': ['error', ...HABITS_OF_SRC],
    },
  },
  {
    files: ['**/{helpers,helper,utils,util}.*'],
    rules: {
      'no-restricted-syntax': [
        'error',
        { selector: 'Program', message: 'Name the file after what it does.' },
      ],
    },
  },
  {
    // These talk to a person at a terminal.
    files: ['simulator/**', 'e2e/**', 'bench/**', 'chaos/**', 'mutation/**', 'scripts/**', 'docs/**'],
    rules: { 'no-console': 'off' },
  },
  {
    // Stand-ins often have an interface's async methods without anything to wait for.
    files: ['__tests__/**', 'simulator/**', 'e2e/**', 'bench/**', 'chaos/**'],
    rules: { '@typescript-eslint/require-await': 'off' },
  },
  {
    files: ['__tests__/**'],
    rules: {
      'max-lines': ['error', { max: 500, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': 'off',
      // A wrong index, shape or type makes the test fail, which is what a test is for.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
    },
  },
  {
    // Plain JavaScript stands outside the TypeScript project.
    files: ['**/*.{js,mjs}'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: { globals: { console: 'readonly', process: 'readonly', URL: 'readonly' } },
  },
  {
    files: ['*.config.js', '.dependency-cruiser.mjs', 'mutation/jest/*.js'],
    rules: { 'no-restricted-exports': 'off', 'max-lines-per-function': 'off' },
  },
)
