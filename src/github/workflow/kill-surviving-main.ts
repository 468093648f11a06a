import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const GONE_WITHIN_MS = 2_000

/** Of the actions that have a post step. */
const ENTRIES = ['main.js', 'wait.js', 'sweep.js']

/**
 * Kills a main that outlived its step: in a container the runner signals `docker exec`, and not node. Left alone
 * it could start a run after its post step has looked for one.
 *
 * @param entryFolder where the action's entries are; only a process that runs one of them is ended
 * @returns whether there was one
 */
export async function killSurvivingMain(processId: number, entryFolder: string): Promise<boolean> {
  if (!(await runsEntry(processId, entryFolder))) return false
  try {
    process.kill(processId, 'SIGKILL')
  } catch {
    // It ended in between, or belongs to somebody else: nothing of ours is left to end.
    return false
  }
  for (
    const until = performance.now() + GONE_WITHIN_MS;
    performance.now() < until && (await runsEntry(processId, entryFolder));
  ) {
    await delay(50)
  }
  return true
}

/** Where there is no /proc (macOS, Windows) there are no job containers either. */
async function runsEntry(processId: number, entryFolder: string): Promise<boolean> {
  try {
    const command = await readFile(`/proc/${processId}/cmdline`, 'utf8')
    const [program = '', script = ''] = command.split('\0')
    // The runner starts what action.yml says as it is: …/sweep/../dist/sweep.js.
    const entries = ENTRIES.map((name) => path.join(entryFolder, name))
    return path.basename(program).startsWith('node') && entries.includes(path.normalize(script))
  } catch {
    return false
  }
}
