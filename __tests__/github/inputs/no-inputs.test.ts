import { expect, test } from '@jest/globals'
import { least, makeWorkspace, read, readAs, variables } from './given.ts'

test('what toJSON makes of inputs that the event does not have counts as left empty', async () => {
  const given = { configuration: 'null\n', parameters: ' null' }
  const outcome = await read(variables({ ...least.main, ...given }))
  expect(outcome).toMatchObject({
    ok: true,
    inputs: { configuration: [] },
    notices: ['configuration: null counts as left empty', 'parameters: null counts as left empty'],
  })
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

test('a file that holds only null is no input of a form', async () => {
  const workspace = makeWorkspace({ 'run.yaml': 'null\n' })
  try {
    const given = { ...least.main, 'configuration-file': 'run.yaml' }
    const outcome = await read({ ...variables(given), GITHUB_WORKSPACE: workspace.path })
    expect(outcome).toMatchObject({
      ok: false,
      faults: { message: expect.stringContaining('"run.yaml", line 1, column 1: there is no value') },
    })
  } finally {
    workspace.remove()
  }
})
