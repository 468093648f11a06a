/** The code that the promises hang on, by topic; paths in src/. Each file belongs to one topic. */
export const TOPICS: Readonly<Record<string, readonly string[]>> = {
  starting: [
    'run/dispatch.ts',
    'run/execute.ts',
    'run/left-over.ts',
    'run/look-up.ts',
    'run/name.ts',
    'run/own-run.ts',
    'run/resume.ts',
    'run/trigger-errors.ts',
    'run/trigger.ts',
    'zenml/server-time.ts',
    'zenml/trigger-answer.ts',
  ],
  watching: [
    'run/assess.ts',
    'run/conclude.ts',
    'run/orchestrator.ts',
    'run/polling.ts',
    'run/progress.ts',
    'run/steps.ts',
    'run/watch-steps.ts',
    'run/watch.ts',
    'zenml/status.ts',
  ],
  stopping: [
    'actions/stop.ts',
    'run/end-reason.ts',
    'run/end-run.ts',
    'run/stop-known-run.ts',
    'run/stop.ts',
    'zenml/stop-answer.ts',
  ],
  following: ['actions/wait.ts', 'run/attach.ts', 'run/find-run.ts', 'run/step-run.ts'],
  'post step': [
    'actions/early-end.ts',
    'actions/post.ts',
    'github/cancellation.ts',
    'github/record-keeper.ts',
    'github/run-journal.ts',
    'github/survivor.ts',
    'run/clean-up.ts',
  ],
  expect: ['github/expectations.ts', 'run/collect.ts', 'run/expect.ts', 'run/step-attempts.ts'],
  redaction: [
    'github/known-secrets.ts',
    'github/log.ts',
    'github/outputs.ts',
    'github/secrets.ts',
    'github/unescaped.ts',
  ],
}

/** Tests of the documents, of the simulator, or of dist's shape: none of them is there to see a wrong step. */
export const TESTS_LEFT_OUT = [
  '__tests__/project/',
  '__tests__/simulator/',
  '__tests__/contract/',
  '__tests__/action/bundle.test.ts',
  '__tests__/action/demo.test.ts',
]
