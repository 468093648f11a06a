import { createServer } from 'node:http'
import { connect } from 'node:net'
import { expect, test } from '@jest/globals'
import { TransportError } from '../../src/zenml/errors.ts'
import { closedPort, Gate, listen, openHttp, rejection, startScripted } from './scripted-server.ts'

interface Proxy {
  readonly port: number
  /** What it was asked for: `CONNECT host:port` or a method with an address. */
  readonly asked: string[]
  readonly credentials: (string | undefined)[]
}

/** A proxy that forwards; with `answer` it says that to CONNECT instead; `gate` holds the tunnel back. */
async function startProxy({
  answer,
  gate,
}: { answer?: string; gate?: () => Promise<void> } = {}): Promise<Proxy> {
  const asked: string[] = []
  const credentials: (string | undefined)[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    response.writeHead(500).end()
  })
  server.on('connect', (request, client) => {
    asked.push(`CONNECT ${request.url}`)
    credentials.push(request.headers['proxy-authorization'])
    client.on('error', () => client.destroy())
    if (answer !== undefined) {
      client.end(`HTTP/1.1 ${answer}\r\ncontent-length: 0\r\n\r\n`)
      return
    }
    const [host = '', port = ''] = (request.url ?? '').split(':')
    const tunnel = async (): Promise<void> => {
      await gate?.()
      const target = connect(Number(port), host, () => {
        client.write('HTTP/1.1 200 Connection Established\r\n\r\n')
        client.pipe(target).pipe(client)
      })
      target.on('error', () => client.destroy())
      client.on('close', () => target.destroy())
    }
    void tunnel()
  })
  return { port: await listen(server), asked, credentials }
}

async function failure(promise: Promise<unknown>): Promise<TransportError> {
  const error = await rejection(promise)
  if (!(error instanceof TransportError)) throw error
  return error
}

test.each(['HTTP_PROXY', 'http_proxy'])('a plain address is reached through %s', async (variable) => {
  const target = await startScripted(() => ({ body: { here: true } }))
  const proxy = await startProxy()
  process.env[variable] = `http://user:pa%20ss@127.0.0.1:${proxy.port}`
  const answer = await openHttp().send({ method: 'GET', url: `${target.url}/x` })
  expect(answer).toMatchObject({ status: 200, body: '{"here":true}' })
  expect(target.requests.map(({ path }) => path)).toEqual(['/x'])
  expect(proxy.asked).toEqual([`CONNECT ${new URL(target.url).host}`])
  expect(proxy.credentials).toEqual([`Basic ${Buffer.from('user:pa ss').toString('base64')}`])
})

test.each(['127.0.0.1', '*', 'elsewhere.example,127.0.0.1'])(
  'NO_PROXY=%s goes around the proxy',
  async (hosts) => {
    const target = await startScripted(() => ({}))
    const proxy = await startProxy()
    process.env['HTTP_PROXY'] = `http://127.0.0.1:${proxy.port}`
    process.env['NO_PROXY'] = hosts
    expect((await openHttp().send({ method: 'GET', url: target.url })).status).toBe(200)
    expect(proxy.asked).toEqual([])
  },
)

test('NO_PROXY of another host changes nothing', async () => {
  const target = await startScripted(() => ({}))
  const proxy = await startProxy()
  process.env['HTTP_PROXY'] = `http://127.0.0.1:${proxy.port}`
  process.env['NO_PROXY'] = 'elsewhere.example'
  await openHttp().send({ method: 'GET', url: target.url })
  expect(proxy.asked).toHaveLength(1)
})

test.each([
  ['407', '407 Proxy Authentication Required'],
  ['502', '502 Bad Gateway'],
  ['403', '403 Forbidden'],
])('a proxy that answers %s to CONNECT is named, and nothing was sent', async (status, answer) => {
  const proxy = await startProxy({ answer })
  process.env['HTTPS_PROXY'] = `http://user:pass-word@127.0.0.1:${proxy.port}`
  const sending = openHttp().send({
    method: 'POST',
    url: 'https://zenml.example.com/api/v1/login',
    body: 'x',
  })
  const error = await failure(sending)
  expect(error).toMatchObject({ code: 'PROXY', sent: false })
  expect(error.message).toBe(`the proxy refused the connection with status ${status}`)
  expect(proxy.asked).toEqual(['CONNECT zenml.example.com:443'])
})

test('a proxy that is not there means that nothing was sent, and its password is not shown', async () => {
  process.env['HTTPS_PROXY'] = `http://user:pass-word@127.0.0.1:${await closedPort()}`
  const error = await failure(openHttp().send({ method: 'GET', url: 'https://zenml.example.com/' }))
  expect(error).toMatchObject({
    sent: false,
    message: 'the connection was refused; check server-url, and that the server runs',
  })
  expect(`${error.message} ${error.stack}`).not.toMatch(/pass-word|user:/)
})

test('a request that was cancelled while the connection was made is never sent', async () => {
  const target = await startScripted(() => ({}))
  const tunnelAsked = new Gate()
  const tunnelGranted = new Gate()
  const proxy = await startProxy({
    gate: async () => {
      tunnelAsked.open()
      await tunnelGranted.opened
    },
  })
  process.env['HTTP_PROXY'] = `http://127.0.0.1:${proxy.port}`
  const http = openHttp()
  const cancel = new AbortController()
  const reason = new Error('cancelled')
  const outcome = rejection(http.send({ method: 'POST', url: target.url, body: '{}', signal: cancel.signal }))
  await tunnelAsked.opened
  cancel.abort(reason)
  expect(await outcome).toBe(reason)
  tunnelGranted.open()
  await http.send({ method: 'GET', url: target.url })
  expect(target.requests.map(({ method }) => method)).toEqual(['GET'])
})

test('a request that ran out of time while the connection was made is never sent', async () => {
  const target = await startScripted(() => ({}))
  const tunnelGranted = new Gate()
  const proxy = await startProxy({ gate: () => tunnelGranted.opened })
  process.env['HTTP_PROXY'] = `http://127.0.0.1:${proxy.port}`
  const http = openHttp()
  const error = await failure(http.send({ method: 'POST', url: target.url, body: '{}', timeoutMs: 50 }))
  expect(error).toMatchObject({ code: 'TIMEOUT', sent: false })
  tunnelGranted.open()
  await http.send({ method: 'GET', url: target.url })
  expect(target.requests.map(({ method }) => method)).toEqual(['GET'])
})

test('a proxy written without a scheme is an http proxy, as for curl', async () => {
  const target = await startScripted(() => ({}))
  const proxy = await startProxy()
  process.env['HTTP_PROXY'] = `127.0.0.1:${proxy.port}`
  expect((await openHttp().send({ method: 'GET', url: target.url })).status).toBe(200)
  expect(proxy.asked).toHaveLength(1)
})

test.each(['HTTP_PROXY', 'https_proxy'])(
  'a %s that is no address is named, but not shown',
  async (variable) => {
    process.env[variable] = 'http://us er:pass-word@proxy:port'
    const error = await rejection(
      (async () => openHttp().send({ method: 'GET', url: 'https://127.0.0.1/' }))(),
    )
    expect(error).toMatchObject({ code: 'PROXY', sent: false, permanent: true })
    expect(String(error)).toContain(variable)
    expect(String(error)).not.toContain('pass-word')
  },
)
