import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import { lastLines, track } from './processes.ts'

const SCRIPT = path.join(import.meta.dirname, 'zenml', 'control_plane.py')

/** What the next answers shall be, as zenml/control_plane.py describes it; what is left out stays as it is. */
export interface Hooks {
  readonly deny?: Readonly<Record<string, readonly string[]>>
  readonly allowed?: Readonly<Record<string, readonly string[]>>
  readonly broken?: Readonly<
    Partial<Record<'authorize' | 'login' | 'permissions' | 'usage' | 'workspaces', readonly number[]>>
  >
  readonly entitlement?: number
  readonly workspace?: Readonly<Record<string, unknown>>
  readonly tenants?: boolean
}

const Seen = z.object({
  /** Logins that succeeded, by account: ci, server, observer. */
  logins: z.record(z.string(), z.int()),
  /** Tokens that the server asked about and that were good, by account. */
  authorized: z.record(z.string(), z.int()),
  /** `GET /workspaces?workspace_name=e2e`, in the order of arrival. */
  requests: z.array(z.string()),
})
export type Seen = z.infer<typeof Seen>

/** The stand-in for ZenML Pro's control plane, in a process of its own that outlives restarts of the server. */
export class ControlPlane {
  readonly url: string
  readonly #child: ChildProcess

  private constructor(url: string, child: ChildProcess) {
    this.url = url
    this.#child = child
  }

  /** @param python any Python 3 */
  static async start(python: string, port: number, serverUrl: string): Promise<ControlPlane> {
    const args = [SCRIPT, '--port', String(port), '--server-url', serverUrl]
    const child = track(spawn(python, args, { stdio: ['pipe', 'pipe', 'pipe'] }))
    let stderr = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    const line = once(createInterface({ input: child.stdout }), 'line').then(() => true)
    const ended = once(child, 'close').then(() => false)
    if (!(await Promise.race([line, ended]))) {
      throw new Error(`the control plane did not start:\n${lastLines(stderr, 10)}`)
    }
    return new ControlPlane(`http://127.0.0.1:${port}`, child)
  }

  /** Changes what it answers next, until `reset`. */
  async set(hooks: Hooks): Promise<void> {
    await this.#call('/_test', JSON.stringify(hooks))
  }

  /** Ends what `set` changed, and forgets what was seen. */
  async reset(): Promise<void> {
    await this.#call('/_reset', '')
  }

  async seen(): Promise<Seen> {
    return Seen.parse(await this.#call('/_seen'))
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    this.#child.kill('SIGTERM')
    await once(this.#child, 'exit')
  }

  async #call(route: string, body?: string): Promise<unknown> {
    const answer = await fetch(`${this.url}${route}`, body === undefined ? {} : { method: 'POST', body })
    if (!answer.ok) throw new Error(`${route}: ${answer.status} ${await answer.text()}`)
    return answer.json()
  }
}
