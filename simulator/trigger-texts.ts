import { hasSnapshots } from './definition.ts'
import type { PipelineEntry, World } from './world.ts'

/** As Python prints a set of strings. */
export function pythonSet(names: readonly string[]): string {
  return names.length === 0 ? 'set()' : `{${names.map((name) => `'${name}'`).join(', ')}}`
}

export function notRunnable(world: World, entry: PipelineEntry): string {
  return hasSnapshots(world.version)
    ? `This snapshot can not be run via the server because it does not have an associated build. (${entry.templateName})`
    : 'Unable to run template without an associated build.'
}

export function nameTaken(world: World, name: string, entry: PipelineEntry): string {
  switch (world.version) {
    case '0.74.0':
      return `Unable to create pipeline run: A pipeline run with name '${name}' already exists.`
    case '0.85.0':
      return `Unable to create the requested pipeline run with name '${name}': Found another existing pipeline run with the same name in the '${entry.project.name}' project.`
    case '0.98.0':
      return `Pipeline run name '${name}' already exists in this project. Each pipeline run must have a unique name.\n\nTo fix this, you can:\n1. Use a different run name\n2. Use a dynamic run name with placeholders like: "${name}_{date}_{time}"\n3. Remove the run name from your configuration to auto-generate unique names\n\nFor more information on run naming, see: https://docs.zenml.io/concepts/steps_and_pipelines/yaml_configuration#run-name`
  }
}

export function nameTooLong(world: World, name: string): string {
  const pydantic = { '0.74.0': '2.8', '0.85.0': '2.11', '0.98.0': '2.12' }[world.version]
  const shown = `${name.slice(0, 24)}...${name.slice(-23)}`
  return `1 validation error for PipelineRunRequest\nname\n  String should have at most 255 characters [type=string_too_long, input_value='${shown}', input_type=str]\n    For further information visit https://errors.pydantic.dev/${pydantic}/v/string_too_long`
}

/** The misspelling is the server's own. */
export function staticPipelineParameters(world: World): string {
  const example =
    "For example, instead of: ```yaml parameters:   param1: 1   param2: 2 ``` You'll need to modify your pipeline code to pass parameters directly to steps: ```yaml steps:   step1:     parameters:       param1: 1       param2: 2 ``` "
  switch (world.version) {
    case '0.74.0':
      return "Can't set parameters when running pipeline via Rest API."
    case '0.85.0':
      return `Can't set pipeline parameters when running pipeline via Rest API. This likely requires refactoring your pipeline code to use step parameters instead of pipeline parameters. ${example}`
    case '0.98.0':
      return `Can't set pipeline parameters when running a static pipeline via the REST API. You can either use dynamic pipelines for which you can pass pipeline parameters, or refactore your pipeline code to use step parameters instead of pipeline parameters. ${example}`
  }
}
