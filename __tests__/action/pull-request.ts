import type { ActionOptions } from '../../e2e/action.ts'
import { startGithub, type GithubSimulator } from '../../simulator/github/server.ts'
import type { SimulatorOptions } from '../../simulator/index.ts'
import { withServer, type Scene } from './scene.ts'

export const TOKEN = 'ghs_0000made0000up0000for0000tests0000'

export type PullRequestWork = (
  scene: Scene,
  github: GithubSimulator,
  step: Omit<ActionOptions, 'inputs'>,
) => Promise<void>

/** Gives a test a step in a workflow that pull request 7 started, and GitHub around it. */
export async function onPullRequest(options: SimulatorOptions, work: PullRequestWork): Promise<void> {
  const github = await startGithub({
    accounts: { [TOKEN]: { login: 'github-actions[bot]', rights: 'write' } },
  })
  const step = {
    env: {
      GITHUB_API_URL: github.apiUrl,
      GITHUB_EVENT_NAME: 'pull_request',
      GITHUB_REPOSITORY: 'example/models',
    },
    event: { pull_request: { number: 7 } },
    contexts: { 'github.token': TOKEN },
  }
  try {
    await withServer(options, (scene) => work(scene, github, step))
  } finally {
    await github.close()
  }
}
