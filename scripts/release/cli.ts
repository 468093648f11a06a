/**
 * The commands of a release; RELEASING.md tells the story. A command loads only
 * what it needs: those that get a token with rights run without any installed package, on Node 24 alone.
 */
import { parseCommand } from './commands.ts'
import { explain } from './explain.ts'

try {
  await parseCommand(process.argv.slice(2))()
} catch (error) {
  console.error(explain(error))
  process.exitCode = 1
}
