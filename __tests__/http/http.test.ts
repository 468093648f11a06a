import type { Socket } from 'node:net'
import { expect, test } from '@jest/globals'
import { TransportError } from '../../src/http/transport-error.ts'
import { USER_AGENT } from '../../src/http/user-agent.ts'
import { Http } from '../../src/http/http.ts'
import {
  closeAfterTest,
  closedPort,
  Gate,
  openHttp,
  rejection,
  RESET,
  startHttp,
  startScripted,
  startTcp,
} from './scripted-server.ts'

const KEY = 'ZENKEY_secret'
const HEADERS = { authorization: `Bearer ${KEY}` }

async function failure(promise: Promise<unknown>): Promise<TransportError> {
  const error = await rejection(promise)
  if (!(error instanceof TransportError)) throw error
  return error
}

test('the server sees the user agent with our version, JSON accepted, the method, the path and the body', async () => {
  const { url, requests } = await startScripted(() => ({
    status: 201,
    body: { a: 'ü' },
    headers: { 'X-A': 'b' },
  }))
  const http = new Http(USER_AGENT)
  closeAfterTest(() => http.close())
  const answer = await http.send({ method: 'POST', url: `${url}/prefix/api/v1/x?a=1&b=%20`, body: '{"ü":1}' })
  expect(answer).toMatchObject({ status: 201, headers: { 'x-a': 'b' }, body: '{"a":"ü"}' })
  expect(requests).toMatchObject([
    {
      method: 'POST',
      path: '/prefix/api/v1/x?a=1&b=%20',
      headers: { 'user-agent': USER_AGENT, accept: 'application/json' },
      body: '{"ü":1}',
    },
  ])
})

test('headers of a request are added to our own', async () => {
  const { url, requests } = await startScripted(() => ({}))
  await openHttp().send({ method: 'PUT', url, headers: { authorization: 'Bearer t', accept: 'text/plain' } })
  expect(requests[0]).toMatchObject({
    method: 'PUT',
    headers: { authorization: 'Bearer t', accept: 'text/plain', 'user-agent': 'test-agent/1' },
  })
})

test.each([200, 204, 401, 404, 429, 500, 503])(
  'an answer with status %i is given and not judged',
  async (status) => {
    const { url } = await startScripted(() => ({ status }))
    expect(await openHttp().send({ method: 'GET', url })).toMatchObject({ status, body: '' })
  },
)

test('a body that arrives in pieces, cut inside a character, is put together', async () => {
  const { url } = await startHttp((_request, response) => {
    const bytes = Buffer.from('"Zürich 🚀"')
    response.write(bytes.subarray(0, 3))
    response.write(bytes.subarray(3, 12))
    response.end(bytes.subarray(12))
  })
  expect((await openHttp().send({ method: 'GET', url })).body).toBe('"Zürich 🚀"')
})

test('where nobody listens, nothing was sent', async () => {
  const error = await failure(
    openHttp().send({ method: 'GET', url: `http://127.0.0.1:${await closedPort()}` }),
  )
  expect(error).toMatchObject({
    code: 'ECONNREFUSED',
    message: 'the connection was refused',
    sent: false,
    permanent: false,
  })
})

test('a name of several addresses that all refuse is a refusal, too', async () => {
  const error = await failure(
    openHttp().send({ method: 'GET', url: `http://localhost:${await closedPort()}` }),
  )
  expect(error).toMatchObject({
    message: 'the connection was refused',
    sent: false,
  })
})

test('a host whose name is not known is named: with Pro it stands in no input', async () => {
  const error = await failure(openHttp().send({ method: 'GET', url: 'http://zenml.invalid/' }))
  expect(error.message).toMatch(/^the host name zenml\.invalid (is not known|could not be looked up)$/)
  expect(error.sent).toBe(false)
})

test('a reset after the request may have arrived', async () => {
  const { url, requests } = await startScripted(() => RESET)
  const error = await failure(openHttp().send({ method: 'POST', url, body: '{}' }))
  expect(error).toMatchObject({ sent: true, permanent: false })
  expect(error.message).toBe('the connection was closed before the answer was complete')
  expect(requests).toHaveLength(1)
})

test('a connection closed without an answer may have carried the request', async () => {
  const url = await startTcp((socket) => socket.once('data', () => socket.end()))
  expect(await failure(openHttp().send({ method: 'POST', url, body: '{}' }))).toMatchObject({ sent: true })
})

test('a kept connection that dies under the second request counts as sent, and is not used for a silent repeat', async () => {
  let connections = 0
  let requests = 0
  const url = await startTcp((socket) => {
    connections += 1
    socket.on('data', () => {
      requests += 1
      if (requests === 1)
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: keep-alive\r\n\r\n{}')
      else socket.resetAndDestroy()
    })
  })
  const http = openHttp()
  await http.send({ method: 'GET', url })
  // The connection is free again only when the event loop has had its turn.
  await new Promise((resolve) => setImmediate(resolve))
  expect(await failure(http.send({ method: 'POST', url, body: '{}' }))).toMatchObject({ sent: true })
  expect({ connections, requests }).toEqual({ connections: 1, requests: 2 })
})

const ANSWER = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: keep-alive\r\n\r\n{}'

test('a request with a connection of its own is answered there, whatever comes on the others', async () => {
  const sent: string[] = []
  const url = await startTcp((socket) => {
    const number = sent.push('')
    socket.on('data', (bytes) => {
      sent[number - 1] = `${sent[number - 1]}${String(bytes)}`
      socket.write(number === 1 ? ANSWER : ANSWER.replace('{}', '[]'))
    })
  })
  const http = openHttp()
  await http.send({ method: 'GET', url })
  await new Promise((resolve) => setImmediate(resolve))
  const answer = await http.send({ method: 'POST', url, body: '{}', ownConnection: true })
  expect(answer.body).toBe('[]')
  expect(sent).toHaveLength(2)
  expect(sent[1]).toMatch(/^POST [^]*\r\nconnection: close\r\n/i)
})

test('a kept connection on which something comes that nobody asked for is not used again', async () => {
  const sockets: Socket[] = []
  const url = await startTcp((socket) => {
    sockets.push(socket)
    socket.on('data', () => socket.write(ANSWER))
  })
  const http = openHttp()
  await http.send({ method: 'GET', url })
  const [first] = sockets
  const isClosed = new Promise((resolve) => first?.once('close', resolve))
  first?.write(ANSWER.replace('200 OK', '404 Not Found'))
  await isClosed
  expect(await http.send({ method: 'GET', url })).toMatchObject({ status: 200 })
  expect(sockets).toHaveLength(2)
})

test('a kept connection that the server closed while idle is replaced, or the failure counts as sent', async () => {
  const { url, server } = await startHttp((_request, response) => response.end('{}'))
  const http = openHttp()
  await http.send({ method: 'GET', url })
  server.closeAllConnections()
  const second = await http.send({ method: 'GET', url }).then(
    ({ status }) => status,
    (error: unknown) => (error instanceof TransportError ? error.sent : error),
  )
  expect([200, true]).toContain(second)
})

test('a body shorter than announced is no answer', async () => {
  const url = await startTcp((socket) =>
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"id":')),
  )
  const error = await failure(openHttp().send({ method: 'POST', url, body: '{}' }))
  expect(error).toMatchObject({
    sent: true,
    message: 'the connection was closed before the answer was complete',
  })
})

test('a chunked body without its last chunk is no answer', async () => {
  const url = await startTcp((socket) =>
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n')),
  )
  expect(await failure(openHttp().send({ method: 'GET', url }))).toMatchObject({ sent: true })
})

test('bytes that are no HTTP are no answer', async () => {
  const url = await startTcp((socket) => socket.once('data', () => socket.end('SSH-2.0-OpenSSH_9.6\r\n')))
  const error = await failure(openHttp().send({ method: 'GET', url }))
  expect(error.sent).toBe(true)
  expect(error.message).toMatch(/^the connection failed \(\w+\)$/)
})

test('a body that drips for ever ends at the limit of the whole exchange', async () => {
  const { url } = await startHttp((_request, response) => {
    const timer = setInterval(() => response.write(' '), 5)
    response.on('close', () => {
      clearInterval(timer)
    })
  })
  const error = await failure(openHttp({ exchangeMs: 100 }).send({ method: 'GET', url }))
  expect(error).toMatchObject({ code: 'TIMEOUT', sent: true, permanent: false })
  expect(error.message).toBe('no complete answer within 0.1 s')
})

test('a server that accepts and says nothing ends at the limit of the request', async () => {
  const url = await startTcp((socket) => socket.resume())
  const error = await failure(openHttp().send({ method: 'POST', url, body: '{}', timeoutMs: 60 }))
  expect(error).toMatchObject({ code: 'TIMEOUT', sent: true, message: 'no complete answer within 0.06 s' })
})

test('a body above the limit is not read to its end', async () => {
  const closed = new Gate()
  const { url } = await startHttp((_request, response) => {
    const timer = setInterval(() => response.write('x'.repeat(1024)), 1)
    response.on('close', () => {
      clearInterval(timer)
      closed.open()
    })
  })
  const error = await failure(openHttp({ bodyBytes: 512 * 1024 }).send({ method: 'GET', url }))
  expect(error).toMatchObject({ code: 'TOO_LARGE', sent: true, message: 'the answer is larger than 0.5 MB' })
  await closed.opened
})

test('a body of exactly the limit is read', async () => {
  const { url } = await startScripted(() => ({ body: 'x'.repeat(1000) }))
  expect((await openHttp({ bodyBytes: 1000 }).send({ method: 'GET', url })).body).toHaveLength(1000)
})

test.each([301, 302, 303, 307, 308])(
  'a %i redirect is given back, and its target hears nothing',
  async (status) => {
    const target = await startScripted(() => ({}))
    const { url } = await startScripted(() => ({ status, headers: { location: `${target.url}/x` } }))
    const answer = await openHttp().send({ method: 'POST', url, headers: HEADERS, body: '{}' })
    expect(answer).toMatchObject({ status, headers: { location: `${target.url}/x` } })
    expect(target.requests).toEqual([])
  },
)

test('a signal that is aborted already stops the request before it is sent', async () => {
  const { url, requests } = await startScripted(() => ({}))
  const reason = new Error('cancelled')
  const signal = AbortSignal.abort(reason)
  expect(await rejection(openHttp().send({ method: 'POST', url, body: '{}', signal }))).toBe(reason)
  expect(requests).toEqual([])
})

test("a signal that is aborted during the exchange rejects with the signal's own reason and closes the connection", async () => {
  const controller = new AbortController()
  const reason = { kind: 'cancelled' }
  const closed = new Gate()
  const { url } = await startHttp((request) => {
    request.socket.on('close', () => {
      closed.open()
    })
    controller.abort(reason)
  })
  const sending = openHttp().send({ method: 'POST', url, body: '{}', signal: controller.signal })
  expect(await rejection(sending)).toBe(reason)
  await closed.opened
})

test('a signal aborted after the answer changes nothing', async () => {
  const { url } = await startScripted(() => ({}))
  const controller = new AbortController()
  const answer = await openHttp().send({ method: 'GET', url, signal: controller.signal })
  controller.abort()
  expect(answer.status).toBe(200)
})

test('several requests at once each get their own answer', async () => {
  const { url } = await startScripted(({ path }) => ({ body: { path } }))
  const http = openHttp()
  const paths = Array.from({ length: 12 }, (_, index) => `/${index}`)
  const answers = await Promise.all(paths.map((path) => http.send({ method: 'GET', url: `${url}${path}` })))
  expect(answers.map(({ body }) => body)).toEqual(paths.map((path) => JSON.stringify({ path })))
})

test('a closed client cuts the exchange under way', async () => {
  const http = openHttp()
  const { url } = await startHttp(() => {
    http.close()
  })
  expect(await failure(http.send({ method: 'GET', url }))).toMatchObject({ sent: true })
})

test.each([
  ['refused', async () => `http://127.0.0.1:${await closedPort()}`],
  ['reset', async () => (await startScripted(() => RESET)).url],
  ['cut', async () => startTcp((socket) => socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\n')))],
  ['not HTTP', async () => startTcp((socket) => socket.once('data', () => socket.end('nonsense')))],
  ['silent', async () => startTcp((socket) => socket.resume())],
])('the error of a %s exchange holds neither the address nor what was sent', async (_name, start) => {
  const url = new URL(await start())
  url.username = 'somebody'
  url.password = 'pass-word'
  url.pathname = '/path-part'
  url.search = '?token=query-part'
  const sending = openHttp({ exchangeMs: 80 }).send({ method: 'GET', url: url.href, headers: HEADERS })
  const error = await failure(sending)
  expect(`${error.message} ${error.stack}`).not.toMatch(/somebody|pass-word|path-part|query-part|ZENKEY/)
  expect(error.message).not.toContain(url.host)
})

test('a token that no header can hold fails before anything is sent, and is not shown', async () => {
  const { url, requests } = await startScripted(() => ({}))
  const headers = { authorization: 'Bearer tok\nen☃' }
  const error = await failure(openHttp().send({ method: 'GET', url, headers }))
  expect(error.sent).toBe(false)
  expect(String(error)).not.toMatch(/tok|en☃/)
  expect(requests).toEqual([])
})

test('a server that wants to speak something else is no answer', async () => {
  const url = await startTcp((socket) =>
    socket.once('data', () =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'),
    ),
  )
  const error = await failure(openHttp().send({ method: 'POST', url, body: '{}' }))
  expect(error).toMatchObject({
    sent: true,
    message: 'the connection was closed before the answer was complete',
  })
})

test('where TLS is never spoken, nothing was sent, and it is tried for the time that a connection has', async () => {
  const url = (await startTcp((socket) => socket.resume())).replace('http:', 'https:')
  const error = await failure(openHttp({ connectMs: 60 }).send({ method: 'POST', url, body: '{}' }))
  expect(error).toMatchObject({
    sent: false,
    permanent: false,
    message: 'no connection could be made in time',
  })
})

test('a client that is closed while it connects ends that, too, and sends nothing any more', async () => {
  const accepted = new Gate()
  const gone = new Gate()
  const url = await startTcp((socket) => {
    socket.resume().on('close', () => {
      gone.open()
    })
    accepted.open()
  })
  const http = openHttp()
  const sending = failure(http.send({ method: 'POST', url: url.replace('http:', 'https:'), body: '{}' }))
  await accepted.opened
  http.close()
  const message = 'the connections were closed, because the step has ended'
  expect(await sending).toMatchObject({ sent: false, permanent: true, message })
  await gone.opened
  expect(await failure(http.send({ method: 'GET', url }))).toMatchObject({
    sent: false,
    permanent: true,
    message,
  })
})

test('a server is asked for sixteen answers at once, and for the others when one of them has come', async () => {
  let open = 0
  let most = 0
  const all = new Gate()
  const { url } = await startHttp((_request, response) => {
    open += 1
    most = Math.max(most, open)
    if (open === 16) all.open()
    void all.opened.then(() => {
      open -= 1
      response.end('{}')
    })
  })
  const http = openHttp()
  const answers = await Promise.all(Array.from({ length: 40 }, () => http.send({ method: 'GET', url })))
  expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 40 }, () => 200))
  expect(most).toBe(16)
})

test.each(['POST', 'PUT', 'PATCH', 'DELETE'] as const)(
  'one kept connection serves several requests, the body of a %s included',
  async (method) => {
    const connections = new Set<unknown>()
    const bodies: string[] = []
    const { url } = await startHttp((request, response) => {
      connections.add(request.socket)
      request.setEncoding('utf8').on('data', (text: string) => bodies.push(text))
      request.on('end', () => response.end('{}'))
    })
    const http = openHttp()
    for (const body of ['{"a":1}', '{"b":2}', '{"c":3}']) await http.send({ method, url, body })
    expect(bodies).toEqual(['{"a":1}', '{"b":2}', '{"c":3}'])
    expect(connections.size).toBe(1)
  },
)
