import { expect, test } from '@jest/globals'
import { hasNameOf, ownership, type Ownership, type SentRun } from '../../../src/run/start/own-run.ts'
import type { Run } from '../../../src/zenml/model.ts'

const SENT_AT = Date.UTC(2026, 10, 22)
const MINUTE = 60_000

/** Sent under a name of the user's own. */
const sent: SentRun = {
  name: 'Nightly Run',
  nameIsOurs: false,
  origins: ['template', 'snapshot'],
  projectId: 'project',
  sentFrom: SENT_AT,
  mark: 'mark',
}
const ours: SentRun = {
  ...sent,
  name: 'training-gh1-1-0a1b2c3d-0123456789ab',
  nameIsOurs: true,
  mark: undefined,
}

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
  isDynamic: false,
  startMark: undefined,
  pipeline: undefined,
  projectId: 'project',
  code: undefined,
  metadata: undefined,
  ...changes,
})

const OTHER = { name: 'something else' }

test.each<[Ownership, string, Partial<Run>]>([
  ['ours', 'our mark', { startMark: 'mark' }],
  [
    'ours',
    'our mark and the snapshot of the template',
    { startMark: 'mark', templateId: undefined, sourceSnapshotId: 'snapshot' },
  ],
  ['ours', 'our mark, whatever the clock says', { startMark: 'mark', created: 0 }],
  ['ours', 'our mark, and nothing of where it is from', { startMark: 'mark', templateId: undefined }],
  ['ours', 'our mark under quite another name', { ...OTHER, startMark: 'mark' }],
  ['ours', 'our mark and another template', { startMark: 'mark', templateId: 'another' }],
  ['foreign', "another step's mark", { startMark: 'another' }],
  ['unknown', 'the very name and template, without a mark', {}],
  ['unknown', 'no mark, a minute before, as clocks differ', { created: SENT_AT - MINUTE }],
  ['foreign', 'no mark, longer before', { created: SENT_AT - MINUTE - 1 }],
  ['unknown', 'no mark, at a time that is not told', { created: undefined }],
  ['foreign', 'the very name and another template', { templateId: 'another' }],
  ['unknown', 'no mark, and nothing of where it is from', { templateId: undefined }],
])('a run under a name of the user is %s: %s', (whose, _, changes) => {
  expect(ownership(run(changes), sent)).toBe(whose)
})

test("without the time of the sending a run without a mark may be anybody's", () => {
  expect(ownership(run({}), { ...sent, sentFrom: undefined })).toBe('unknown')
})

test.each<[Ownership, string, Partial<Run>]>([
  ['ours', 'the very name', { name: ours.name }],
  [
    'ours',
    'our digits in a name that was changed',
    { name: 'x 0123456789AB', created: 0, templateId: 'another' },
  ],
  ['ours', 'quite another name and the template', OTHER],
  ['ours', 'quite another name, a minute before, as clocks differ', { ...OTHER, created: SENT_AT - MINUTE }],
  ['foreign', 'quite another name, longer before', { ...OTHER, created: SENT_AT - MINUTE - 1 }],
  ['unknown', 'quite another name at a time that is not told', { ...OTHER, created: undefined }],
  ['foreign', 'quite another name and another template', { ...OTHER, templateId: 'another' }],
  ['unknown', 'quite another name, and nothing of where it is from', { ...OTHER, templateId: undefined }],
  ['foreign', "quite another name and another step's mark", { ...OTHER, startMark: 'another' }],
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
