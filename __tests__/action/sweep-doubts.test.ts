import { setTimeout } from 'node:timers/promises'
import { expect, jest, test } from '@jest/globals'
import { runAction, startAction } from '../../e2e/action.ts'
import { withPreload } from '../../e2e/preload.ts'
import type { Fault, PipelineSpec } from '../../simulator/index.ts'
import { onPullRequest } from './pull-request.ts'
import { annotations, expectRed, logLines, PATIENCE_MS, withServer } from './scene.ts'
import {
  BASE,
  entries,
  LONG,
  notedConclusions,
  ON_MAIN,
  sweep,
  THREE,
  untilStarted,
  type Inputs,
} from './sweeps.ts'

jest.setTimeout(PATIENCE_MS)

/** ZenML itself says no; what a gateway says is asked for again. */
const REFUSED = '{"detail":["IllegalOperationError","Insufficient permissions"]}'

test.concurrent('where the metadata of a run cannot be read, no other one is called the best', () => {
  const faults: Fault[] = [
    {
      on: 'steps',
      occurrence: 1,
      do: { kind: 'answer', status: 403, body: REFUSED },
    },
  ]
  return withServer({ faults }, async (scene) => {
    const matrix = 'train.accuracy: [0.99, 0.7]'
    const result = await sweep(scene, { ...THREE, matrix, 'max-parallel': '1' }, ON_MAIN)
    expect(result.exitCode).toBe(1)
    expect(result.outputs).toMatchObject({ conclusion: 'expectation-missed', completed: '2' })
    expect(result.outputs).toMatchObject({ 'best-run-id': '', 'best-value': '', 'best-parameters': '{}' })
    expect(result.outputs['error']).toMatch(
      /^The best run is not known, because the metadata of cell 1's run could not be read: /,
    )
    expect(result.summary).not.toContain('🏆')
    // The other one could be read.
    expect(result.outputs['runs']).toContain('"value":0.7')
    expect(notedConclusions(scene)).toEqual([])
  })
})

test.concurrent('that nobody can read what a failed run logged leaves the best of the others known', () => {
  const faults: Fault[] = [{ on: 'steps', occurrence: 1, do: { kind: 'answer', status: 403, body: REFUSED } }]
  return withServer({ faults }, async (scene) => {
    const matrix = 'include: [{train.fail: loss is NaN}, {train.accuracy: 0.7}]'
    const result = await sweep(scene, { ...THREE, matrix, 'max-parallel': '1' })
    expect(result.outputs).toMatchObject({ conclusion: 'failed', 'best-value': '0.7' })
    expect(result.stdout).toContain('Cell 1: could not be read')
  })
})

/** Logs a score, unless it is told not to. */
const scored: PipelineSpec = {
  name: 'scored',
  steps: [
    {
      name: 'judge',
      seconds: 0.1,
      parameters: { score: { default: 0.5, jsonSchema: { type: 'number' } } },
      effect: ({ score }) => ({ metadata: score === 0 ? { rows: 10 } : { score: Number(score) } }),
    },
  ],
}

test.concurrent(
  'where a completed run has nothing to be ranked by, the best is named, and so is that cell',
  () =>
    withServer({ pipelines: [scored] }, async (scene) => {
      const matrix = 'judge.score: [0.7, 0, 0.9]'
      const result = await sweep(scene, { pipeline: 'scored', matrix, rank: 'max score' })
      expect(result.outputs).toMatchObject({ conclusion: 'completed', completed: '3', 'best-value': '0.9' })
      expect(result.stdout).toMatch(/Best of those that could be ranked \(max score\): cell 3 with 0\.9 /)
      expect(annotations('warning', result)).toEqual([
        '1 of 3 cells could not be ranked by score, and may be better: cell 2: no such value (the run has judge.rows)',
      ])
      expect(result.summary).toMatch(
        /^Best of those that could be ranked \(max `score`\): \*\*`0\.9`\*\* by .*\. ⚠️ 1 of 3 cells could not be ranked by `score`, and may be better: cell 2: `no such value \(the run has judge\.rows\)`$/m,
      )
      expect(entries(result).map(({ cell, value, unranked }) => [cell, value, unranked])).toEqual([
        [3, 0.9, null],
        [1, 0.7, null],
        [2, null, 'no such value (the run has judge.rows)'],
      ])
    }),
)

test.concurrent(
  'a run that missed what was expected of it cannot be the best, so nothing is said of its rank',
  () =>
    withServer({ pipelines: [scored] }, async (scene) => {
      const inputs = { pipeline: 'scored', rank: 'max judge.score', expect: 'judge.score > 0' }
      const result = await sweep(scene, { ...inputs, matrix: 'judge.score: [0.7, 0]' })
      expect(result.outputs).toMatchObject({ conclusion: 'completed', 'best-value': '0.7' })
      expect(result.stdout).toContain('Best (max judge.score): cell 1')
      expect(annotations('warning', result)).toEqual([])
    }),
)

test.concurrent('of a failed run, the steps that still run are named with their cell', () => {
  const fails = { type: 'ValueError', message: 'no rows', traceback: '', userCodeLine: 3 }
  const rows = { default: 1, jsonSchema: { type: 'integer' } }
  const split: PipelineSpec = {
    name: 'split',
    steps: [
      { name: 'short', seconds: 0.1, fails, parameters: { rows } },
      { name: 'long', seconds: 3_600 },
    ],
  }
  return withServer({ pipelines: [split], orchestrator: 'kubernetes' }, async (scene) => {
    const configuration = 'execution_mode: stop_on_failure'
    const result = await sweep(scene, { pipeline: 'split', matrix: 'short.rows: [1]', configuration })
    expect(result.outputs).toMatchObject({ conclusion: 'failed' })
    expect(result.stdout).toMatch(
      / Cell 1: the run is failed, but parts of it are still running: long\. Not waiting for them to end$/m,
    )
  })
})

test.concurrent('one answer that is missing is asked for again before the runs are ranked', () => {
  const faults: Fault[] = [{ on: 'steps', occurrence: 1, do: { kind: 'answer', status: 503 } }]
  return withServer({ faults }, async (scene) => {
    const result = await sweep(scene, { ...THREE, matrix: 'train.accuracy: [0.99, 0.7]' })
    expect(result.exitCode).toBe(0)
    expect(result.outputs['best-value']).toBe('0.99')
  })
})

test.concurrent('the best run of a red sweep is no baseline for later runs', () =>
  withServer({}, async (scene) => {
    const inputs = { ...THREE, expect: 'train.accuracy >= 0.8', 'expect-all': 'true' }
    const result = await sweep(scene, inputs, ON_MAIN)
    expect(result.outputs).toMatchObject({ conclusion: 'expectation-missed', 'best-value': '0.9' })
    expect(notedConclusions(scene)).toEqual([])
    const green = await sweep(scene, THREE, ON_MAIN)
    expect(green.exitCode).toBe(0)
    expect(notedConclusions(scene)).toEqual(['completed'])
  }),
)

test.concurrent('a gate without a baseline is warned of once, not for each cell', () =>
  withServer({}, async (scene) => {
    const inputs = { ...THREE, baseline: 'main', expect: 'train.accuracy >= baseline' }
    const result = await sweep(scene, inputs, ON_MAIN)
    expect(result.exitCode).toBe(0)
    const warnings = result.stdout
      .split('\n')
      .filter((line) => line.startsWith('::warning title=Expectation not checked::'))
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toContain('train.accuracy >= baseline')
    expect(logLines(result).filter((line) => line.startsWith('Not compared (baseline: main)'))).toHaveLength(
      1,
    )
  }),
)

test.concurrent('a baseline that is not there ends the sweep before any run is started', () =>
  withServer({}, async (scene) => {
    const inputs = { ...THREE, baseline: 'run:typo', expect: 'train.accuracy >= baseline' }
    const result = await sweep(scene, inputs)
    expect(scene.triggers).toEqual([])
    expect(expectRed(result, 'failed')).toMatch(
      /^baseline: there is nothing to compare with: .*No run was started$/,
    )
  }),
)

test.concurrent('a server that refuses every start is asked for two cells, not for all', () => {
  const refusal = {
    kind: 'answer',
    status: 403,
    body: '{"detail": ["IllegalOperationError", "no right"]}',
  } as const
  return withServer(
    { faults: [{ on: 'trigger', occurrence: { from: 1, to: 99 }, do: refusal }] },
    async (scene) => {
      const matrix = 'train.accuracy: [0.1, 0.2, 0.3, 0.4, 0.5]'
      const result = await sweep(scene, { ...THREE, matrix, 'max-parallel': '1' })
      expect(scene.requests('POST', /\/runs$/)).toHaveLength(2)
      expect(result.outputs['error']).toContain(
        'The sweep ended early: 2 cells in a row could not be started',
      )
      expect(entries(result).map(({ conclusion }) => conclusion)).toEqual([
        'failed',
        'failed',
        'not-started',
        'not-started',
        'not-started',
      ])
    },
  )
})

test.concurrent('a run that cannot be stopped after its time keeps its place', () =>
  withServer({ version: '0.74.0' }, async (scene) => {
    const inputs = { ...LONG, template: 'training-template', 'run-timeout': '1s', 'max-parallel': '1' }
    const result = await sweep(scene, inputs)
    expect(scene.triggers).toHaveLength(1)
    expect(result.outputs['error']).toContain(
      'runs that may still be running occupy every slot (max-parallel)',
    )
  }),
)

test.concurrent('where a firewall lets no list through, each run is asked for alone', () => {
  const blocked: Fault = {
    on: 'runs',
    occurrence: 'always',
    do: { kind: 'answer', status: 403, body: '<html>blocked</html>' },
  }
  return withServer({ faults: [blocked] }, async (scene) => {
    const result = await sweep(scene, THREE)
    expect(result.exitCode).toBe(0)
    expect(scene.triggers).toHaveLength(3)
    expect(scene.requests('GET', /\/runs$/).filter(({ path }) => path.includes('oneof'))).toHaveLength(1)
  })
})

test.concurrent(
  "the sweep's own timeout is no cell that failed: with fail-fast, each run is stopped to its end",
  () =>
    withServer({ orchestrator: 'kubernetes' }, async (scene) => {
      const inputs = { ...LONG, 'fail-fast': 'true', timeout: '3s', 'max-parallel': '2' }
      const result = await sweep(scene, inputs)
      expect(result.outputs['conclusion']).toBe('timed-out')
      expect(result.outputs['error']).toContain("The sweep ended early: the sweep's timeout ran out")
      expect(result.stdout).not.toContain('fail-fast')
      expect(result.outputs['error']).toMatch(/did not finish within the timeout of [23](?:\.\d)?s/)
      expect(scene.runs.map(({ status }) => status)).toEqual(['stopped', 'stopped'])
      expect(entries(result).filter(({ error }) => error?.includes('It was stopped'))).toHaveLength(2)
    }),
)

test.concurrent('a stop that is under way is not cut off because another cell has failed', () => {
  const slow: Fault = { on: 'stop', do: { kind: 'delay', seconds: 60 } }
  return withServer({ orchestrator: 'kubernetes', faults: [slow] }, async (scene) => {
    const inputs = { ...LONG, 'fail-fast': 'true', 'run-timeout': '2s', 'max-parallel': '2' }
    const result = await sweep(scene, inputs)
    const ends = entries(result).map(({ cell, conclusion }) => [cell, conclusion])
    expect(ends).toEqual([
      [1, 'timed-out'],
      [2, 'timed-out'],
      [3, 'not-started'],
    ])
    expect(entries(result).filter(({ error }) => error?.includes('It was stopped'))).toHaveLength(2)
    expect(scene.requests('POST', /\/stop$/)).toHaveLength(2)
  })
})

test.concurrent('a cancelled job is no cell that failed: with fail-fast, runs that are to go on do so', () =>
  withServer({ orchestrator: 'kubernetes' }, async (scene) => {
    const inputs = { ...LONG, 'fail-fast': 'true', 'on-cancel': 'keep-running', 'max-parallel': '2' }
    const given = { ...inputs, 'server-url': scene.server.url, 'api-key': scene.server.apiKey }
    const running = await startAction({ entry: 'sweep', inputs: given })
    await untilStarted(scene, 2)
    running.signal('SIGINT')
    const result = await running.done
    expect(result.outputs['conclusion']).toBe('cancelled')
    await runAction({ entry: 'post', inputs: given, state: result.state })
    expect(scene.requests('POST', /\/stop/)).toEqual([])
    expect(result.outputs['runs']).not.toContain('fail-fast')
  }),
)

test.concurrent('the same values in another order of their keys are the same cell', () =>
  withServer({}, async (scene) => {
    const matrix =
      'include: [{train.accuracy: 0.7, train.seconds: 0.2}, {train.seconds: 0.2, train.accuracy: 0.7}]'
    // Nothing else gives one of them first.
    const result = await sweep(scene, { ...THREE, parameters: '', matrix })
    expect(expectRed(result, 'failed')).toBe(
      'matrix: cells 1, 2 give the run the same values; keep one of them',
    )
  }),
)

test.concurrent(
  'while a sweep goes on its comment says so, and after it was killed that it was cancelled',
  () =>
    onPullRequest({ orchestrator: 'kubernetes' }, async (scene, github, step) => {
      const url = { 'server-url': scene.server.url, 'api-key': scene.server.apiKey }
      const inputs = { ...LONG, ...url, 'max-parallel': '3', comment: 'true' }
      const running = await startAction({ ...step, entry: 'sweep', inputs })
      await untilStarted(scene, 3)
      while (github.comments(7).length === 0) await setTimeout(20)
      const begun = github.comments(7)[0]?.body.split('\n')[1]
      running.signal('SIGKILL')
      const { state } = await running.done
      expect(begun).toMatch(/^### ⏳ ZenML sweep of training: (starting|running)$/)
      await runAction({ ...step, entry: 'post', inputs, state })
      expect(github.comments(7)[0]?.body.split('\n')[1]).toBe('### 🚫 ZenML sweep of training: cancelled')
    }),
)

test.concurrent('what the post step ends of a sweep leaves the table of its comment as it is', () =>
  onPullRequest({ orchestrator: 'kubernetes' }, async (scene, github, step) => {
    const url = { 'server-url': scene.server.url, 'api-key': scene.server.apiKey }
    const inputs = { ...LONG, ...url, 'max-parallel': '3', comment: 'true' }
    const running = await startAction({ ...step, entry: 'sweep', inputs })
    await untilStarted(scene, 3)
    scene.server.addFault({ on: 'stop', occurrence: { from: 1, to: 3 }, do: { kind: 'hang' } })
    running.signal('SIGINT')
    const { state } = await running.done
    const [told] = github.comments(7)
    expect(told?.body).toContain('| Cell |')
    await runAction({ ...step, entry: 'post', inputs, state })
    expect(github.comments(7)[0]?.body).toBe(told?.body)
  }),
)

test('a sweep whose runs have all ended, and that is killed before it could say so, is not told of as one that started nothing', () => {
  // The three before note where the runs came from.
  const faults: Fault[] = [{ on: 'metadata', occurrence: { from: 4, to: 99 }, do: { kind: 'hang' } }]
  return withServer({ faults }, async (scene) => {
    const inputs = { ...THREE, 'server-url': scene.server.url, 'api-key': scene.server.apiKey }
    const running = await startAction({ entry: 'sweep', inputs, env: ON_MAIN })
    while (notedConclusions(scene).length === 0) await setTimeout(20)
    running.signal('SIGKILL')
    const { state } = await running.done
    expect(scene.runs.map(({ status }) => status)).toEqual(['completed', 'completed', 'completed'])
    const post = await runAction({ entry: 'post', inputs, state })
    expect(post.summary).toContain('`The step ended early, before it could report on its runs`')
    expect(scene.requests('POST', /\/stop$/)).toEqual([])
  })
})

/** The disk is full when the step is to save that for its post step, for so many writes. */
function diskFull(from: RegExp, writes: number): string {
  return `
    import fs from 'node:fs'
    import { syncBuiltinESMExports } from 'node:module'
    const append = fs.appendFileSync
    let left = ${writes}
    let isFull = false
    fs.appendFileSync = (file, text, ...rest) => {
      isFull ||= left > 0 && file === process.env.GITHUB_STATE && ${String(from)}.test(text)
      if (isFull) {
        left -= 1
        isFull = left > 0
        throw new Error('ENOSPC: no space left on device, write')
      }
      append(file, text, ...rest)
    }
    syncBuiltinESMExports()`
}

test.each([
  ['for a moment', 1, 'The step ended early, before it could report on its runs'],
  ['for good', Number.POSITIVE_INFINITY, 'was stopped`'],
])(
  'where the disk is full, %s, when a cell is to start, the runs of the others are stopped',
  (_, writes, told) =>
    withServer({ orchestrator: 'kubernetes' }, (scene) =>
      withPreload(diskFull(/^cell_2<</, writes), async (env) => {
        const inputs = { ...LONG, 'max-parallel': '3', 'lost-after': '10s' }
        const result = await sweep(scene, inputs, env)
        expect(annotations('error', result)[0]).toMatch(/^Internal error: ENOSPC: /)
        expect(result.exitCode).toBe(1)
        expect(scene.runs.length).toBeGreaterThan(0)
        expect(scene.runs.filter(({ status }) => status !== 'stopped')).toEqual([])
        expect(result.stdout).not.toContain('The server does not answer')
        const post = await scene.step(inputs, { entry: 'post', state: result.state })
        // Of the cell that was not to start nothing was sent.
        expect(annotations('warning', post)).toEqual([])
        expect(post.summary).toContain(told)
      }),
    ),
)

test('where the disk is full when a cancelled sweep has stopped a run, it does not say that none was started', () =>
  withServer({ orchestrator: 'kubernetes' }, (scene) =>
    withPreload(diskFull(/^cell_\d+<<\S+\n\{"settled"/, 1), async (env) => {
      const inputs = { ...LONG, 'server-url': scene.server.url, 'api-key': scene.server.apiKey }
      const running = await startAction({ entry: 'sweep', inputs, env })
      await untilStarted(scene, 3)
      running.signal('SIGINT')
      const result = await running.done
      expect(result.stdout).not.toContain('before a run was started')
      expect(annotations('error', result)).toEqual([expect.stringMatching(/^Internal error: ENOSPC: /)])
      const post = await runAction({ entry: 'post', inputs, state: result.state })
      expect(post.summary).toContain('was stopped`')
      expect(scene.runs.filter(({ status }) => status !== 'stopped')).toEqual([])
    }),
  ))

/** The first run misses what is expected, and the others are to be stopped for it. */
const ONE_MISSES: Inputs = {
  ...BASE,
  expect: 'train.accuracy >= 0.9',
  'expect-all': 'true',
  'fail-fast': 'true',
  'max-parallel': '2',
}

test.concurrent(
  'a miss that ends the others with fail-fast is told first, with its reason, also in the comment',
  () =>
    onPullRequest({ orchestrator: 'kubernetes' }, async (scene, github, step) => {
      const matrix =
        'include: [{train.accuracy: 0.3}, {train.seconds: 600}, {train.seconds: 601}, {train.seconds: 602}]'
      const inputs = { ...ONE_MISSES, matrix, comment: 'on-failure' }
      const result = await scene.step(inputs, { ...step, entry: 'sweep' })
      expect(expectRed(result, 'expectation-missed')).toBe(
        'Not as expected: 1 of 2 runs. The sweep ended early: cell 1 failed (fail-fast). ' +
          'Cell 1: expected train.accuracy >= 0.9, got 0.3. Cell 2: The run was stopped. ' +
          'Never started: cells 3, 4',
      )
      expect(result.stdout).toContain('::error title=ZenML sweep not as expected::')
      expect(scene.runs.map(({ status }) => status)).toEqual(['completed', 'stopped'])
      expect(github.comments(7).map(({ body }) => body.split('\n')[1])).toEqual([
        '### 📉 ZenML sweep of training: not as expected',
      ])
    }),
)

test('a job that is cancelled while fail-fast stops the others still gets its outputs and its table', () => {
  const faults: Fault[] = [{ on: 'stop', occurrence: 'always', do: { kind: 'hang' } }]
  return withServer({ orchestrator: 'kubernetes', faults }, async (scene) => {
    const matrix = 'include: [{train.seconds: 36000}, {train.fail: loss is NaN}]'
    const connection = {
      'server-url': scene.server.url,
      'api-key': scene.server.apiKey,
      pipeline: 'training',
    }
    const inputs = { ...connection, matrix, 'fail-fast': 'true', 'max-parallel': '2', 'poll-interval': '1s' }
    const running = await startAction({ entry: 'sweep', inputs })
    while (scene.requests('POST', /\/stop$/).length === 0) await setTimeout(20)
    running.signal('SIGINT')
    const result = await running.done
    expect(result.exitCode).toBe(1)
    expect(entries(result).map(({ cell, conclusion }) => [cell, conclusion])).toEqual([
      [1, 'cancelled'],
      [2, 'failed'],
    ])
    expect(result.outputs['error']).toBe(
      'Cancelled. Cells completed: 0, failed: 1, cancelled: 1, never started: 0',
    )
    expect(result.summary).toContain('| 2 |')
  })
})

test('a run that came to its own bad end by then says how the sweep ended, not the miss', () => {
  // The run that ran out of time is being stopped when the other one misses.
  const slow: Fault = { on: 'stop', do: { kind: 'delay', seconds: 120 } }
  return withServer({ orchestrator: 'kubernetes', faults: [slow] }, async (scene) => {
    const matrix = 'include: [{train.seconds: 36000}, {train.seconds: 60}, {train.seconds: 36001}]'
    const connection = { 'server-url': scene.server.url, 'api-key': scene.server.apiKey }
    const inputs = { ...ONE_MISSES, ...connection, matrix, 'run-timeout': '6s' }
    const running = await startAction({ entry: 'sweep', inputs })
    while (scene.requests('POST', /\/stop$/).length === 0) await setTimeout(20)
    scene.server.setStatus(scene.runs[2]?.id ?? '', 'completed')
    const result = await running.done
    expect(entries(result).map(({ cell, conclusion }) => [cell, conclusion])).toEqual([
      [1, 'timed-out'],
      [2, 'completed'],
      [3, 'expectation-missed'],
    ])
    expect(expectRed(result, 'timed-out')).toBe(
      '1 of 3 cells did not complete. The sweep ended early: cell 3 failed (fail-fast). ' +
        'Cell 1: The run did not finish within the timeout of 6s. It was stopped',
    )
  })
})

test.concurrent('a run that was made and then refused is not called a run that was never started', () => {
  const body = JSON.stringify({
    detail: ['IllegalOperationError', "Insufficient permissions to CREATE resource 'x:model_version'."],
  })
  const refusal: Fault = {
    on: 'trigger',
    occurrence: 'always',
    do: { kind: 'answer', status: 403, body, work: true },
  }
  return withServer({ orchestrator: 'kubernetes', faults: [refusal] }, async (scene) => {
    const result = await sweep(scene, { ...LONG, matrix: 'train.accuracy: [0.7, 0.9]' })
    expect(expectRed(result, 'failed')).toContain('The server had created the run anyway.')
    expect(scene.runs.map(({ status }) => status)).toEqual(['stopped', 'stopped'])
    expect(result.stdout).toContain('::error title=ZenML sweep failed::')
    expect(result.summary).toContain('### ❌ ZenML sweep of training: failed')
    expect(result.stdout + result.summary).not.toContain('No ZenML run was started')
  })
})

test.each([
  [50, 0],
  [51, 1],
])('after %i lines about other cells, a run that waits for a person is told of', (cells, leftOut) => {
  const body = '{"detail":["IllegalOperationError","Insufficient permissions to READ resource \'x:step\'."]}'
  const unread: Fault = { on: 'steps', occurrence: 'always', do: { kind: 'answer', status: 403, body } }
  return withServer({ orchestrator: 'kubernetes', faults: [unread] }, async (scene) => {
    const seconds = Array.from({ length: cells }, (_, index) => 0.1 + index / 1000)
    const inputs = {
      ...{ 'server-url': scene.server.url, 'api-key': scene.server.apiKey, pipeline: 'training' },
      ...{ 'poll-interval': '1s', 'max-parallel': String(cells + 1) },
      matrix: `train.seconds: [${seconds.join(', ')}, 36000]`,
    }
    let completed = 0
    const onLine = (line: string): void => {
      if (/Cell \d+ of \d+ completed/.test(line)) completed += 1
    }
    const running = await startAction({ entry: 'sweep', inputs, onLine })
    while (completed < cells) await setTimeout(20)
    scene.server.pause(scene.runs[cells]?.id ?? '', 'Deploy this model?')
    const looks = (): number => scene.requests('GET', /\/runs(?:\/[^/]+)?$/).length
    const before = looks()
    while (looks() < before + 3) await setTimeout(20)
    running.signal('SIGINT')
    const result = await running.done
    const said = (words: string): string[] => result.stdout.split('\n').filter((line) => line.includes(words))
    expect(said('could not be read')).toHaveLength(50)
    expect(said(`Cell ${cells + 1}: the run is waiting for a person. Answer it here: http`)).toHaveLength(1)
    expect(said('More lines like these are left out')).toHaveLength(leftOut)
  })
})
