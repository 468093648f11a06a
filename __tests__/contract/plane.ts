import { request } from 'undici'

/** What the control plane of a Pro server can be told to do next. */
export interface Plane {
  /** Refuses these actions on these types of resources; replaces what was refused before. */
  deny(rules: Readonly<Record<string, readonly string[]>>): Promise<void>
  /** The next question whose token this is fails: with a status, or by closing the connection (0). */
  failAuthorization(status: number): Promise<void>
  /** Whether the subscription has a run left: 200 or 402; another status fails. */
  entitlement(status: number): Promise<void>
}

/** The stand-in for the control plane that real servers are started with. */
export class Stand implements Plane {
  readonly #url: string

  constructor(url: string) {
    this.#url = url
  }

  deny(rules: Readonly<Record<string, readonly string[]>>): Promise<void> {
    return this.#tell({ deny: rules })
  }

  failAuthorization(status: number): Promise<void> {
    return this.#tell({ broken: { authorize: [status] } })
  }

  entitlement(status: number): Promise<void> {
    return this.#tell({ entitlement: status })
  }

  async #tell(change: object): Promise<void> {
    const { body } = await request(`${this.#url}/_test`, { method: 'POST', body: JSON.stringify(change) })
    await body.dump()
  }
}
