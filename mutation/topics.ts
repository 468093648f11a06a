/** The code that the promises hang on, by topic; paths in src/. Each file belongs to one topic. */
export const TOPICS: Readonly<Record<string, readonly string[]>> = {
  starting: [
    'run/start/dispatch.ts',
    'run/execute.ts',
    'run/start/left-over.ts',
    'run/start/look-up.ts',
    'run/start/run-name.ts',
    'run/start/own-run.ts',
    'run/find/earlier-run.ts',
    'run/start/trigger-errors.ts',
    'run/start/trigger.ts',
    'zenml/server-time.ts',
    'zenml/answers/trigger.ts',
  ],
  watching: [
    'run/watch/is-over.ts',
    'run/outcome/conclude.ts',
    'run/watch/orchestrator.ts',
    'run/watch/polling.ts',
    'run/watch/progress.ts',
    'run/watch/read-steps.ts',
    'run/watch/watched-steps.ts',
    'run/watch/watch.ts',
    'zenml/status.ts',
  ],
  stopping: [
    'actions/stop.ts',
    'run/stop/end-reason.ts',
    'run/stop/end-run.ts',
    'run/stop-known-run.ts',
    'run/stop/stop.ts',
    'zenml/answers/stop.ts',
  ],
  following: ['actions/wait.ts', 'run/attach.ts', 'run/find/run.ts', 'run/follow.ts'],
  'post step': [
    'actions/early-end.ts',
    'actions/post.ts',
    'github/workflow/cancellation.ts',
    'github/record-keeper.ts',
    'github/state.ts',
    'github/workflow/main-still-alive.ts',
    'run/stop/clean-up.ts',
  ],
  expect: [
    'github/inputs/expectations.ts',
    'run/outcome/collect.ts',
    'run/outcome/expect.ts',
    'run/outcome/step-attempts.ts',
  ],
  redaction: [
    'github/secrets/known-secrets.ts',
    'github/log/workflow-log.ts',
    'github/outputs.ts',
    'github/secrets/gate.ts',
    'github/secrets/unescaped.ts',
  ],
}

/** Tests of the documents, of the simulator, or of dist's shape: none of them is there to see a wrong step. */
export const TESTS_LEFT_OUT = [
  '__tests__/project/',
  '__tests__/simulator/',
  '__tests__/contract/',
  '__tests__/action/bundle.test.ts',
  '__tests__/action/demo.test.ts',
  '__tests__/action/guides.test.ts',
]
