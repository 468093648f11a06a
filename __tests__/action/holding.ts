import { createServer, request as forward, type IncomingMessage, type ServerResponse } from 'node:http'

export interface Holding {
  readonly url: string
  /** What arrived while something else was waited for, as "METHOD /path". */
  readonly strays: readonly string[]
  /** How many rounds are through. */
  readonly rounds: number
  close(): Promise<void>
}

/**
 * A gateway that answers a request only when all of its round are in flight, so that those that are sent one after the
 * other never get an answer. What belongs to no round is passed on at once, and noted until the last round is through.
 *
 * @param rounds for each round, how each of its requests begins: "METHOD /path"
 */
export async function holdRounds(target: string, rounds: readonly (readonly RegExp[])[]): Promise<Holding> {
  const strays: string[] = []
  const held: { readonly named: string; readonly pass: () => void }[] = []
  let through = 0
  const gateway = createServer((request, response) => {
    const named = `${request.method ?? ''} ${request.url ?? ''}`
    const round = rounds[through]
    if (round?.some((each) => each.test(named)) !== true) {
      if (round !== undefined) strays.push(named)
      passOn(target, request, response)
      return
    }
    held.push({ named, pass: () => passOn(target, request, response) })
    if (!round.every((each) => held.some(({ named }) => each.test(named)))) return
    through += 1
    for (const { pass } of held.splice(0)) pass()
  })
  await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve))
  const address = gateway.address()
  if (typeof address !== 'object' || address === null) throw new Error('The gateway has no port.')
  return {
    url: `http://127.0.0.1:${address.port}`,
    strays,
    get rounds() {
      return through
    },
    close: async () => {
      gateway.closeAllConnections()
      await new Promise((resolve) => gateway.close(resolve))
    },
  }
}

export function passOn(target: string, request: IncomingMessage, response: ServerResponse): void {
  const { method, url = '/', headers } = request
  const onward = forward(new URL(url, target), { method, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers)
    answer.pipe(response)
  })
  request.pipe(onward)
}
