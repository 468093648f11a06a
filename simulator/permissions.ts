import { STATUS_CODES } from 'node:http'
import { refusal, type Refusal } from './answers.ts'
import type { JsonObject } from './json.ts'
import type { ProFailure, ProMembership, ProPlace } from './pro.ts'

export type PermittedAction = 'read' | 'create' | 'update' | 'promote'

/** The names that ZenML gives to what a permission is about; a snapshot is still called a deployment. */
export type ResourceType =
  | 'project'
  | 'pipeline'
  | 'pipeline_run'
  | 'pipeline_deployment'
  | 'pipeline_build'
  | 'run_template'
  | 'run_metadata'
  | 'artifact'
  | 'stack'
  | 'model'
  | 'model_version'

export interface PermissionRules {
  /** Refused to the account. */
  readonly deny?: Partial<Readonly<Record<PermittedAction, readonly ResourceType[]>>>
  /** Of these types only these ids may be read. */
  readonly allowed?: Partial<Readonly<Record<ResourceType, readonly string[]>>>
}

/** What a permission is asked for. */
export interface Resource {
  readonly type: ResourceType
  /** Missing: of none in particular, for instance to create one. */
  readonly id?: string
  /** Id of its project, where it is in one. */
  readonly project?: string
  /** Made by the account itself, which may then read and change it whatever else is permitted. */
  readonly owned?: boolean
}

/** What the account may do: on an open-source server all, on Pro what its control plane says. */
export class Permissions {
  readonly #pro: ProMembership | undefined

  constructor(pro: ProMembership | undefined) {
    this.#pro = pro
  }

  may(action: PermittedAction, { type, id, owned = false }: Resource): boolean {
    if (this.#pro === undefined || owned) return true
    const failure = this.#pro.failure('permissions')
    if (failure !== undefined) throw planeFailure(this.#pro, 'permissions', failure)
    const { deny, allowed } = this.#pro.permissions()
    const ids = allowed?.[type]
    if (action === 'read' && ids !== undefined) return id !== undefined && ids.includes(id)
    return deny?.[action]?.includes(type) !== true
  }

  verify(action: PermittedAction, resource: Resource): void {
    if (this.may(action, resource)) return
    const { type, id, project } = resource
    const named = `${project === undefined ? '' : `${project}:`}${type}${id === undefined ? '' : `/${id}`}`
    const message = `Insufficient permissions to ${action.toUpperCase()} resource '${named}'.`
    throw refusal(403, 'IllegalOperationError', message)
  }

  /** Refuses where a part of what is asked for may not be read; `kind` is Python's name of the part's class. */
  needs(kind: string, resource: Resource): void {
    if (this.may('read', resource)) return
    const message = `Missing permissions to access ${kind} with ID ${resource.id ?? ''}.`
    throw refusal(403, 'IllegalOperationError', message)
  }

  /** An object inside an answer: what the account may not see keeps its id and name. */
  shown(resource: Resource, object: JsonObject): JsonObject {
    if (this.may('read', resource)) return object
    return { ...object, body: null, metadata: null, resources: null, permission_denied: true }
  }

  /** Refuses where the subscription's limit is reached (402), or the control plane does not say. */
  checkEntitlement(): void {
    const failure = this.#pro?.failure('entitlement')
    if (this.#pro === undefined || failure === undefined) return
    if (failure !== 402) throw planeFailure(this.#pro, 'entitlement', failure)
    const message =
      'Your subscription reached its `template_run` limit. Please upgrade your subscription or reach out to us.'
    throw refusal(402, 'SubscriptionUpgradeRequiredError', message)
  }

  /** How the note fails that a run was started. */
  usageFailure(): Refusal | undefined {
    const failure = this.#pro?.failure('usage')
    if (this.#pro === undefined || failure === undefined) return undefined
    return planeFailure(this.#pro, 'usage', failure)
  }
}

const PATHS: Partial<Readonly<Record<ProPlace, string>>> = {
  permissions: 'rbac/check_permissions',
  entitlement: 'organizations/0a0a0a0a-0000-4000-8000-000000000001/entitlement/template_run',
  usage: 'usage-event',
}

/** 500 of a server whose control plane fails; the text of a time-out was not seen. */
function planeFailure(pro: ProMembership, place: ProPlace, failure: ProFailure): Refusal {
  return refusal(500, 'RuntimeError', planeMessage(pro, place, failure))
}

function planeMessage(pro: ProMembership, place: ProPlace, failure: ProFailure): string {
  if (failure === 'closed') {
    return "('Connection aborted.', RemoteDisconnected('Remote end closed connection without response'))"
  }
  if (failure === 'time-out' || failure === 'nonsense') {
    return `HTTPConnectionPool(host='${new URL(pro.url).hostname}'): Read timed out. (read timeout=30)`
  }
  const side = failure < 500 ? 'Client' : 'Server'
  const status = `${String(failure)} ${side} Error: ${STATUS_CODES[failure] ?? ''}`
  return `Failed while trying to contact the central zenml pro service: ${status} for url: ${pro.url}/${PATHS[place] ?? ''}`
}
