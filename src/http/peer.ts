import { Agent, type ClientRequest, type ClientRequestArgs } from 'node:http'
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { TransportError } from './transport-error.ts'

/** More than a step needs at once, but for one that ends many runs: a server must not be run over by it. */
const MOST_AT_ONCE = 16

/** Servers close an idle connection after five seconds or more, and a request must not meet that. */
const IDLE_MS = 4_000

/**
 * The same of a connection that waits for a request of its own, which must not be sent twice: less, because one that is
 * closed under it leaves a doubt, and to make another costs a moment.
 */
const OWN_IDLE_MS = 2_000

/** The connections to one server, all direct or all by way of one proxy. */
export class Peer {
  /** For requests that share connections. */
  readonly agent: Agent
  /** For one that has its own. */
  readonly newConnection: NonNullable<ClientRequestArgs['createConnection']>
  readonly #shared: Ahead
  readonly #own: Ahead
  #underWay = 0
  readonly #waiting: (() => void)[] = []

  /** @param open makes a new connection, where no idle one is left */
  constructor(open: () => Promise<Socket>) {
    this.#shared = new Ahead(open, IDLE_MS)
    this.#own = new Ahead(open, OWN_IDLE_MS)
    this.agent = new Connections(() => this.#shared.take())
    this.newConnection = (_, opened) => {
      // While the answer before it was read, nothing was heard of a connection that waits.
      deliver(
        afterATurn().then(() => this.#own.take()),
        opened,
      )
      return undefined
    }
  }

  /** Opens a connection for the next request that needs a new one; with `own`, for the next that has its own. */
  openAhead({ own }: { readonly own: boolean }): void {
    const ahead = own ? this.#own : this.#shared
    ahead.open()
  }

  /** Does the work, which is one exchange, as soon as not too many others are under way. */
  async inTurn(work: () => Promise<unknown>): Promise<void> {
    if (this.#underWay < MOST_AT_ONCE) this.#underWay += 1
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      await work()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#underWay -= 1
      else next()
    }
  }

  /** Ends the connections that stand. */
  close(): void {
    this.#shared.close()
    this.#own.close()
    this.agent.destroy()
  }
}

/** At most one connection that is opened before anybody needs it. It keeps no process alive while it waits. */
class Ahead {
  readonly #open: () => Promise<Socket>
  readonly #idleMs: number
  #waiting: Promise<Socket> | undefined

  constructor(open: () => Promise<Socket>, idleMs: number) {
    this.#open = open
    this.#idleMs = idleMs
  }

  /** Opens it, unless there is one. One that failed before it was taken is as none. */
  open(): void {
    if (this.#waiting !== undefined) return
    const opening = this.#open().then((socket) => waiting(socket, this.#idleMs))
    this.#waiting = opening
    opening.catch(() => {
      if (this.#waiting === opening) this.#waiting = undefined
    })
  }

  /** That one, even if it is still being made; a new one if it was closed, waited for too long, or got what nobody asked for. */
  async take(): Promise<Socket> {
    const opening = this.#waiting
    if (opening === undefined) return this.#open()
    this.#waiting = undefined
    const socket = await opening
    return socket.destroyed ? this.#open() : taken(socket)
  }

  close(): void {
    this.#waiting?.then(
      (socket) => socket.destroy(),
      () => undefined,
    )
    this.#waiting = undefined
  }
}

/** Resolves after so many turns of the event loop; the first is the rest of this one. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

/** Resolves when all that came so far was read. */
async function afterATurn(): Promise<void> {
  await turns(2)
}

/** What ends a connection while it waits: its end, its time, and what nobody asked for. */
const ENDS = ['data', 'end', 'timeout'] as const

async function waiting(socket: Socket, idleMs: number): Promise<Socket> {
  // It is destroyed then, which is all there is to know.
  socket.on('error', () => undefined)
  for (const event of ENDS) socket.on(event, destroyIt)
  socket.setTimeout(idleMs).unref()
  await afterATurn()
  return socket
}

function taken(socket: Socket): Socket {
  for (const event of ENDS) socket.off(event, destroyIt)
  return socket.setTimeout(0).ref()
}

type Opened = (error: Error | null, connection: Duplex) => void

function deliver(opening: Promise<Duplex>, opened?: Opened): void {
  opening.then(
    (connection) => {
      opened?.(null, connection)
    },
    (error: unknown) => {
      // Node looks at the error only.
      opened?.(TransportError.from(error, false), new Duplex())
    },
  )
}

/** A request gets its connection only when that stands, and never one on which something came that nobody asked for. */
class Connections extends Agent {
  readonly #open: () => Promise<Duplex>

  constructor(open: () => Promise<Duplex>) {
    super({ keepAlive: true, timeout: IDLE_MS })
    this.#open = open
    this.on('free', (socket: Duplex) => socket.on('data', destroyIt))
  }

  override reuseSocket(socket: Duplex, request: ClientRequest): void {
    socket.off('data', destroyIt)
    super.reuseSocket(socket, request)
  }

  override createConnection(_: ClientRequestArgs, opened?: Opened): undefined {
    deliver(this.#open(), opened)
  }
}

function destroyIt(this: Duplex): void {
  this.destroy()
}
