import { expect, test } from '@jest/globals'
import type { HeldRun } from '../../chaos/ending.ts'
import { endingOfPost, namesOfCell } from '../../chaos/endings.ts'

const held: HeldRun = {
  id: 'a0000000-0000-4000-8000-000000000001',
  name: 'NIGHTLY-1',
  nameSent: 'nightly-1',
  status: 'stopping',
  busy: false,
  gone: false,
}

test('what the post step says last of a run is read also where the server changed the name of the run', () => {
  const printed = [
    'This step ended before the run "nightly-1" did. Checking whether it was started, and stopping it if so',
    '::warning::The run "NIGHTLY-1" was asked to stop, but had not ended in time (last status: stopping)',
    'The run "nightly-2" was stopped',
    '',
  ].join('\n')
  const names = namesOfCell({ STATE_cell_1: '{"planned":{"name":"nightly-1"}}' }, 1, [held])
  expect(endingOfPost({ printed, unforeseen: '' }, names)?.line).toBe(
    'The run "NIGHTLY-1" was asked to stop, but had not ended in time (last status: stopping)',
  )
})
