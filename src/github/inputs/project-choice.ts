import type { ProjectChoice } from '../../run/facts.ts'
import type { Environment } from '../workflow/environment.ts'

/** The project of the input, or else of the variable that ZenML's own client reads. */
export function projectChoice(input: string | undefined, env: Environment): ProjectChoice | undefined {
  if (input !== undefined) return { nameOrId: input, source: 'project' }
  const id = env['ZENML_ACTIVE_PROJECT_ID']?.trim()
  return id === undefined || id === '' ? undefined : { nameOrId: id, source: 'ZENML_ACTIVE_PROJECT_ID' }
}
