import { expect, test } from '@jest/globals'
import { least, read, readAs, variables } from './given.ts'

test('what toJSON makes of inputs that the event does not have counts as left empty', async () => {
  const given = { configuration: 'null\n', parameters: ' null' }
  const outcome = await read(variables({ ...least.main, ...given }))
  expect(outcome).toMatchObject({ ok: true, inputs: { configuration: [] } })
  expect(outcome.ok && outcome.inputs.parameters).toBeUndefined()
})

test('but a sweep of nothing is none', async () => {
  expect(await readAs('sweep', variables({ ...least.sweep, matrix: 'null' }))).toMatchObject({
    ok: false,
    faults: {
      message: expect.stringContaining('matrix: line 1, column 1: there is no value; write a mapping'),
    },
  })
})
