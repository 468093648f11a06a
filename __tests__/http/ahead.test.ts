import type { Socket } from 'node:net'
import { expect, jest, test } from '@jest/globals'
import { startProxy } from './proxy-server.ts'
import {
  closedPort,
  fixture,
  Gate,
  openHttp,
  rejection,
  startScripted,
  startSecure,
  startTcp,
} from './scripted-server.ts'

jest.setTimeout(20_000)

/*
 * Connections that are opened before the request that needs them.
 */

const ANSWER = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: keep-alive\r\n\r\n{}'
const UNASKED = ANSWER.replace('200 OK', '409 Conflict')

/** One connection, as the server sees it. */
interface Seen {
  readonly socket: Socket
  /** All that was sent on it. */
  text: string
  readonly closed: Promise<unknown>
}

/** A server that answers whatever it gets; `come` resolves when so many connections were made. */
async function startCounting(greet: (seen: Seen, number: number) => void = () => undefined): Promise<{
  readonly url: string
  readonly seen: Seen[]
  readonly come: (count: number) => Promise<void>
}> {
  const seen: Seen[] = []
  const gates = Array.from({ length: 4 }, () => new Gate())
  const url = await startTcp((socket) => {
    const one = { socket, text: '', closed: new Promise((resolve) => socket.once('close', resolve)) }
    socket.on('data', (bytes) => {
      one.text += String(bytes)
      // In two pieces, of which the client hears one by one.
      socket.write(ANSWER.slice(0, -1))
      setImmediate(() => setImmediate(() => socket.write(ANSWER.slice(-1))))
    })
    greet(one, seen.push(one))
    gates[seen.length - 1]?.open()
  })
  const come = async (count: number): Promise<void> => gates[count - 1]?.opened
  return { url, seen, come }
}

const KINDS = [
  ['the next request', false],
  ['the next request with a connection of its own', true],
] as const

test.each(KINDS)('%s uses the connection that was opened for it', async (_, own) => {
  const { url, seen, come } = await startCounting()
  const http = openHttp()
  http.openAhead(url, { own })
  http.openAhead(url, { own })
  await come(1)
  expect(seen).toMatchObject([{ text: '' }])
  expect(await http.send({ method: 'POST', url, body: '{}', ownConnection: own })).toMatchObject({
    status: 200,
  })
  expect(seen).toHaveLength(1)
})

test.each(KINDS)('%s waits for the connection that is being made for it', async (_, own) => {
  const { url, seen } = await startCounting()
  const http = openHttp()
  http.openAhead(url, { own })
  await http.send({ method: 'POST', url, body: '{}', ownConnection: own })
  expect(seen).toMatchObject([{ text: expect.stringMatching(/^POST [^]*\{\}$/) }])
})

test('no other request uses the connection that waits for one of its own', async () => {
  const { url, seen, come } = await startCounting()
  const http = openHttp()
  http.openAhead(url, { own: true })
  await come(1)
  await http.send({ method: 'GET', url })
  await http.send({ method: 'POST', url, body: '{}', ownConnection: true })
  await http.send({ method: 'GET', url })
  expect(seen).toHaveLength(2)
  expect(seen[0]?.text).toMatch(/^POST [^]*\r\nconnection: close\r\n[^]*\{\}$/i)
  expect(seen[1]?.text).not.toContain('POST')
})

test('a second request with a connection of its own gets another one', async () => {
  const { url, seen } = await startCounting()
  const http = openHttp()
  http.openAhead(url, { own: true })
  const bodies = ['{"a":1}', '{"b":2}']
  await Promise.all(bodies.map(async (body) => http.send({ method: 'POST', url, body, ownConnection: true })))
  expect(seen.map(({ text }) => text.slice(-7)).sort()).toEqual(bodies)
})

test.each(KINDS)('where the server has closed it, %s makes another one, and is sent once', async (_, own) => {
  const { url, seen, come } = await startCounting(({ socket }, number) => {
    if (number === 1) socket.end()
  })
  const http = openHttp()
  http.openAhead(url, { own })
  await come(1)
  await seen[0]?.closed
  expect(await http.send({ method: 'POST', url, body: '{}', ownConnection: own })).toMatchObject({
    status: 200,
  })
  expect(seen.map(({ text }) => text.length > 0)).toEqual([false, true])
})

test.each([
  ['closes', (socket: Socket) => socket.destroy()],
  ['resets', (socket: Socket) => socket.resetAndDestroy()],
  ['answers on', (socket: Socket) => socket.write(UNASKED)],
])('a server that %s it while the step is busy is noticed before the trigger is written', async (_, end) => {
  const { url, seen, come } = await startCounting()
  const http = openHttp()
  http.openAhead(url, { own: true })
  await come(1)
  // The connection stands for the client as well by then.
  await http.send({ method: 'GET', url })
  if (seen[0] !== undefined) end(seen[0].socket)
  const answer = await http.send({ method: 'POST', url, body: '{}', ownConnection: true })
  expect(answer).toMatchObject({ status: 200 })
  expect(seen.map(({ text }) => text.includes('POST'))).toEqual([false, false, true])
})

test.each(KINDS)('what the server sends before it was asked is no answer to %s', async (_, own) => {
  for (const isWaitedFor of [true, false]) {
    const { url, seen, come } = await startCounting(({ socket }, number) => {
      if (number === 1) socket.write(UNASKED)
    })
    const http = openHttp()
    http.openAhead(url, { own })
    if (isWaitedFor) {
      await come(1)
      await seen[0]?.closed
    }
    const answer = await http.send({ method: 'POST', url, body: '{}', ownConnection: own })
    expect(answer).toMatchObject({ status: 200 })
    expect(seen.map(({ text }) => text.length > 0)).toEqual([false, true])
  }
})

test('one that waits for too long is closed, sooner if its request must not be sent twice; an answer may take longer', async () => {
  const order: string[] = []
  const { url, seen, come } = await startCounting()
  const http = openHttp()
  http.openAhead(url, { own: true })
  await come(1)
  http.openAhead(url)
  await come(2)
  const slow = new Gate()
  const late = await startTcp((socket) => {
    socket.once('data', () => void slow.opened.then(() => socket.write(ANSWER)))
  })
  for (const own of [true, false]) http.openAhead(late, { own })
  const sending = [true, false].map(async (ownConnection) =>
    http.send({ method: 'POST', url: late, body: '{}', ownConnection }),
  )
  await Promise.all(
    ['own', 'shared'].map(async (name, index) => {
      await seen[index]?.closed
      order.push(name)
    }),
  )
  slow.open()
  expect(order).toEqual(['own', 'shared'])
  expect(await Promise.all(sending)).toMatchObject([{ status: 200 }, { status: 200 }])
  for (const ownConnection of [true, false]) {
    expect(await http.send({ method: 'POST', url, body: '{}', ownConnection })).toMatchObject({ status: 200 })
  }
  expect(seen.map(({ text }) => text.length > 0)).toEqual([false, false, true, true])
})

test.each(KINDS)('where nobody listens, it is %s that says so', async (_, own) => {
  const url = `http://127.0.0.1:${await closedPort()}`
  const http = openHttp()
  http.openAhead(url, { own })
  await expect(http.send({ method: 'POST', url, body: '{}', ownConnection: own })).rejects.toMatchObject({
    message: 'the connection was refused',
    sent: false,
  })
})

test.each(KINDS)('where it could not be made, %s tries again', async (_, own) => {
  const { url, seen, come } = await startCounting(({ socket }, number) => {
    if (number === 1) socket.resetAndDestroy()
  })
  const http = openHttp()
  // No TLS is spoken there.
  http.openAhead(url.replace('http:', 'https:'), { own })
  await come(1)
  await seen[0]?.closed
  // There and back: what came before it was heard.
  await http.send({ method: 'GET', url })
  const asked = http.send({
    method: 'POST',
    url: url.replace('http:', 'https:'),
    body: '{}',
    ownConnection: own,
  })
  await expect(asked).rejects.toMatchObject({
    message: 'the server does not speak TLS there; is it http:// or another port?',
    sent: false,
  })
  expect(seen).toHaveLength(3)
})

test.each(KINDS)('%s is ended while it waits for a connection, and nothing is sent', async (_, own) => {
  const accepted = new Gate()
  const closed = new Gate()
  let bytes = ''
  const url = await startTcp((socket) => {
    socket.on('data', (chunk) => (bytes += chunk.toString('latin1')))
    socket.once('close', () => {
      closed.open()
    })
    accepted.open()
  })
  const secure = url.replace('http:', 'https:')
  const http = openHttp()
  http.openAhead(secure, { own })
  await accepted.opened
  const controller = new AbortController()
  const { signal } = controller
  const sending = http.send({ method: 'POST', url: secure, body: '{}', ownConnection: own, signal })
  const reason = new Error('cancelled')
  controller.abort(reason)
  expect(await rejection(sending)).toBe(reason)
  http.close()
  await closed.opened
  expect(bytes).not.toContain('POST')
})

test('the end of the step ends what waits and what is being made', async () => {
  const { url, seen, come } = await startCounting()
  const http = openHttp()
  http.openAhead(url)
  http.openAhead(url, { own: true })
  await come(2)
  http.openAhead(url.replace('http:', 'https:'))
  await come(3)
  const since = performance.now()
  http.close()
  await Promise.all(seen.map(({ closed }) => closed))
  // Sooner than any would have waited.
  expect(performance.now() - since).toBeLessThan(1_900)
  http.openAhead(url)
  expect(await rejection(http.send({ method: 'GET', url }))).toMatchObject({ code: 'CLOSED', sent: false })
  expect(seen.map(({ text }) => text.includes('HTTP'))).toEqual([false, false, false])
})

test.each(KINDS)('the end of the step ends the connection that %s is about to get', async (_, own) => {
  const { url, seen, come } = await startCounting()
  const http = openHttp()
  http.openAhead(url, { own })
  await come(1)
  const sending = rejection(http.send({ method: 'POST', url, body: '{}', ownConnection: own }))
  http.close()
  expect(await sending).toMatchObject({ code: 'CLOSED', sent: false })
  await seen[0]?.closed
  expect(seen).toMatchObject([{ text: '' }])
})

test('a connection that waits keeps no process alive, and one that is used does', async () => {
  const active = (): number =>
    process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length
  const { url, seen, come } = await startCounting(({ socket }) => socket.unref())
  const before = active()
  const http = openHttp()
  http.openAhead(url)
  await come(1)
  while (active() > before) await new Promise((resolve) => setImmediate(resolve))
  const sending = http.send({ method: 'GET', url })
  while (active() === before) await new Promise((resolve) => setImmediate(resolve))
  await sending
  expect(seen).toHaveLength(1)
})

test('through a proxy one tunnel is made for the request', async () => {
  const { url, requests } = await startSecure(() => ({}))
  const proxy = await startProxy()
  process.env['HTTPS_PROXY'] = `http://127.0.0.1:${proxy.port}`
  const http = openHttp({}, [fixture('authority')])
  http.openAhead(url, { own: true })
  await http.send({ method: 'POST', url, body: '{}', ownConnection: true })
  expect(requests).toHaveLength(1)
  expect(proxy.asked).toHaveLength(1)
})

test("a proxy's variable that is no address is told by the request", async () => {
  const { url } = await startScripted(() => ({}))
  process.env['HTTPS_PROXY'] = '::'
  const http = openHttp()
  const secure = url.replace('http:', 'https:')
  http.openAhead(secure)
  expect(await rejection(http.send({ method: 'GET', url: secure }))).toMatchObject({ code: 'PROXY' })
})
