import { expect, test } from '@jest/globals'
import { least, makeWorkspace, readAs, variables } from './given.ts'

const WARNING =
  '"${DATASET}" is sent as it is: no environment variable is filled in. If one is meant, use an expression in parameters or configuration'

test.each(['main', 'sweep'] as const)(
  'what looks like an environment variable in a file is warned about (%s)',
  async (action) => {
    const file = 'settings:\n  docker:\n    parent_image: a\nparameters:\n  data: s3://${DATASET}/x\n'
    const workspace = makeWorkspace({ 'nightly.yaml': file })
    try {
      const given = variables({ ...least[action], 'configuration-file': 'nightly.yaml' })
      expect(await readAs(action, { ...given, GITHUB_WORKSPACE: workspace.path })).toMatchObject({
        ok: true,
        warnings: [`configuration-file: nightly.yaml, line 5, column 3: ${WARNING}`],
      })
    } finally {
      workspace.remove()
    }
  },
)

test.each([
  ['parameters', 'data: ${DATASET}', `parameters, line 1, column 1: ${WARNING}`],
  [
    'configuration',
    'tags: [a, "${DATASET}", "${B}"]',
    `configuration, line 1, column 11: ${WARNING.replace(' is sent', ' (and 1 more) is sent')}`,
  ],
])('so is one in %s: %s', async (input, text, warning) => {
  expect(await readAs('main', variables({ ...least.main, [input]: text }))).toMatchObject({
    ok: true,
    warnings: [warning],
  })
})

test('what only resembles one is not', async () => {
  const text = 'a: $HOME\nb: "${a-b}"\nc: "{DATASET}"\n"${KEY}": 1'
  expect(await readAs('main', variables({ ...least.main, parameters: text }))).toMatchObject({
    ok: true,
    warnings: [],
  })
})
