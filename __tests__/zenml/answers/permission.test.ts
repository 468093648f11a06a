import { expect, test } from '@jest/globals'
import { missingPermission } from '../../../src/zenml/answers/permission.ts'

const PROJECT = 'a0000000-0000-4000-8000-000000000001'

test.each([
  [`Insufficient permissions to CREATE resource '${PROJECT}:pipeline_run'.`, 'create pipeline runs'],
  [
    `Insufficient permissions to UPDATE resource '${PROJECT}:pipeline_run/${PROJECT}'.`,
    'update pipeline runs',
  ],
  // ZenML calls snapshots by what they were once.
  [
    `Insufficient permissions to CREATE resource '${PROJECT}:pipeline_deployment'.`,
    'create pipeline snapshots',
  ],
  [`Insufficient permissions to READ resource 'stack_component/${PROJECT}'.`, 'read stack components'],
  [`Insufficient permissions to CREATE resource '${PROJECT}:run_metadata'.`, 'create run metadata'],
  [`Insufficient permissions to READ resource '${PROJECT}:code_repository/x'.`, 'read code repositories'],
  [`Insufficient permissions to READ_SECRET_VALUE resource 'secret/x'.`, 'read the values of secrets'],
  // What a server's log breaks into lines.
  [`Insufficient permissions to READ resource \n'stack/${PROJECT}'.`, 'read stacks'],
  ['Missing permissions to access PipelineSnapshotResponse with ID x.', 'read pipeline snapshots'],
  ['Missing permissions to access PipelineDeploymentResponse with ID x.', 'read pipeline snapshots'],
  ['Missing permissions to access PipelineBuildResponse with ID x.', 'read pipeline builds'],
  ['Missing permissions to access ComponentResponse with ID x.', 'read stack components'],
  // Who may read an artifact or a model may read its versions.
  ['Missing permissions to access ArtifactVersionResponse with ID x.', 'read artifacts'],
  ['Missing permissions to access ModelVersionResponse with ID x.', 'read models'],
  [`Insufficient permissions to CREATE resource '${PROJECT}:artifact_version'.`, 'create artifact versions'],
  ['Insufficient permissions', undefined],
  ["Insufficient permissions to ::error:: resource '%0A'", undefined],
  ["{'detail': 'limit reached'}", undefined],
  ['', undefined],
])('%s', (text, permission) => {
  expect(missingPermission(text)).toBe(permission)
})
