import type { ClientRequest, IncomingMessage } from 'node:http'
import { proxyRefusal, TransportError } from './transport-error.ts'

/** A complete answer of any status. Header names are lower case. */
export interface HttpAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

/** Collects one answer, and knows whether the request had begun to leave this machine. */
export class Exchange {
  readonly answer: Promise<HttpAnswer>
  /** From when a connection stands and the request is about to be written to it: it may have arrived. */
  sent = false
  isOver = false
  readonly #bodyBytes: number
  #request: ClientRequest | undefined
  #resolve!: (answer: HttpAnswer) => void
  #reject!: (reason: unknown) => void

  constructor(bodyBytes: number) {
    this.#bodyBytes = bodyBytes
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  /**
   * Takes over a request that waits for its connection.
   *
   * @param isOfProxy whether a proxy answers for the server
   */
  begin(request: ClientRequest, isOfProxy: boolean): void {
    this.#request = request
    request.once('socket', () => {
      this.sent = true
    })
    request.on('error', this.fail)
    request.once('response', (response) => {
      if (isOfProxy && response.statusCode === 407) this.abort(proxyRefusal(407, this.sent))
      else this.#read(response)
    })
    // The server wants to speak something else.
    request.once('upgrade', () => {
      this.abort(TransportError.from({ code: 'ECONNRESET' }, true))
    })
  }

  /** Ends the exchange for a reason of ours; nothing that arrives later counts, and nothing leaves any more. */
  abort(reason: unknown): void {
    this.isOver = true
    this.#reject(reason)
    this.#request?.destroy()
  }

  /** Ends it for what Node says of it. */
  readonly fail = (error: unknown): void => {
    this.isOver = true
    this.#reject(TransportError.from(error, this.sent))
    this.#request?.destroy()
  }

  #read(response: IncomingMessage): void {
    // A number, if it is there, or Node would have refused the answer.
    const announced = Number(response.headers['content-length'] ?? 0)
    const body = new GrowingBuffer(Math.min(announced, this.#bodyBytes))
    if (announced > LARGE_BYTES) void keepYoungGenerationSmall()
    response.on('data', (chunk: Buffer) => {
      if (body.length + chunk.length <= this.#bodyBytes) {
        body.add(chunk)
        return
      }
      const limit = `${this.#bodyBytes / 1024 / 1024} MB`
      this.abort(new TransportError('TOO_LARGE', `the answer is larger than ${limit}`, true, true))
    })
    response.on('error', this.fail)
    response.once('end', () => {
      const { statusCode: status = 0, headers } = response
      this.isOver = true
      this.#resolve({ status, headers, body: body.take() })
    })
  }
}

/** From how many bytes on the memory that parsing an answer takes is worth a little processor time. */
const LARGE_BYTES = 1024 * 1024

/**
 * Parsing a large answer would make V8's young generation grow to 32 MiB, which it then keeps for hours of waiting. From
 * now on it keeps its size, and what survives moves to the old generation sooner. V8 reads this flag whenever the young
 * generation is about to grow (heap/new-spaces.cc, `NewSpace::Grow`), so it may be set at any time.
 */
async function keepYoungGenerationSmall(): Promise<void> {
  const { setFlagsFromString } = await import('node:v8')
  setFlagsFromString('--semi-space-growth-factor=1')
}

/** Bytes that come in chunks: a chunk by itself, however short, would hold on to all that was read with it. */
class GrowingBuffer {
  length = 0
  #bytes: Buffer

  /** @param expected how many; more grow it */
  constructor(expected: number) {
    this.#bytes = Buffer.allocUnsafeSlow(expected)
  }

  add(chunk: Buffer): void {
    const length = this.length + chunk.length
    if (length > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(length, 2 * this.#bytes.length))
      this.#bytes.copy(larger)
      this.#bytes = larger
    }
    chunk.copy(this.#bytes, this.length)
    this.length = length
  }

  /** The text, once: Node keeps what listened to an answer for a while, and megabytes with it. */
  take(): string {
    const text = this.#bytes.toString('utf8', 0, this.length)
    this.#bytes = Buffer.alloc(0)
    return text
  }
}
