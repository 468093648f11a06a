/** ZenML's name of a kind of thing, where that is not what a person calls it. */
const KINDS: Readonly<Record<string, string>> = {
  component: 'stack component',
  pipeline_deployment: 'pipeline snapshot',
  // Versions are read with the permission on what they are versions of.
  'read artifact_version': 'artifact',
  'read model_version': 'model',
}

/** Actions whose name is no plain verb. */
const ACTIONS: Readonly<Record<string, string>> = { read_secret_value: 'read the values of' }

/**
 * The permission that ZenML misses, such as `create pipeline runs`; undefined where its message does not say (0.85 and
 * 0.98: zenml/zen_server/rbac/utils.py, `batch_verify_permissions`; zenml/models/v2/base/base.py, `get_body`).
 *
 * @param text ZenML's message; in a log it may be broken into lines
 */
export function missingPermission(text: string): string | undefined {
  const [, action, resource] =
    /\bInsufficient permissions to\s+([A-Z_]{1,30})\s+resource\s+'(?:[\w-]{1,40}:)?([a-z_]{1,40})/.exec(
      text,
    ) ?? []
  if (action !== undefined && resource !== undefined) return permission(action.toLowerCase(), resource)
  const [, model] = /\bMissing permissions to\s+access\s+([A-Za-z]{1,40})Response\b/.exec(text) ?? []
  return model === undefined ? undefined : permission('read', snakeCase(model))
}

function permission(action: string, resource: string): string {
  const kind = KINDS[`${action} ${resource}`] ?? KINDS[resource] ?? resource
  return `${ACTIONS[action] ?? action} ${plural(kind)}`.replaceAll('_', ' ')
}

function snakeCase(name: string): string {
  return name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '_').toLowerCase()
}

function plural(kind: string): string {
  if (kind === 'run_metadata') return kind
  return kind.endsWith('y') ? `${kind.slice(0, -1)}ies` : `${kind}s`
}
