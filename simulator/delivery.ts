import type { IncomingMessage, ServerResponse } from 'node:http'
import { html, type Answer } from './answers.ts'
import type { SimulatorClock } from './clock.ts'
import type { FaultAction } from './faults.ts'

export interface Delivery {
  /** Does what was asked, and gives what the server would say. */
  readonly answer: () => Promise<Answer>
  readonly fault: FaultAction | undefined
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly clock: SimulatorClock
  /** Gets the status that was really sent. */
  readonly record: { status?: number }
}

/** Sends the answer, or what a fault makes of it. */
export async function deliver(delivery: Delivery): Promise<void> {
  const { answer, fault, request, response, clock, record } = delivery
  switch (fault?.kind) {
    case undefined:
    case 'refuse':
    case 'too-busy':
    case 'too-busy-forever':
    case 'no-slot':
    case 'not-dispatched':
    case 'not-tagged':
    case 'about-another':
      send(delivery, await answer())
      return
    case 'answer': {
      if (fault.work) await answer()
      const { status, body = '', contentType = 'application/json', headers = {} } = fault
      send(delivery, { status, body, contentType, headers })
      return
    }
    case 'html':
      if (fault.work) await answer()
      send(delivery, html(fault.status ?? 502))
      return
    case 'redirect':
      send(delivery, {
        status: fault.status ?? 307,
        body: '',
        contentType: 'text/plain',
        headers: { location: fault.location },
      })
      return
    case 'delay': {
      const real = await answer()
      await clock.sleep(fault.seconds * 1000)
      send(delivery, real)
      return
    }
    case 'reset':
      if (fault.when === 'after-work') await answer()
      request.socket.resetAndDestroy()
      return
    case 'hang':
      if (fault.work) await answer()
      return
    case 'cut':
      cut(delivery, fault.work === false ? html() : await answer())
      return
    case 'endless-body':
      record.status = 200
      await endless(response, fault.megabytes ?? 4096)
      return
    case 'slow-body':
      await slowly(delivery, await answer(), fault.bytes ?? 1, fault.pauseMs ?? 100)
      return
  }
}

function head({ response, record, clock }: Delivery, answer: Answer): void {
  record.status = answer.status
  response.writeHead(answer.status, {
    // The clock by which runs are dated; Node would send the machine's.
    date: new Date(clock.now()).toUTCString(),
    'content-type': answer.contentType,
    'content-length': Buffer.byteLength(answer.body),
    ...answer.headers,
  })
}

function send(delivery: Delivery, answer: Answer): void {
  if (delivery.response.destroyed) return
  head(delivery, answer)
  delivery.response.end(answer.body)
}

/** Half of the body under the length of the whole, then the connection is gone. */
function cut(delivery: Delivery, answer: Answer): void {
  const { response } = delivery
  head(delivery, answer)
  const bytes = Buffer.from(answer.body)
  response.write(bytes.subarray(0, Math.ceil(bytes.length / 2)), () => {
    response.destroy()
  })
}

async function slowly(delivery: Delivery, answer: Answer, bytes: number, pauseMs: number): Promise<void> {
  const { response } = delivery
  head(delivery, answer)
  const body = Buffer.from(answer.body)
  for (let at = 0; at < body.length && !response.destroyed; at += bytes) {
    response.write(body.subarray(at, at + bytes))
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
  response.end()
}

const MEGABYTE = 1024 * 1024

/** A JSON string without an end; ends when the client has had enough, or after so many megabytes. */
async function endless(response: ServerResponse, megabytes: number): Promise<void> {
  response.writeHead(200, { 'content-type': 'application/json' })
  response.write('"')
  const chunk = 'x'.repeat(MEGABYTE)
  for (let sent = 0; sent < megabytes && !response.destroyed; sent++) {
    if (response.write(chunk)) continue
    await new Promise<void>((resolve) => {
      response.once('drain', resolve)
      response.once('close', resolve)
    })
  }
  response.destroy()
}
