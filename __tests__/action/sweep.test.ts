import { setTimeout } from 'node:timers/promises'
import { expect, jest, test } from '@jest/globals'
import { runAction, startAction } from '../../e2e/action.ts'
import { realClock, type Fault } from '../../simulator/index.ts'
import { codeBlocks, projectFile } from '../project/markdown.ts'
import { onPullRequest } from './pull-request.ts'
import { annotations, expectRed, logLines, PATIENCE_MS, withHostedJob, withServer } from './scene.ts'
import { BASE, entries, LONG, ON_MAIN, sweep, THREE, untilStarted } from './sweeps.ts'

jest.setTimeout(PATIENCE_MS)

/** The element of `runs` that the guide shows. */
const SHOWN = codeBlocks(projectFile('sweep/README.md'), 'json').map((text) => JSON.parse(text) as object)

test.concurrent('one run for each combination, ranked: the best in the outputs, all in the table', () =>
  withServer({}, async (scene) => {
    const inputs = { ...THREE, expect: 'train.accuracy >= 0.8', 'max-parallel': '2' }
    const result = await sweep(scene, inputs, ON_MAIN)

    expect(result.exitCode).toBe(0)
    expect(annotations('error', result)).toEqual([])
    expect(scene.triggers).toHaveLength(3)
    expect(entries(result).map(({ cell, conclusion }) => [cell, conclusion])).toEqual([
      [2, 'completed'],
      [3, 'completed'],
      [1, 'expectation-missed'],
    ])
    expect(SHOWN.map((element) => Object.keys(element))).toEqual([Object.keys(entries(result)[0] ?? {})])
    const best = scene.runs.find(({ id }) => id === result.outputs['best-run-id'])
    expect(result.outputs).toMatchObject({
      conclusion: 'completed',
      completed: '3',
      failed: '0',
      'best-run-name': best?.name,
      'best-value': '0.9',
      'best-parameters': '{"train.accuracy":0.9}',
      pipeline: 'training',
    })
    expect(result.summary).toContain('### ✅ ZenML sweep of training: completed')
    expect(result.summary).toMatch(/\| 2 🏆 \| `0.9` \| `0.9` \| ✅ `0.9` \| ✅ completed \|/)
    expect(result.summary).toMatch(/\| 1 \| `0.7` \| `0.7` \| ❌ `0.7` \| 📉 not as expected \|/)
    expect(logLines(result).at(-1)).toBe('All 3 runs of the sweep completed, 1 of them not as expected')
    expect(result.stdout).toMatch(
      /Best \(max train.accuracy\): cell 2 with 0.9 \(train.accuracy: 0.9\): http/,
    )
  }),
)

test.concurrent('a matrix of one cell reads as one', () =>
  withServer({}, async (scene) => {
    const result = await sweep(scene, { ...BASE, matrix: 'train.accuracy: [0.7]' })
    expect(result.stdout).toContain('The matrix has 1 cell; all were checked\n')
    expect(logLines(result).at(-1)).toBe('The one run of the sweep completed')
  }),
)

test.concurrent('at most max-parallel runs go on at once, and one request looks at all of them', () =>
  withServer({}, async (scene) => {
    const matrix = 'train.seconds: [60, 60.1, 60.2, 60.3]'
    const inputs = { pipeline: 'training', matrix, 'max-parallel': '2', 'poll-interval': '1s' }
    const result = await sweep(scene, inputs)
    const moves = logLines(result).flatMap((line) => /Cell \d of 4 (started|completed)/.exec(line)?.[1] ?? [])
    expect(moves).toHaveLength(8)
    const alive = moves.map((_, index) => {
      const before = moves.slice(0, index + 1)
      return before.filter((move) => move === 'started').length * 2 - before.length
    })
    expect(Math.max(...alive)).toBe(2)
    const together = scene.requests('GET', /\/runs$/).filter(({ path }) => path.includes('oneof'))
    expect(together.length).toBeGreaterThan(0)
    const graphs = scene.requests('GET', /\/dag$/)
    expect(graphs).toHaveLength(4)
  }),
)

test.concurrent('of equals the first is the best, and min ranks the other way round', () =>
  withServer({}, async (scene) => {
    const matrix = 'train.accuracy: [0.9, 0.7]\ntrain.seconds: [0.1, 0.2]'
    const result = await sweep(scene, { ...THREE, matrix, rank: 'min train.accuracy' })
    expect(result.outputs['best-parameters']).toBe('{"train.accuracy":0.7,"train.seconds":0.1}')
    expect(result.outputs['best-value']).toBe('0.7')
  }),
)

test.concurrent('a failed run makes the step red, and the others go on', () =>
  withServer({}, async (scene) => {
    const matrix = 'include: [{train.accuracy: 0.7}, {train.fail: loss is NaN}, {train.accuracy: 0.8}]'
    const result = await sweep(scene, { ...THREE, matrix, 'max-parallel': '1' })
    expect(result.exitCode).toBe(1)
    expect(result.outputs).toMatchObject({
      conclusion: 'failed',
      completed: '2',
      failed: '1',
      'best-value': '0.8',
    })
    expect(result.outputs['error']).toMatch(
      /^1 of 3 cells did not complete\. Cell 2: The run failed in the step "train": RuntimeError: loss is NaN \([^)]*\)$/,
    )
    expect(annotations('error', result)[0]).toContain('loss is NaN')
    expect(result.summary).toMatch(/\| 2 \|.*\| ❌ failed: `The run failed in .*loss is NaN/)
    expect(result.stdout).toMatch(
      /Cell 2 of 3 failed after [\d.]+ m?s: The run failed in .*loss is NaN \([^)]*\)$/m,
    )
  }),
)

test.concurrent('fail-fast stops the others and says which were never started', () =>
  withServer({ orchestrator: 'kubernetes' }, async (scene) => {
    const matrix =
      'include: [{train.seconds: 600}, {train.fail: loss is NaN}, {train.seconds: 601}, {train.seconds: 602}]'
    const result = await sweep(scene, { ...BASE, matrix, 'max-parallel': '2', 'fail-fast': 'true' })
    expect(result.exitCode).toBe(1)
    expect(scene.triggers).toHaveLength(2)
    expect(scene.runs.map(({ status }) => status).toSorted()).toEqual(['failed', 'stopped'])
    // The failure first, and nothing twice: names and addresses are in the table.
    expect(result.outputs['error']?.replace(/ \(pipelines[^)]*\)/, '')).toBe(
      '4 of 4 cells did not complete. The sweep ended early: cell 2 failed (fail-fast). ' +
        'Cell 2: The run failed in the step "train": RuntimeError: loss is NaN. Cell 1: The run was stopped. ' +
        'Never started: cells 3, 4',
    )
    expect(entries(result).map(({ cell, conclusion }) => [cell, conclusion])).toEqual([
      [1, 'cancelled'],
      [2, 'failed'],
      [3, 'not-started'],
      [4, 'not-started'],
    ])
    expect(result.summary).toContain('❌ cancelled: `The run was stopped`')
    expect(result.summary).toContain('not started: `cell 2 failed (fail-fast)`')
  }),
)

test.concurrent('fail-fast stops the others also where a cancelled job would leave them running', () =>
  withServer({ orchestrator: 'kubernetes' }, async (scene) => {
    const matrix = 'include: [{train.seconds: 600}, {train.fail: loss is NaN, train.seconds: 40}]'
    const inputs = { ...BASE, matrix, 'fail-fast': 'true', 'on-cancel': 'keep-running' }
    const result = await sweep(scene, inputs)
    expect(result.exitCode).toBe(1)
    expect(scene.runs.map(({ status }) => status)).toEqual(['stopped', 'failed'])
  }),
)

test.concurrent('while a run of the sweep may hold the only slot, trigger-timeout begins anew', () =>
  withServer({ faults: noSlots([2, 3, 4]) }, async (scene) => {
    const matrix = 'train.seconds: [500, 0.1]'
    const result = await sweep(scene, { ...BASE, matrix, 'trigger-timeout': '6s' })
    expect(result.exitCode).toBe(0)
    expect(scene.triggers).toHaveLength(5)
  }),
)

test('a sweep that its job on a hosted runner cannot hold is warned of, and so is one run, with what to write', () =>
  withServer({ clock: realClock(400) }, async (scene) => {
    await sweep(scene, { ...BASE, matrix: 'train.seconds: [600]' })
    await withHostedJob(357, async (env) => {
      const result = await sweep(scene, { ...BASE, matrix: 'train.seconds: [400, 401]' }, env)
      expect(annotations('warning', result)).toEqual([
        expect.stringMatching(
          /^2 cells, 4 at a time, usually 10 min( \d+ s)? each, take about 10 min( \d+ s)?, but GitHub ends this job in about 2 min \d+ s\. Raise max-parallel/,
        ),
      ])
      const one = await scene.step({ pipeline: 'training', 'poll-interval': '1s' }, { env })
      expect(annotations('warning', one)).toEqual([
        expect.stringMatching(
          /^The run will usually take another \d+ min( \d+ s)?, but GitHub ends this job in about 2 min \d+ s, or sooner if timeout-minutes says so\. At six hours, on-timeout applies \(stop\)\. Write on-timeout: hand-over and follow the run with wait\/ in another job, or use a self-hosted runner$/,
        ),
      ])
      expect(one.outputs['conclusion']).toBe('completed')
    })
  }))

test.concurrent('a sweep that its timeout cannot hold is warned of before the first start', () =>
  withServer({ clock: realClock(400) }, async (scene) => {
    await sweep(scene, { ...BASE, matrix: 'train.seconds: [600]' })
    const result = await sweep(scene, {
      ...BASE,
      matrix: 'train.seconds: [400, 401]',
      timeout: '15m',
      'max-parallel': '1',
    })
    expect(annotations('warning', result)).toEqual([
      expect.stringMatching(
        /^2 cells, 1 at a time, usually 10 min( \d+ s)? each, take about 20 min( \d+ s)?, but timeout allows 15 min\. Raise max-parallel/,
      ),
    ])
  }),
)

test.concurrent.each([
  ['false', 'completed', 0],
  ['true', 'expectation-missed', 1],
] as const)('expect-all: %s decides whether one miss is one too many', (all, conclusion, exitCode) =>
  withServer({}, async (scene) => {
    const result = await sweep(scene, { ...THREE, expect: 'train.accuracy >= 0.8', 'expect-all': all })
    expect(result.outputs['conclusion']).toBe(conclusion)
    expect(result.exitCode).toBe(exitCode)
  }),
)

test.concurrent('where no run is as expected there is no best, and the step is red', () =>
  withServer({}, async (scene) => {
    const result = await sweep(scene, { ...THREE, expect: 'train.accuracy >= 0.99' })
    const got = (cell: number, value: number): string =>
      `Cell ${cell}: expected train.accuracy >= 0.99, got ${value}`
    expect(expectRed(result, 'expectation-missed')).toBe(
      `None of the runs is as expected. ${got(1, 0.7)}. ${got(2, 0.9)}. ${got(3, 0.8)}`,
    )
    expect(result.stdout).toMatch(
      /Cell 1 of 3 completed in \S+ \S+, but not as expected; train\.accuracy: 0\.7: expected train\.accuracy >= 0\.99, got 0\.7$/m,
    )
    expect(result.outputs).toMatchObject({ 'best-run-id': '', 'best-parameters': '{}', completed: '3' })
  }),
)

test.concurrent('where no run logs what they are ranked by, the step is red and says so', () =>
  withServer({}, async (scene) => {
    const result = await sweep(scene, { ...THREE, rank: 'max train.f1' })
    expect(expectRed(result, 'expectation-missed')).toMatch(
      /^No run can be ranked by train\.f1: no such value/,
    )
  }),
)

test.concurrent(
  'every cell is checked before the first run starts, and each mistake names its cells once',
  () =>
    withServer({}, async (scene) => {
      const matrix =
        'train.accuracy: [1, two, three]\ninclude: [{train.acuracy: 1, train.accuracy: 1}, {train.accuracy: 5, train.acuracy: 2}]'
      const result = await sweep(scene, { ...BASE, matrix })
      expect(result.exitCode).toBe(1)
      expect(scene.triggers).toEqual([])
      expect(result.outputs['error']).toMatch(/did you mean "?accuracy/i)
      expect(result.outputs['error']).toMatch(/\(cell 2\)/)
    }),
)

test.concurrent('a step that rank or expect misspells is an error before the first run starts', () =>
  withServer({}, async (scene) => {
    const result = await sweep(scene, { ...THREE, rank: 'max trian.accuracy', expect: 'tain.loss < 1' })
    expect(expectRed(result, 'failed').split('\n').toSorted()).toEqual([
      'expect: the pipeline has no step "tain"; did you mean train? Put a key with a dot in quotes: "tain.loss"',
      'rank: the pipeline has no step "trian"; did you mean train? Put a key with a dot in quotes: "trian.accuracy"',
    ])
    expect(scene.triggers).toEqual([])
  }),
)

test.concurrent('rank takes a key in quotes, around the whole name', () =>
  withServer({}, async (scene) => {
    const wrong = await sweep(scene, { ...THREE, rank: 'max train."accuracy"' })
    expect(expectRed(wrong, 'failed')).toBe(
      'rank: "train.\\"accuracy\\"" has quotes inside; put the whole name in quotes, or none of it',
    )
    expect(scene.triggers).toEqual([])
    const result = await sweep(scene, { ...THREE, rank: 'max "accuracy"' })
    expect(result.outputs).toMatchObject({ conclusion: 'completed', 'best-value': '0.9' })
  }),
)

test.concurrent('cells that come to the same values are one too many', () =>
  withServer({}, async (scene) => {
    const result = await sweep(scene, { ...BASE, matrix: 'train.accuracy: [1, 2, 1]' })
    expect(expectRed(result, 'failed')).toContain(
      'matrix: cells 1, 3 give the run the same values; keep one of them',
    )
    expect(scene.triggers).toEqual([])
  }),
)

test.concurrent('the best is compared with the baseline, and it alone is one for later runs', () =>
  withServer({}, async (scene) => {
    const first = await sweep(scene, { ...THREE, baseline: 'main' }, ON_MAIN)
    expect(first.exitCode).toBe(0)
    const second = await sweep(
      scene,
      {
        ...THREE,
        matrix: 'train.accuracy: [0.91, 0.95]',
        baseline: 'main',
        expect: 'train.accuracy > baseline',
      },
      { ...ON_MAIN, GITHUB_RUN_ID: '4711' },
    )
    expect(JSON.parse(second.outputs['comparison'] ?? '')).toMatchObject({
      baseline: { id: first.outputs['best-run-id'] },
      metrics: [{ name: 'train.accuracy', value: 0.95, baseline: 0.9 }, { name: 'train.loss' }],
    })
    expect(second.summary).toContain('`+0.05 (+5.6 %)` ✅ better')
  }),
)

test.concurrent('the comment on the pull request holds the table, and a second sweep renews it', () =>
  onPullRequest({}, async (scene, github, step) => {
    for (const matrix of ['train.accuracy: [0.7, 0.9]', 'train.accuracy: [0.8, 0.95]']) {
      const result = await scene.step({ ...THREE, matrix, comment: 'true' }, { ...step, entry: 'sweep' })
      expect(result.exitCode).toBe(0)
      expect(annotations('notice', result)).toEqual([])
    }
    const bodies = github.comments(7).map(({ body }) => body)
    expect(bodies).toHaveLength(1)
    expect(bodies[0]?.split('\n')[1]).toBe('### ✅ ZenML sweep of training: completed')
    expect(bodies[0]).toMatch(/\| 2 🏆 \| `0.95` \| `0.95` \| ✅ completed \|/)
  }),
)

test.concurrent('256 cells: log, summary and outputs stay within bounds', () =>
  withServer({}, async (scene) => {
    const cells = Array.from({ length: 256 }, (_, index) => ({
      'train.accuracy': index / 256,
      ...(index % 5 === 0 ? { 'train.fail': `loss is NaN ${'at step 7, '.repeat(50)}` } : {}),
    }))
    const matrix = JSON.stringify({ include: cells })
    const result = await sweep(scene, { ...THREE, matrix, 'max-parallel': '64' })
    expect(result.outputs).toMatchObject({ completed: '204', failed: '52', conclusion: 'failed' })
    expect(result.stdout.split('\n').length).toBeLessThan(1_200)
    expect(annotations('error', result).length).toBeLessThanOrEqual(10)
    expect(Buffer.byteLength(result.summary)).toBeLessThan(300_000)
    expect(result.summary).toContain('206 more cells')
    expect(entries(result)).toHaveLength(256)
    expect((result.outputs['runs'] ?? '').length).toBeLessThan(400_000)
  }),
)

test.concurrent('cancelled in the middle: every run is asked to stop, and the rest is never started', () =>
  withServer({ orchestrator: 'kubernetes' }, async (scene) => {
    const inputs = {
      ...LONG,
      'server-url': scene.server.url,
      'api-key': scene.server.apiKey,
      'max-parallel': '2',
    }
    const running = await startAction({ entry: 'sweep', inputs })
    await untilStarted(scene, 2)
    running.signal('SIGINT')
    const result = await running.done
    expect(result.exitCode).toBe(1)
    expect(result.outputs).toMatchObject({ conclusion: 'cancelled' })
    expect(result.outputs['error']).toBe('Cancelled. Cells completed: 0, cancelled: 2, never started: 1')
    expect(scene.requests('POST', /\/stop$/)).toHaveLength(2)
    expect(scene.triggers).toHaveLength(2)
    const post = await runAction({ entry: 'post', inputs, state: result.state })
    expect(post.exitCode).toBe(0)
    expect(scene.runs.map(({ status }) => status)).toEqual(['stopped', 'stopped'])
  }),
)

test.concurrent('cancelled before a run was started: the step says so, and nothing else', () =>
  withServer({ faults: [{ on: 'snapshots', do: { kind: 'hang' } }] }, async (scene) => {
    const inputs = { ...THREE, 'server-url': scene.server.url, 'api-key': scene.server.apiKey }
    const running = await startAction({ entry: 'sweep', inputs })
    while (scene.requests('GET', /\/pipeline_snapshots$/).length === 0) await setTimeout(20)
    running.signal('SIGINT')
    const result = await running.done
    expect(result.exitCode).toBe(1)
    expect(result.outputs).toMatchObject({
      conclusion: 'cancelled',
      error: 'Cancelled before a run was started',
    })
    expect(result.outputs['runs']).toBe('[]')
  }),
)

test.concurrent('killed in the middle: the post step ends every run that goes on', () =>
  withServer({ orchestrator: 'kubernetes' }, async (scene) => {
    const inputs = {
      ...LONG,
      'server-url': scene.server.url,
      'api-key': scene.server.apiKey,
      'max-parallel': '3',
    }
    const running = await startAction({ entry: 'sweep', inputs })
    await untilStarted(scene, 3)
    running.signal('SIGKILL')
    const { state } = await running.done
    const post = await runAction({ entry: 'post', inputs, state })
    expect(post.exitCode).toBe(0)
    expect(post.stdout).toContain('This step ended before 3 of its runs did. Asking ZenML to stop them')
    expect(scene.runs.map(({ status }) => status)).toEqual(['stopped', 'stopped', 'stopped'])
    expect(post.summary).toContain('ZenML run: cancelled')
  }),
)

test.concurrent(
  'killed in the middle, with a key for another server at the end: none of the runs was checked',
  () =>
    withServer({ orchestrator: 'kubernetes' }, async (scene) => {
      const { url, apiKey } = scene.server
      const inputs = { ...LONG, 'server-url': url, 'api-key': apiKey, 'max-parallel': '3' }
      const running = await startAction({ entry: 'sweep', inputs })
      await untilStarted(scene, 3)
      running.signal('SIGKILL')
      const { state } = await running.done
      const elsewhere = { ...inputs, 'server-url': 'https://zenml.example.com' }
      const post = await runAction({ entry: 'post', inputs: elsewhere, state })
      expect(annotations('warning', post)).toEqual([
        expect.stringMatching(
          /^The run ".*" and 2 more were not checked, because this step's inputs now name another server: if they were started, they may still be running at http/,
        ),
      ])
      expect(scene.runs.map(({ status }) => status)).toEqual(['running', 'running', 'running'])
    }),
)

test.concurrent('the post step of 256 cells starts with all that was saved, and ends the 64 that go on', () =>
  withServer({ orchestrator: 'kubernetes' }, async (scene) => {
    const cells = Array.from({ length: 256 }, (_, index) => ({
      'train.accuracy': index / 256,
      'train.seconds': index < 192 ? 0.1 : 3600,
    }))
    const inputs = {
      ...{ 'server-url': scene.server.url, 'api-key': scene.server.apiKey, pipeline: 'training' },
      ...{ matrix: JSON.stringify({ include: cells }), 'max-parallel': '64', 'poll-interval': '1s' },
    }
    const running = await startAction({ entry: 'sweep', inputs })
    while (scene.runs.length < 256) await setTimeout(50)
    await untilStarted(scene, 64)
    running.signal('SIGKILL')
    const { state, stderr } = await running.done
    expect(stderr).toBe('')
    const saved = Object.entries(state).filter(([name]) => name.startsWith('cell_'))
    expect(saved).toHaveLength(256)
    expect(Math.max(...saved.map(([, value]) => value.length))).toBeLessThan(1_000)
    const post = await runAction({ entry: 'post', inputs, state })
    expect(post.exitCode).toBe(0)
    expect(post.stderr).toBe('')
    expect(post.stdout).toContain('This step ended before 64 of its runs did')
    const statuses = scene.runs.map(({ status }) => status)
    expect(statuses.filter((status) => status === 'stopped')).toHaveLength(64)
    expect(statuses.filter((status) => status === 'completed')).toHaveLength(192)
  }),
)

test.concurrent('where the server limits requests, one cell waits for it and not each of them', () =>
  withServer({ faults: tooMany(3) }, async (scene) => {
    const result = await sweep(scene, { ...THREE, 'max-parallel': '3' })
    expect(result.exitCode).toBe(0)
    expect(scene.triggers).toHaveLength(6)
    const keys = scene.triggers.map(({ headers }) => headers['idempotency-key'])
    expect(new Set(keys.slice(0, 4)).size).toBe(1)
  }),
)

test.concurrent('a re-run with resume starts only the cells that neither completed nor run', () =>
  withServer({}, async (scene) => {
    const resume = { ...THREE, resume: 'true' }
    const failing = 'train.accuracy: [0.7, 0.9]\ninclude: [{train.accuracy: 0.8, train.fail: loss is NaN}]'
    const first = await sweep(scene, { ...resume, matrix: failing })
    expect(first.exitCode).toBe(1)
    expect(scene.triggers).toHaveLength(3)
    // In another order: a cell is known by its values.
    const again = 'train.accuracy: [0.9, 0.7]\ninclude: [{train.accuracy: 0.8, train.fail: loss is NaN}]'
    const second = await sweep(scene, { ...resume, matrix: again }, { GITHUB_RUN_ATTEMPT: '2' })
    expect(scene.triggers).toHaveLength(4)
    expect(second.outputs).toMatchObject({
      completed: '2',
      failed: '1',
      'best-run-id': first.outputs['best-run-id'],
    })
    expect(second.stdout).toContain('Cell 1 of 3 reattached to its earlier run')
    expect(second.summary).toContain('completed (resumed)')
  }),
)

test.concurrent('the timeout of the whole stops what runs and keeps the rest from starting', () =>
  withServer({ orchestrator: 'kubernetes' }, async (scene) => {
    const result = await sweep(scene, { ...LONG, timeout: '3s', 'max-parallel': '2' })
    expect(result.exitCode).toBe(1)
    expect(result.outputs['conclusion']).toBe('timed-out')
    expect(entries(result).map(({ conclusion }) => conclusion)).toEqual([
      'timed-out',
      'timed-out',
      'not-started',
    ])
    expect(scene.runs.map(({ status }) => status)).toEqual(['stopped', 'stopped'])
  }),
)

test.concurrent('run-timeout ends one run, and the next cell has its turn', () =>
  withServer({ orchestrator: 'kubernetes' }, async (scene) => {
    const matrix = 'include: [{train.seconds: 600}, {train.seconds: 0.1}]'
    const result = await sweep(scene, { ...BASE, matrix, 'run-timeout': '2s', 'max-parallel': '1' })
    expect(entries(result).map(({ conclusion }) => conclusion)).toEqual(['timed-out', 'completed'])
    expect(result.outputs['conclusion']).toBe('timed-out')
  }),
)

test.concurrent('where each answer to a start is lost, there is still one run for each cell', () =>
  withServer({ faults: lostAnswers(3) }, async (scene) => {
    const result = await sweep(scene, THREE)
    expect(result.exitCode).toBe(0)
    expect(scene.runs).toHaveLength(3)
    expect(new Set(entries(result).map((entry) => entry['run-id'])).size).toBe(3)
  }),
)

test.concurrent('the interval that the user gives counts, however long such runs take', () =>
  withServer({ clock: realClock(400) }, async (scene) => {
    const long = { ...BASE, 'poll-interval': '1s' }
    await sweep(scene, { ...long, matrix: 'train.seconds: [600]' })
    const before = scene.requests('GET', RUN).length
    await sweep(scene, { ...long, matrix: 'train.seconds: [2400]' })
    expect(scene.requests('GET', RUN).length - before).toBeGreaterThan(4)
  }),
)

test.concurrent('run_name is refused where it stands', () =>
  withServer({}, async (scene) => {
    const result = await sweep(scene, { ...THREE, configuration: 'run_name: nightly' })
    expect(expectRed(result, 'failed')).toBe(
      'configuration: run_name is not allowed: each run of a sweep gets its own name',
    )
    expect(scene.server.requests).toEqual([])
  }),
)

/** One run by its id. */
const RUN = /\/runs\/[^/]+$/

function noSlots(occurrences: readonly number[]): Fault[] {
  return occurrences.map((occurrence) => ({ on: 'trigger', occurrence, do: { kind: 'no-slot' } }))
}

function lostAnswers(count: number): Fault[] {
  return Array.from({ length: count }, (_, index) => ({
    on: 'trigger',
    occurrence: index + 1,
    do: { kind: 'reset', when: 'after-work' },
  }))
}

/** A gateway's answer to the first triggers. */
function tooMany(count: number): Fault[] {
  return Array.from({ length: count }, (_, index) => ({
    on: 'trigger',
    occurrence: index + 1,
    do: { kind: 'answer', status: 429, body: 'slow down', headers: { 'retry-after': '1' } },
  }))
}
