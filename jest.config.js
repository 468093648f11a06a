/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  // Types are checked by `npm run typecheck`, once, and not again in every test file.
  transform: {
    '\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'es6' } },
    ],
  },
  testMatch: ['<rootDir>/__tests__/**/*.test.ts'],
  // Virtual environments and copies of the project lie there.
  modulePathIgnorePatterns: ['<rootDir>/e2e/.cache/', '<rootDir>/mutation/.cache/', '<rootDir>/build/'],
  watchman: false,
  // Most tests wait for processes and sockets, not for a processor.
  maxWorkers: 3,
  maxConcurrency: 10,
  // An hour of virtual time is hundreds of requests; a busy machine must not turn that red.
  testTimeout: 30_000,
}
