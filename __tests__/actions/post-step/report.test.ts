import { afterAll, beforeEach, expect, test } from '@jest/globals'
import { isReportDue, NOTHING_SENT, reportEarlyEnd } from '../../../src/actions/post-step/report.ts'
import { readSavedComment, saveComment } from '../../../src/github/comment/comment-state.ts'
import { WorkflowLog } from '../../../src/github/log/workflow-log.ts'
import { noteSummary } from '../../../src/github/post-step-state.ts'
import { parseFileCommand } from '../../../e2e/action.ts'
import { codeLine } from '../../../src/github/code-text.ts'
import { definition } from '../../github/run-events.ts'

import { TOKEN, withComment, PULL_REQUEST } from '../../github/comment/comment-scene.ts'
import { NO_LOG, recordOf, stepOf } from '../../github/records.ts'
import { RunnerFiles } from '../../hostile/workflow-step.ts'

const files = new RunnerFiles()
beforeEach(() => {
  files.empty()
})
afterAll(() => {
  files.remove()
})

const STARTED = {
  id: '1',
  name: 'nightly',
  url: 'https://zenml.example.com/runs/1',
  status: 'running',
  isDynamic: false,
}

/** The variables of a post step, after a main that saved its state and went no further. */
function leftBy(main: () => void): Record<string, string> {
  main()
  const state = { ...parseFileCommand(files.read('state')), started: JSON.stringify(STARTED) }
  return Object.fromEntries(Object.entries(state).map(([name, value]) => [`STATE_${name}`, value]))
}

const silent = new WorkflowLog(() => undefined)

test('after a main step that was killed, the summary says what became of its run', async () => {
  const env = leftBy(() => {
    noteSummary(true, silent)
  })
  expect(isReportDue(env)).toBe(true)
  const sentence = 'The run "nightly" was stopped'
  await reportEarlyEnd({ sentence, status: 'stopped' }, undefined, env, silent)
  const summary = files.read('summary')
  expect(summary).toContain('cancelled')
  expect(summary).toContain('[nightly](https://zenml.example.com/runs/1)')
  expect(summary).toContain('was stopped')
})

test('a main step that was killed when its run had ended is told of, too', async () => {
  const env = leftBy(() => {
    noteSummary(true, silent)
  })
  await reportEarlyEnd(undefined, undefined, env, silent)
  expect(files.read('summary')).toContain('The step ended early, before it could report on its run')
})

test('a main step that was killed before it sent anything is told of as one that started nothing', async () => {
  const env = leftBy(() => {
    noteSummary(true, silent)
  })
  await reportEarlyEnd(NOTHING_SENT, undefined, env, silent)
  expect(files.read('summary')).toContain('The step ended early, before a run was started')
  expect(files.read('summary')).not.toContain(' in ZenML')
})

/** A main that ended by itself and wrote its summary. */
function summarized(): void {
  noteSummary(true, silent)
  noteSummary(false, silent)
}

test.each([
  ['has written its own summary and left nothing to see to', summarized, undefined],
  ['has written its own summary before it sent anything', summarized, NOTHING_SENT],
  ['wanted none', () => undefined, { sentence: 'x', status: 'stopped' }],
])('after a main step that %s, the post step writes none', async (_, main, ended) => {
  const env = leftBy(main)
  expect(isReportDue(env)).toBe(false)
  await reportEarlyEnd(ended, undefined, env, silent)
  expect(files.read('summary')).toBe('')
})

test('below the summary of a main step that left its run unsettled, the post step says what became of it', async () => {
  const env = leftBy(summarized)
  const sentence = 'The run "nightly" was stopped and is now `stopped` | <b>'
  await reportEarlyEnd({ sentence, status: 'stopped' }, undefined, env, silent)
  expect(files.read('summary')).toBe(`\n\`\`${sentence}\`\`\n\n`)
})

test.each([
  ['nothing was left to see to', undefined, false],
  ['nothing was sent', NOTHING_SENT, false],
  ['its run was left unsettled', { sentence: 'x', status: 'stopped' }, true],
])('a comment that main has written is written again: %s', async (_, ended, isTouched) => {
  const owner = { action: 'main', identity: '1a2b3c4d', stepKey: '', mode: 'always' } as const
  const env = leftBy(() => {
    saveComment({ ...owner, isTold: false, isWritten: true, record: recordOf() }, silent)
  })
  expect(isReportDue(env)).toBe(false)
  let said = ''
  await reportEarlyEnd(ended, undefined, env, new WorkflowLog((text) => (said += text)))
  // There is no pull request here, which only a comment that is to be written finds out.
  expect(said.includes('has no pull request')).toBe(isTouched)
})

test('the post step knows whose code ran, and which push the comment is for', () => {
  const commits = { head: 'a'.repeat(40), merge: undefined, workflow: undefined }
  const owner = { action: 'main', identity: '1a2b3c4d', stepKey: '', mode: 'always' } as const
  const record = recordOf({ code: { ...definition.code, commit: undefined }, commits })
  const env = leftBy(() => {
    saveComment({ ...owner, isTold: false, isWritten: false, record }, silent)
  })
  expect(codeLine(readSavedComment(env)?.record ?? recordOf())).toBe(
    'Snapshot `nightly`, made 5 Jan 2026 by `ann`, stack `production` · for commit `aaaaaaa`',
  )
})

const SENTENCE = 'The run "nightly" was stopped'

test.each([
  [
    'why it ended, and then what became of its run',
    'The server is away',
    `\`The server is away\`  \n\`${SENTENCE}\``,
  ],
  ['what became of its run', undefined, `\`${SENTENCE}\``],
])('the comment of a main step that was killed says %s', async (_, error, told) =>
  withComment({}, async ({ github, options: { log }, env, savedState }) => {
    const owner = { action: 'main', identity: '1a2b3c4d', stepKey: '', mode: 'always' } as const
    const record = recordOf({ conclusion: 'failed', status: 'running', error })
    saveComment({ ...owner, isTold: false, isWritten: false, record }, log)
    const left = { ...env, ...(await savedState()), 'INPUT_GITHUB-TOKEN': TOKEN }
    expect(isReportDue(left)).toBe(true)
    await reportEarlyEnd({ sentence: SENTENCE, status: 'stopped' }, undefined, left, log)
    const [comment] = github.comments(PULL_REQUEST)
    expect(comment?.body).toMatch(/^<!-- zenml-run-action main 1a2b3c4d /)
    expect(comment?.body).toContain(`\n${told}`)
    expect(comment?.body).not.toContain('undefined')
    expect(comment?.body).toContain('`stopped` in ZenML')
  }),
)

test.each([
  [
    'nothing is known of the run, the comment claims no state of it',
    { sentence: 'Nobody knows', status: '' },
    false,
  ],
  ['main left nothing to see to, the comment keeps what main knew', undefined, true],
])('where %s', async (_, ended, isKept) =>
  withComment({}, async ({ github, options: { log }, env, savedState }) => {
    const owner = { action: 'main', identity: '1a2b3c4d', stepKey: '', mode: 'always' } as const
    const record = recordOf({ conclusion: 'failed', status: 'running' })
    saveComment({ ...owner, isTold: false, isWritten: false, record }, log)
    const left = { ...env, ...(await savedState()), 'INPUT_GITHUB-TOKEN': TOKEN }
    await reportEarlyEnd(ended, undefined, left, log)
    expect(github.comments(PULL_REQUEST)[0]?.body.includes('`running` in ZenML')).toBe(isKept)
    expect(github.comments(PULL_REQUEST)[0]?.body).toContain('failed')
  }),
)

test('the comment on a run that was handed over says what is not judged yet, where the post step writes it', async () =>
  withComment({}, async ({ github, options: { log }, env, savedState }) => {
    const owner = { action: 'wait', identity: '1a2b3c4d', stepKey: '', mode: 'always' } as const
    const unjudged = Array.from({ length: 30 }, (_, index) => `loss_${index} < ${'0'.repeat(2_000)}`)
    const record = recordOf({ conclusion: 'running', status: 'running', unjudged })
    saveComment({ ...owner, isTold: true, isWritten: false, record }, log)
    const state = await savedState()
    expect(state['STATE_comment']?.length).toBeLessThan(25_000)
    await reportEarlyEnd(undefined, undefined, { ...env, ...state, 'INPUT_GITHUB-TOKEN': TOKEN }, log)
    const [comment] = github.comments(PULL_REQUEST)
    expect(comment?.body).toMatch(/^Not judged yet: `loss_0 <.*`loss_19 <…` and 10 more$/m)
  }))

test.each([
  ['stopped', '### 🛑 ZenML run of training: stopped'],
  ['failed', '### ❌ ZenML run of training: failed'],
  // Whether it is as expected nobody has looked.
  ['completed', '### ❓ ZenML run of training: outcome unknown'],
  ['', '### ❓ ZenML run of training: outcome unknown'],
])('the comment on a run that was lost, and is now "%s", begins with: %s', async (status, heading) =>
  withComment({}, async ({ github, options: { log }, env, savedState }) => {
    const owner = { action: 'main', identity: '1a2b3c4d', stepKey: '', mode: 'always' } as const
    const record = recordOf({ conclusion: 'lost', status: 'running', error: 'The server is away' })
    saveComment({ ...owner, isTold: false, isWritten: true, record }, log)
    const left = { ...env, ...(await savedState()), 'INPUT_GITHUB-TOKEN': TOKEN }
    await reportEarlyEnd({ sentence: SENTENCE, status }, undefined, left, log)
    const [comment] = github.comments(PULL_REQUEST)
    expect(comment?.body.split('\n')[1]).toBe(heading)
    expect(comment?.body).toContain('`The server is away`')
  }),
)

const WHY =
  'The run "nightly" did not finish within the timeout of 6s. It keeps running: https://zenml.example.com/1'
const HOSTILE = '@octocat <img src=x> | #1 `a` \n### ❌ ZenML run of x: failed\n\n</details>'

/** One branch has failed, another goes on. */
const TIMED_OUT = recordOf({
  conclusion: 'timed-out',
  status: 'running',
  error: WHY,
  usual: { medianMs: 1_000, spread: 0, runs: 3 },
  failures: [
    {
      step: 'train',
      fault: { type: 'RuntimeError', message: HOSTILE, frame: 'a.py, line 1', code: 'f()' },
      log: NO_LOG,
    },
  ],
  steps: [stepOf('load'), stepOf('train', { status: 'failed' })],
})

test.each([
  [
    'what main has said already, it stands there once',
    'keeps running: https://zenml.example.com/1',
    'running',
    false,
  ],
  ['more than main did, that stands below', 'was stopped: https://zenml.example.com/1', 'stopped', true],
])('where the post step says %s, and all that main knew stays', async (_, predicate, status, isAdded) =>
  withComment({}, async ({ github, comment, options: { log }, env, savedState }) => {
    await comment().update(TIMED_OUT, new AbortController().signal)
    const body = (): string => github.comments(PULL_REQUEST)[0]?.body ?? ''
    const before = body()
    const left = { ...env, ...(await savedState()), 'INPUT_GITHUB-TOKEN': TOKEN }
    const sentence = `The run "nightly" ${predicate}`
    await reportEarlyEnd({ sentence, status }, undefined, left, log)
    const [top, kept = ''] = splitBehindLink(before)
    expect(kept).toContain('`RuntimeError: @')
    expect(kept).toContain('| ❌ train | failed after 10 s |')
    const footer = /\n\n<sub>.*\n$/
    const news = isAdded ? `\n\n\`${sentence}\`` : ''
    expect(splitBehindLink(body())).toEqual([
      top?.replace(' · usually 1 s', '').replace('`running`', `\`${status}\``),
      kept.replace(footer, (found) => `${news}${found}`),
    ])
  }),
)

/** Marker, heading and link, and the rest. */
function splitBehindLink(body: string): string[] {
  const [heading, link, ...rest] = body.split('\n\n')
  return [`${heading}\n\n${link}`, rest.join('\n\n')]
}

test('a run that was lost, and was found to be stopped: the heading says so above all that main knew', async () =>
  withComment({}, async ({ github, comment, options: { log }, env, savedState }) => {
    await comment().update({ ...TIMED_OUT, conclusion: 'lost' }, new AbortController().signal)
    const left = { ...env, ...(await savedState()), 'INPUT_GITHUB-TOKEN': TOKEN }
    await reportEarlyEnd({ sentence: SENTENCE, status: 'stopped' }, undefined, left, log)
    const [{ body } = { body: '' }] = github.comments(PULL_REQUEST)
    expect(body.split('\n')[1]).toBe('### 🛑 ZenML run of training: stopped')
    expect(body).not.toContain('last seen `')
    expect(body).toContain('| ❌ train | failed after 10 s |')
    expect(body.split(SENTENCE)).toHaveLength(2)
  }))

test('a comment of main that somebody has deleted is written anew, with what main said and what became of the run', async () =>
  withComment({}, async ({ github, comment, options: { log }, env, savedState }) => {
    await comment().update(TIMED_OUT, new AbortController().signal)
    const left = { ...env, ...(await savedState()), 'INPUT_GITHUB-TOKEN': TOKEN }
    github.comments(PULL_REQUEST).forEach(({ id }) => github.remove(id))
    await reportEarlyEnd({ sentence: SENTENCE, status: 'stopped' }, undefined, left, log)
    expect(github.comments(PULL_REQUEST)[0]?.body).toContain(`\`${WHY}\`  \n\`${SENTENCE}\``)
  }))
