/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  // Types are checked by `npm run typecheck`, once, and not again in every test file.
  transform: { '\\.ts$': ['ts-jest', { useESM: true, diagnostics: false, transpilation: true }] },
  testMatch: ['<rootDir>/__tests__/**/*.test.ts'],
  // Virtual environments and copies of the project lie there.
  modulePathIgnorePatterns: ['<rootDir>/e2e/.cache/', '<rootDir>/build/'],
  watchman: false,
  // Most tests wait for processes and sockets, not for a processor.
  maxWorkers: 3,
  maxConcurrency: 10,
}
