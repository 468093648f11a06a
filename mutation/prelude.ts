/**
 * Loaded before all else by the sandbox's src/index.ts and by its tests. Where MUTANTS_REACHED names a file, it notes
 * there each mutant that is reached, at once: a process that is killed has noted its own, too.
 */
import { appendFileSync } from 'node:fs'
import process from 'node:process'

const file = process.env['MUTANTS_REACHED']

if (file !== undefined && file !== '') {
  const reached = new Set<string>()
  const noting = new Proxy<Record<string, number>>(
    {},
    {
      set: (_, id) => {
        if (typeof id === 'string' && !reached.has(id)) {
          reached.add(id)
          appendFileSync(file, `${id}\n`)
        }
        return true
      },
    },
  )
  // The name by which instrumented code counts.
  Reflect.set(globalThis, '__stryker__', { mutantCoverage: { static: noting, perTest: {} } })
}
