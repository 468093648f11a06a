import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { runAction, type ActionResult } from '../../e2e/action.ts'
import { startServer, type ZenServer } from '../../e2e/servers.ts'
import { makeTarget } from '../../e2e/target.ts'
import { startGithub } from '../../simulator/github/server.ts'

/*
 * `npm run pictures:run`: the built action runs a pipeline on a real ZenML server, and what it wrote for the job's
 * summary, the report page and the pull request is kept in build/pictures/, to be drawn. Before a release, by hand.
 */

const OUTPUT = path.join(import.meta.dirname, '../../build/pictures')
const TOKEN = 'ghs_0000made0000up0000for0000pictures00'
/** The newest commit of the pull request. */
const HEAD = '9f8e7d6c5b4a39281706f5e4d3c2b1a098765432'

/** `seconds` of training, and what it is told to fail with; nothing if it is to complete. */
interface Training {
  readonly seconds: number
  readonly fail?: string
}

/** The page about a run, with a good run on `main` to compare it with. */
async function reportOn({ url, apiKey }: Pick<ZenServer, 'url' | 'apiKey'>): Promise<string> {
  const evaluate = async (accuracy: number, baseline: string, event: string): Promise<ActionResult> =>
    runAction({
      inputs: {
        'server-url': url,
        'api-key': apiKey,
        snapshot: 'evaluation-template',
        parameters: JSON.stringify({ load: { rows: 5_000 }, train: { seconds: 8, accuracy } }),
        expect: 'train.accuracy >= 0.9',
        baseline,
        visualizations: 'true',
      },
      env: { GITHUB_EVENT_NAME: event, GITHUB_REPOSITORY: 'example/models', RUNNER_TEMP: OUTPUT },
    })
  await evaluate(0.91, '', 'push')
  const { outputs } = await evaluate(0.93, 'main', 'pull_request')
  return outputs['report'] ?? ''
}

async function main(): Promise<void> {
  mkdirSync(OUTPUT, { recursive: true })
  const server = await startServer(makeTarget('0.98.0'))
  const github = await startGithub({
    accounts: { [TOKEN]: { login: 'github-actions[bot]', rights: 'write' } },
  })
  const train = async ({ seconds, fail = '' }: Training, pullRequest: number): Promise<ActionResult> =>
    runAction({
      inputs: {
        'server-url': server.url,
        'api-key': server.apiKey,
        snapshot: 'training-template',
        parameters: JSON.stringify({ load: { rows: 5_000 }, train: { seconds, accuracy: 0.93, fail } }),
        expect: 'train.accuracy >= 0.9\ntrain.loss < 0.1',
        comment: 'true',
      },
      env: {
        GITHUB_API_URL: github.apiUrl,
        GITHUB_EVENT_NAME: 'pull_request',
        GITHUB_REF: `refs/pull/${pullRequest}/merge`,
        GITHUB_REPOSITORY: 'example/models',
        GITHUB_WORKFLOW: 'Train',
      },
      event: { pull_request: { number: pullRequest, head: { sha: HEAD } } },
      contexts: { 'github.token': TOKEN },
    })
  try {
    // The first ones are the history of the last.
    for (const seconds of [9, 10]) await train({ seconds }, 1)
    const { summary } = await train({ seconds: 12 }, 2)
    await train({ seconds: 3, fail: 'loss is NaN in epoch 3' }, 3)
    copyFileSync(await reportOn(server), path.join(OUTPUT, 'report-page.html'))
    writeFileSync(path.join(OUTPUT, 'job-summary.md'), summary)
    writeFileSync(path.join(OUTPUT, 'pull-request-comment.md'), github.comments(3)[0]?.body ?? '')
    console.log(`Kept in ${OUTPUT}`)
  } finally {
    await github.close()
    await server.stop(false)
  }
}

await main()
