import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { stringify } from 'yaml'
import { renderPage, type Piece } from '../docs/pictures/page.ts'
import { runAction, type ActionResult } from '../e2e/action.ts'
import { LogView } from './demo/log-view.ts'
import { scenes, type DemoScene } from './demo/scenes.ts'
import { startGithub, type GithubSimulator } from './github/server.ts'
import { realClock, startSimulator, type Simulator } from './index.ts'

/*
 * `npm run demo`: the built action in four workflow steps against a simulated ZenML server, each shown as
 * GitHub shows it. `--speed 10` lets the server's time run faster than the clock on the wall. What stands on the
 * workflow run's page and on the pull request is written to demo-output/index.html, beside a run's report page.
 */

const WIDTH = 100
const FOLDER = path.join(import.meta.dirname, '../demo-output')
const PAGE = path.join(FOLDER, 'index.html')

/** Of the workflow's own token, which GitHub makes for each job. */
const GITHUB_TOKEN = 'ghs_of_the_demo'
const REPOSITORY = 'octo-org/example'
const PULL_REQUEST = 7
const EVENT = {
  pull_request: {
    number: PULL_REQUEST,
    head: { sha: '9f8e7d6c5b4a39281706f5e4d3c2b1a098765432', repo: { full_name: REPOSITORY } },
    base: { repo: { full_name: REPOSITORY } },
  },
}
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

/** The step to copy into a workflow, where address and key come from a variable and a secret. */
function workflowStep(inputs: Readonly<Record<string, string>>): string {
  const given = {
    'server-url': '${{ vars.ZENML_SERVER_URL }}',
    'api-key': '${{ secrets.ZENML_API_KEY }}',
    ...inputs,
    comment: true,
  }
  return stringify([{ uses: 'your-org/zenml-run-action@v1.0.0-rc.1', with: given }], { lineWidth: 0 })
}

function outputs(result: ActionResult): string {
  const entries = Object.entries(result.outputs)
  const longest = Math.max(...entries.map(([name]) => name.length))
  return entries.map(([name, value]) => `${name.padEnd(longest)}  ${value}`).join('\n')
}

/** Markdown with `&#45;` and the like, which GitHub shows as characters, shown so; charts are drawn by GitHub only. */
function readable(markdown: string): string {
  return markdown
    .replaceAll(/^```mermaid\n[^]*?^```$/gm, '(GitHub draws a timeline of the steps here.)')
    .replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
}

/** How one scene went, and what a person reads of it outside the log. */
interface Played {
  readonly wentAsTold: boolean
  readonly pieces: readonly Piece[]
}

/** Plays one scene on servers of its own. */
async function play(scene: DemoScene, number: number, speed: number): Promise<Played> {
  const server = await startSimulator({ clock: realClock(speed), faults: scene.faults ?? [] })
  const github = await startGithub({
    accounts: { [GITHUB_TOKEN]: { login: 'github-actions[bot]', rights: 'write' } },
    repository: REPOSITORY,
  })
  try {
    console.log(`\n${bold(`━━ ${number} of ${scenes.length}: ${scene.title} `.padEnd(WIDTH, '━'))}\n`)
    console.log(`${scene.before}\n\n${bold('In the workflow')}\n`)
    console.log(`${block(workflowStep(scene.inputs))}\n\n${bold('The log, as GitHub shows it')}\n`)
    if (scene.onMain !== undefined) {
      await runAction({ inputs: inputsFor(server, scene.onMain), env: { GITHUB_RUN_ID: '100200299' } })
    }
    const result = await takeStep(scene, server, github)
    const comment = github
      .comments(PULL_REQUEST)
      .map(({ body }) => body)
      .join('\n')
    console.log(`\n${bold('Outputs, for later steps')}\n\n${block(outputs(result))}`)
    console.log(`\n${bold('Job summary (Markdown)')}\n\n${block(readable(result.summary))}`)
    console.log(`\n${bold('Comment on the pull request (Markdown)')}\n\n${block(readable(comment))}`)
    console.log(`\n${bold('What happened')}\n\n${block(scene.after(result, server))}`)
    const pieces = [
      { title: `${scene.title}: job summary`, markdown: result.summary },
      { title: `${scene.title}: comment on the pull request`, markdown: comment },
      ...reportPiece(scene.title, result.outputs['report']),
    ]
    return { wentAsTold: scene.isAsTold(result, server) && comment !== '', pieces }
  } finally {
    await Promise.all([server.close(), github.close()])
  }
}

/** A link to the report page, where there is one. */
function reportPiece(title: string, report: string | undefined): Piece[] {
  if (report === undefined) return []
  return [{ title: `${title}: report page`, markdown: `[Open the report page](${path.basename(report)})` }]
}

function inputsFor(
  { url, apiKey }: Simulator,
  inputs: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return { 'server-url': url, 'api-key': apiKey, ...inputs }
}

/** Runs the built action for a pull request. */
function takeStep(scene: DemoScene, server: Simulator, { apiUrl }: GithubSimulator): Promise<ActionResult> {
  const view = new LogView()
  return runAction({
    inputs: inputsFor(server, { comment: 'true', 'github-token': GITHUB_TOKEN, ...scene.inputs }),
    env: {
      GITHUB_API_URL: apiUrl,
      GITHUB_EVENT_NAME: 'pull_request',
      GITHUB_REF: `refs/pull/${PULL_REQUEST}/merge`,
      RUNNER_TEMP: FOLDER,
    },
    event: EVENT,
    onLine: (line) => {
      const shown = view.show(line)
      if (shown !== undefined) console.log(block(shown))
    },
  })
}

async function writePage(pieces: readonly Piece[]): Promise<void> {
  writeFileSync(
    PAGE,
    await renderPage(pieces, { title: 'Job summaries and comments of the demo', width: 900 }),
  )
  console.log(`\n${bold('To open in a browser:')} ${PAGE}`)
}

async function demo(speed: number): Promise<void> {
  rmSync(FOLDER, { recursive: true, force: true })
  mkdirSync(FOLDER, { recursive: true })
  console.log('Four workflow steps. The built action (dist/) runs each the way a GitHub runner does.')
  console.log(
    'The ZenML server and the GitHub API are simulated on this machine; nothing is sent anywhere else.',
  )
  console.log('GitHub masks the key and the tokens: you see *** instead.')
  const untold: string[] = []
  const pieces: Piece[] = []
  for (const [index, scene] of scenes.entries()) {
    const played = await play(scene, index + 1, speed)
    pieces.push(...played.pieces)
    if (!played.wentAsTold) untold.push(scene.title)
  }
  await writePage(pieces)
  if (untold.length === 0) {
    console.log(
      `\n${bold('All four ended as expected.')} README.md explains how to use the action in a workflow.`,
    )
  } else {
    console.error(
      `\nThis did not end as expected: ${untold.join('; ')}. Please report it with everything above.`,
    )
    process.exitCode = 1
  }
}

const { values } = parseArgs({ options: { speed: { type: 'string', default: '1' } } })
const speed = Number(values.speed)
if (!(speed > 0)) throw new Error(`--speed ${values.speed}: write a number above 0.`)
await demo(speed)
