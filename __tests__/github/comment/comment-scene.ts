import { mkdtemp, readFile as readText, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { VirtualClock } from '../../../simulator/index.ts'
import { startGithub, type GithubAccount, type GithubSimulator } from '../../../simulator/github/server.ts'
import type { Environment } from '../../../src/github/workflow/environment.ts'
import { readFile } from '../../../src/github/workflow/files.ts'
import { readWorkflowContext, type WorkflowContext } from '../../../src/github/workflow/context.ts'
import { WorkflowLog } from '../../../src/github/log/workflow-log.ts'
import { pullRequestComment, type CommentOptions } from '../../../src/github/comment/comment.ts'
import type { RunComment } from '../../../src/github/comment/run-comment.ts'
import { Http } from '../../../src/http/http.ts'
import { readAsRunner, type RunnerCommand } from '../runner-reader.ts'

/** A workflow's own token. */
export const TOKEN = 'ghs_0000made0000up0000for0000tests0000'
/** A person's. */
export const PERSONAL = 'ghp_0000made0000up0000for0000tests0000'

export const PULL_REQUEST = 7

const ACCOUNTS: Readonly<Record<string, GithubAccount>> = {
  [TOKEN]: { login: 'github-actions[bot]', rights: 'write' },
  [PERSONAL]: { login: 'octocat', rights: 'write', kind: 'personal' },
}

const repository = { full_name: 'example/models' }

/** Payload of a pull request from a branch of the same repository. */
export const OWN_BRANCH = {
  pull_request: { number: PULL_REQUEST, head: { repo: repository }, base: { repo: repository } },
}
export const FORK = {
  pull_request: {
    number: PULL_REQUEST,
    head: { repo: { full_name: 'somebody/models' } },
    base: { repo: repository },
  },
}

export interface SceneOptions {
  readonly accounts?: Readonly<Record<string, GithubAccount>>
  readonly apiPath?: '' | '/api/v3'
  readonly event?: unknown
  readonly eventName?: string
}

export interface CommentScene {
  readonly github: GithubSimulator
  readonly clock: VirtualClock
  /** What the runner gives the step. */
  readonly env: Environment
  readonly context: WorkflowContext
  /** What the step wrote to its log. */
  readonly commands: () => RunnerCommand[]
  readonly output: () => string
  /** `METHOD /path` of what GitHub was asked, without the repository. */
  readonly asked: () => string[]
  /** What the post step would be given. */
  readonly savedState: () => Promise<Record<string, string>>
  /** A step that keeps a comment. */
  readonly comment: (options?: Partial<CommentOptions>) => RunComment
  readonly options: CommentOptions
}

/** GitHub, and a step of a workflow on one of its pull requests. */
export async function withComment<T>(
  { accounts = ACCOUNTS, apiPath = '', event = OWN_BRANCH, eventName = 'pull_request' }: SceneOptions,
  use: (scene: CommentScene) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(path.join(tmpdir(), 'comment-'))
  const github = await startGithub({ accounts, apiPath })
  const [eventPath, statePath] = [path.join(folder, 'event.json'), path.join(folder, 'state')]
  await writeFile(eventPath, JSON.stringify(event))
  await writeFile(statePath, '')
  const before = process.env['GITHUB_STATE']
  process.env['GITHUB_STATE'] = statePath
  const clock = new VirtualClock()
  let output = ''
  const env = {
    GITHUB_API_URL: github.apiUrl,
    GITHUB_SERVER_URL: 'https://github.com',
    GITHUB_REPOSITORY: 'example/models',
    GITHUB_REPOSITORY_ID: '1',
    GITHUB_WORKFLOW: 'Train',
    GITHUB_WORKFLOW_REF: 'example/models/.github/workflows/train.yml@refs/pull/7/merge',
    GITHUB_ACTION: 'train',
    GITHUB_RUN_ID: '100200300',
    GITHUB_RUN_ATTEMPT: '1',
    GITHUB_EVENT_NAME: eventName,
    GITHUB_EVENT_PATH: eventPath,
  }
  const context = readWorkflowContext(env)
  const options: CommentOptions = {
    mode: 'always',
    token: TOKEN,
    action: 'main',
    stepKey: 'train/0',
    context,
    readFile,
    openHttp: () => new Http('comment-test'),
    clock,
    log: new WorkflowLog((text) => {
      output += text
    }),
  }
  // As the action does it when it reads its inputs.
  options.log.mask(TOKEN)
  output = ''
  try {
    return await use({
      github,
      clock,
      env,
      context,
      options,
      commands: () => readAsRunner(output).commands,
      output: () => output,
      asked: () =>
        github.requests.map(({ method, path: asked }) => {
          return `${method} ${asked.replace('/repos/example/models', '').replace(/(?<=\/comments\/)\d+/, 'ID')}`
        }),
      savedState: async () => stateOf(await readText(statePath, 'utf8')),
      comment: (changes = {}) => {
        const comment = pullRequestComment({ ...options, ...changes })
        if (comment === undefined) throw new Error('no comment is wanted')
        return comment
      },
    })
  } finally {
    if (before === undefined) delete process.env['GITHUB_STATE']
    else process.env['GITHUB_STATE'] = before
    await github.close()
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** The last value of each name, as the runner hands it to the post step. */
function stateOf(text: string): Record<string, string> {
  const found = [...text.matchAll(/^(.+?)<<(\S+)\r?\n(.*?)\r?\n?^\2$/gms)]
  return Object.fromEntries(found.map(([, name, , value]) => [`STATE_${name}`, value ?? '']))
}
