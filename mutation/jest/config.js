import config from '../../jest.config.js'

/** For the tests in the sandbox: this file's copy there is what jest reads. */
export default {
  ...config,
  rootDir: '../..',
  // The usual place is in the folder for temporary files, of which each start has its own.
  cacheDirectory: '<rootDir>/mutation/.cache/jest',
  setupFiles: ['<rootDir>/src/mutation-prelude.ts'],
  reporters: ['<rootDir>/mutation/jest/reporter.js'],
  testSequencer: '<rootDir>/mutation/jest/sequencer.js',
}
