import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { afterEach, beforeEach, expect, test } from '@jest/globals'
import fc from 'fast-check'

import { WorkflowLog } from '../../src/github/log/workflow-log.ts'
import { isSummaryDue } from '../../src/github/post-step-quick-exit.ts'
import { saveState, setOutput } from '../../src/github/outputs.ts'
import {
  noteSummary,
  readSavedWorkflowStep,
  PostStepJournal,
  withLaterState,
} from '../../src/github/post-step-state.ts'
import { makeWorkspace } from './inputs/given.ts'

/** Nothing is known that must not leave. */
const OPEN = { redact: (text: string) => text }

const SETTLED_CELL = '{"settled":true}'

let folder: ReturnType<typeof makeWorkspace>
const before = { ...process.env }
beforeEach(() => {
  folder = makeWorkspace({ output: '', state: '' })
  process.env['GITHUB_OUTPUT'] = join(folder.path, 'output')
  process.env['GITHUB_STATE'] = join(folder.path, 'state')
})
afterEach(() => {
  process.env = { ...before }
  folder.remove()
})

/** Reads a file of outputs or states as the runner does: `name<<delimiter`, lines, delimiter. */
function readFileCommands(file: string): Record<string, string> {
  const found: [string, string][] = []
  const lines = readFileSync(join(folder.path, file), 'utf8').split(/\r?\n/)
  while (lines.length > 1) {
    const [name = '', delimiter = ''] = (lines.shift() ?? '').split('<<')
    const end = lines.indexOf(delimiter)
    expect(end).toBeGreaterThanOrEqual(0)
    found.push([name, lines.splice(0, end).join('\n')])
    lines.shift()
  }
  return Object.fromEntries(found)
}

test('an output can be used by later steps at once, and a later value replaces it', () => {
  setOutput('status', 'running', OPEN)
  expect(readFileCommands('output')).toEqual({ status: 'running' })
  setOutput('status', 'completed', OPEN)
  setOutput('duration', 12.5, OPEN)
  expect(readFileCommands('output')).toEqual({ status: 'completed', duration: '12.5' })
})

test('no text can forge another output', () => {
  const text = fc.oneof(fc.constant('x\nrun-id<<EOF\nforged\nEOF\n'), fc.string({ unit: 'grapheme' }))
  fc.assert(
    fc.property(text, (value) => {
      setOutput('error', value, OPEN)
      expect(Object.keys(readFileCommands('output'))).toEqual(['error'])
    }),
  )
})

test('a state is kept for the post step', () => {
  saveState('run', '{"id":"1"}', OPEN)
  expect(readFileCommands('state')).toEqual({ run: '{"id":"1"}' })
})

test.each(['training', 'zenml', 'name', 'stop', 'true'])(
  'the post step reads what was saved also where the password of a proxy is the word %s',
  (password) => {
    const log = new WorkflowLog(() => undefined)
    log.maskPassword(password)
    const facts = {
      serverUrl: 'http://zenml:1',
      named: 'zenml',
      onCancel: 'stop',
      workflowRunUrl: 'https://github.com/o/r/actions/runs/1',
    } as const
    const planned = { name: 'training-1', nameIsOurs: true, origins: ['training'], sentAt: 1 }
    const started = {
      id: 'true-1',
      projectId: 'stop',
      name: 'training-1',
      url: 'http://zenml:1',
      status: 'a',
      isDynamic: true,
    }
    const journal = new PostStepJournal(facts, (name, value) => saveState(name, value, log))
    journal.planned({ ...planned, projectId: 'stop', sentFrom: 1, mark: 'training', answered: undefined })
    journal.started(started)
    noteSummary(true, log)

    const env = Object.fromEntries(
      Object.entries(readFileCommands('state')).map(([name, value]) => [`STATE_${name}`, value]),
    )
    expect(readSavedWorkflowStep(env)).toMatchObject({ facts, runs: [{ planned, started, mode: 'stop' }] })
    expect(isSummaryDue(env)).toBe(true)
  },
)

test('the post step of a sweep knows of each run what main knew of it', () => {
  const journal = new PostStepJournal(
    { serverUrl: 'http://zenml:1', named: 'zenml', onCancel: 'stop', workflowRunUrl: '' },
    (name, value) => saveState(name, value, OPEN),
  )
  const run = {
    id: '1',
    projectId: 'p',
    name: 'training-1',
    url: undefined,
    status: 'paused',
    isDynamic: true,
  }
  journal.ofCell(1).started(run)
  const env = Object.fromEntries(
    Object.entries(readFileCommands('state')).map(([name, value]) => [`STATE_${name}`, value]),
  )
  expect(readSavedWorkflowStep(env)?.runs).toEqual([
    { planned: undefined, started: run, mode: 'stop', settled: false },
  ])
})

test('a key that stands in a state is covered there', () => {
  const log = new WorkflowLog(() => undefined)
  log.mask('0123456789abcdefghij')
  saveState('started', '{"name":"x 0123456789abcdefghij"}', log)
  expect(readFileCommands('state')).toEqual({ started: '{"name":"x ***"}' })
})

test('what main did after the runner had read its state is taken up, and not that it was content with it', () => {
  for (const [name, value] of Object.entries({ planned: 'a', started: 'b\u2028', mode: '', comment: 'd' }))
    saveState(name, value, OPEN)
  for (const [name, value] of Object.entries({
    started: 'c',
    cell_3: 'e',
    cell_4: 'f',
    settled: 'true',
    summaryDue: 'false',
    PATH: 'x',
  }))
    saveState(name, value, OPEN)
  for (const name of ['cell_3', 'cell_4', 'cell_5']) saveState(name, SETTLED_CELL, OPEN)
  const given = {
    STATE_planned: 'old',
    STATE_summaryDue: 'true',
    // That was over when the runner read it.
    STATE_cell_4: SETTLED_CELL,
    INPUT_SNAPSHOT: 'nightly',
  }

  expect(
    withLaterState(
      given,
      `${readFileSync(join(folder.path, 'state'), 'utf8')}mode<<ghadelimiter_1\nkeep-running\n`,
    ),
  ).toEqual({
    ...given,
    STATE_planned: 'a',
    STATE_started: 'c',
    STATE_cell_3: 'e',
    STATE_mode: '',
    STATE_comment: 'd',
  })
})

test('where the credential goes is taken from the state file only where the runner has not read it from there', () => {
  saveState('facts', 'of the file', OPEN)
  const text = readFileSync(join(folder.path, 'state'), 'utf8')
  expect(withLaterState({ STATE_facts: 'of the runner' }, text)).toEqual({ STATE_facts: 'of the runner' })
  expect(withLaterState({}, text)).toEqual({ STATE_facts: 'of the file' })
})
