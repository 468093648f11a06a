import { parseArgs } from 'node:util'
import { stringify } from 'yaml'
import { runAction, type ActionResult } from '../e2e/action.ts'
import { LogView } from './demo/log-view.ts'
import { scenes, type DemoScene } from './demo/scenes.ts'
import { realClock, startSimulator } from './index.ts'

/*
 * `npm run demo`: the built action in three workflow steps against a simulated ZenML server, each shown as
 * GitHub shows it. `--speed 10` lets the server's time run faster than the clock on the wall.
 */

const WIDTH = 100
const canStyle = process.stdout.isTTY && process.stdout.hasColors()

function bold(text: string): string {
  return canStyle ? `\u001b[1m${text}\u001b[22m` : text
}

function block(text: string): string {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => `    ${line}`.trimEnd())
    .join('\n')
}

/** The step as it stands in a workflow, where the key comes from a secret. */
function workflowStep(inputs: Readonly<Record<string, string>>): string {
  const given = { ...inputs, 'api-key': '${{ secrets.ZENML_API_KEY }}' }
  return stringify([{ uses: 'your-org/zenml-run-action@v1', with: given }], { lineWidth: 0 })
}

function outputs(result: ActionResult): string {
  const entries = Object.entries(result.outputs)
  const longest = Math.max(...entries.map(([name]) => name.length))
  return entries.map(([name, value]) => `${name.padEnd(longest)}  ${value}`).join('\n')
}

/** The summary's Markdown with `&#45;` and the like, which GitHub shows as characters, shown so. */
function summary({ summary: markdown }: ActionResult): string {
  return markdown.replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
}

/** Plays one scene on a server of its own. Gives whether it went as its title says. */
async function play(scene: DemoScene, number: number, speed: number): Promise<boolean> {
  const server = await startSimulator({ clock: realClock(speed), faults: scene.faults ?? [] })
  try {
    const inputs = { 'server-url': server.url, 'api-key': server.apiKey, ...scene.inputs }
    console.log(`\n${bold(`━━ ${number} of ${scenes.length}: ${scene.title} `.padEnd(WIDTH, '━'))}\n`)
    console.log(`${scene.before}\n\n${bold('In the workflow')}\n`)
    console.log(`${block(workflowStep(inputs))}\n\n${bold('The log, as GitHub shows it')}\n`)
    const view = new LogView()
    const result = await runAction({
      inputs,
      onLine: (line) => {
        const shown = view.show(line)
        if (shown !== undefined) console.log(block(shown))
      },
    })
    console.log(`\n${bold('Outputs, for the steps after it')}\n\n${block(outputs(result))}`)
    console.log(`\n${bold('Job summary (Markdown)')}\n\n${block(summary(result))}`)
    console.log(`\n${bold('What happened')}\n\n${block(scene.after(result, server))}`)
    return scene.isAsTold(result, server)
  } finally {
    await server.close()
  }
}

async function demo(speed: number): Promise<void> {
  console.log('Three steps of a workflow, run by the built action (dist/) the way a GitHub runner does it.')
  console.log(
    'The ZenML server is a simulated one on this machine; nothing is sent anywhere else. GitHub hides the',
  )
  console.log('key and the tokens: where one is printed, you see ***.')
  const untold: string[] = []
  for (const [index, scene] of scenes.entries()) {
    if (!(await play(scene, index + 1, speed))) untold.push(scene.title)
  }
  if (untold.length === 0) {
    console.log(`\n${bold('All three went as told.')} README.md says how to use the action in a workflow.`)
  } else {
    console.error(
      `\nThis did not go as told: ${untold.join('; ')}. Please report it with all that stands above.`,
    )
    process.exitCode = 1
  }
}

const { values } = parseArgs({ options: { speed: { type: 'string', default: '1' } } })
const speed = Number(values.speed)
if (!(speed > 0)) throw new Error(`--speed ${values.speed}: write a number above 0.`)
await demo(speed)
