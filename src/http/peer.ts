import { Agent, type ClientRequest, type ClientRequestArgs } from 'node:http'
import { Duplex } from 'node:stream'
import { TransportError } from './transport-error.ts'

/** More than a step needs at once, but for one that ends many runs: a server must not be run over by it. */
const MOST_AT_ONCE = 16

/** Servers close an idle connection after five seconds or more, and a request must not meet that. */
const IDLE_MS = 4_000

/** The connections to one server, all direct or all by way of one proxy. */
export class Peer {
  /** For requests that share connections. */
  readonly agent: Agent
  /** For one that has its own. */
  readonly newConnection: NonNullable<ClientRequestArgs['createConnection']>
  #underWay = 0
  readonly #waiting: (() => void)[] = []

  /** @param open makes a new connection, where no idle one is left */
  constructor(open: () => Promise<Duplex>) {
    const connections = new Connections(open)
    this.agent = connections
    this.newConnection = (given, opened) => connections.createConnection(given, opened)
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
    this.agent.destroy()
  }
}

type Opened = (error: Error | null, connection: Duplex) => void

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
    this.#open().then(
      (connection) => {
        opened?.(null, connection)
      },
      (error: unknown) => {
        // Node looks at the error only.
        opened?.(TransportError.from(error, false), new Duplex())
      },
    )
  }
}

function destroyIt(this: Duplex): void {
  this.destroy()
}
