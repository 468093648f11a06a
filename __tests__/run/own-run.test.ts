import { expect, test } from '@jest/globals'
import { hasNameOf, ownership, type Ownership, type SentRun } from '../../src/run/own-run.ts'
import type { Run } from '../../src/zenml/model.ts'

const SENT_AT = Date.UTC(2026, 10, 22)
const MINUTE = 60_000

/** Sent under a name of the user's own. */
const sent: SentRun = {
  name: 'Nightly Run',
  nameIsOurs: false,
  origins: ['template', 'snapshot'],
  projectId: 'project',
  sentFrom: SENT_AT,
  before: ['before'],
  isContested: false,
}
const ours: SentRun = { ...sent, name: 'training-gh1-1-0a1b2c3d-0123456789ab', nameIsOurs: true }

const run = (changes: Partial<Run>): Run => ({
  id: 'f00',
  name: 'Nightly Run',
  permissionDenied: false,
  status: 'initializing',
  statusReason: undefined,
  inProgress: undefined,
  created: SENT_AT,
  updated: undefined,
  endTime: undefined,
  templateId: 'template',
  sourceSnapshotId: undefined,
  pipeline: undefined,
  projectId: 'project',
  metadata: undefined,
  ...changes,
})

const OTHER = { name: 'something else' }

test.each<[Ownership, string, Partial<Run>]>([
  ['ours', 'the very name and template', {}],
  [
    'ours',
    'the very name and the snapshot of the template',
    { templateId: undefined, sourceSnapshotId: 'snapshot' },
  ],
  ['ours', 'the very name, whatever the clock says', { created: 0 }],
  ['foreign', 'the very name and another template', { templateId: 'another' }],
  ['unknown', 'the very name, and nothing of where it is from', { templateId: undefined }],
  ['ours', 'another spelling and the template, whatever the clock says', { name: 'nightly run', created: 0 }],
  ['foreign', 'another spelling that was there before', { name: 'nightly run', id: 'before' }],
  ['ours', 'quite another name and the template', OTHER],
  ['ours', 'quite another name, a minute before, as clocks differ', { ...OTHER, created: SENT_AT - MINUTE }],
  ['foreign', 'quite another name, longer before', { ...OTHER, created: SENT_AT - MINUTE - 1 }],
  ['unknown', 'quite another name at a time that is not told', { ...OTHER, created: undefined }],
  ['foreign', 'quite another name and another template', { ...OTHER, templateId: 'another' }],
  ['unknown', 'quite another name, and nothing of where it is from', { ...OTHER, templateId: undefined }],
])('a run under a name of the user is %s: %s', (whose, _, changes) => {
  expect(ownership(run(changes), sent)).toBe(whose)
})

test("without the time of the sending a run of quite another name may be anybody's", () => {
  expect(ownership(run(OTHER), { ...sent, sentFrom: undefined })).toBe('unknown')
})

test("a run of the very name is nobody's for sure where another step may have been quicker", () => {
  expect(ownership(run({}), { ...sent, isContested: true })).toBe('unknown')
})

test.each<[Ownership, string, Partial<Run>]>([
  ['ours', 'the very name', { name: ours.name }],
  [
    'ours',
    'our digits in a name that was changed',
    { name: 'x 0123456789AB', created: 0, templateId: 'another' },
  ],
  ['foreign', 'other digits, and another template', { name: 'training', templateId: 'another' }],
])('a run under a name of ours is %s: %s', (whose, _, changes) => {
  expect(ownership(run(changes), ours)).toBe(whose)
})

test.each([
  ['Nightly Run', true],
  [' nightly  run\t', true],
  ['Ｎightly Run', true],
  ['Nightly', false],
  ['Nightly Run 2', false],
  [undefined, false],
])('the name %j is what a server may have made of "Nightly Run": %s', (name, has) => {
  expect(hasNameOf({ name }, sent)).toBe(has)
})
