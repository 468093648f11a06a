import path from 'node:path'

/** Test files in the order in which they are named. */
export default class AsNamed {
  sort(tests) {
    const order = JSON.parse(process.env['MUTATION_TESTS'] ?? '[]').map((file) => path.resolve(file))
    return [...tests].sort((a, b) => order.indexOf(a.path) - order.indexOf(b.path))
  }

  cacheResults() {
    // The order does not depend on earlier runs.
  }
}
