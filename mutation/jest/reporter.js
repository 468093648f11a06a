import path from 'node:path'

/** Says at once, in a line, which test is red: what is left of the tests need not run. */
export default class Reporter {
  #root

  constructor({ rootDir }) {
    this.#root = rootDir
  }

  onTestCaseResult({ path: file }, { status, fullName }) {
    if (status === 'failed') this.#red(file, fullName)
  }

  onTestResult({ path: file }, { testExecError }) {
    if (testExecError) this.#red(file, undefined)
  }

  #red(file, test) {
    const line = JSON.stringify({ file: path.relative(this.#root, file).replaceAll('\\', '/'), test })
    process.stdout.write(`\nRED ${line}\n`)
  }
}
