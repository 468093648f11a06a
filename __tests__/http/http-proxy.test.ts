import { expect, test } from '@jest/globals'
import { TransportError } from '../../src/http/transport-error.ts'
import { UnreachableError } from '../../src/zenml/errors.ts'
import { knownToProxy, startProxy } from './proxy-server.ts'
import {
  closedPort,
  fixture,
  Gate,
  openHttp,
  rejection,
  startScripted,
  startSecure,
  startTcp,
  RESET,
} from './scripted-server.ts'

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`

async function failure(promise: Promise<unknown>): Promise<TransportError> {
  const error = await rejection(promise)
  if (!(error instanceof TransportError)) throw error
  return error
}

const trusting = () => openHttp({}, [fixture('authority')])

test.each(['HTTP_PROXY', 'http_proxy'])(
  'a plain address is asked of %s itself, because many proxies tunnel to port 443 only',
  async (variable) => {
    const target = await startScripted(() => ({ body: { here: true } }))
    const proxy = await startProxy()
    process.env[variable] = `http://user:pa%20ss@127.0.0.1:${proxy.port}`
    const answer = await openHttp().send({
      method: 'POST',
      url: `${knownToProxy(target.url)}/x?y=1`,
      body: 'z',
    })
    expect(answer).toMatchObject({ status: 200, body: '{"here":true}' })
    expect(target.requests).toMatchObject([{ method: 'POST', path: '/x?y=1', body: 'z' }])
    expect(target.requests[0]?.headers).not.toHaveProperty('proxy-authorization')
    expect(proxy.asked).toEqual([`POST ${knownToProxy(target.url)}/x?y=1`])
    expect(proxy.credentials).toEqual([basic('user:pa ss')])
  },
)

test.each(['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY'])(
  'a TLS server is reached through a tunnel of %s, which sees nothing of the request',
  async (variable) => {
    const target = await startSecure(() => ({ body: { here: true } }))
    const proxy = await startProxy()
    process.env[variable] = `http://127.0.0.1:${proxy.port}`
    const http = trusting()
    const answer = await http.send({ method: 'GET', url: `${target.url}/x` })
    expect(answer.body).toBe('{"here":true}')
    expect(target.requests.map(({ path }) => path)).toEqual(['/x'])
    expect(proxy.asked).toEqual([`CONNECT ${new URL(target.url).host}`])
    expect(proxy.credentials).toEqual([undefined])
  },
)

test.each([
  ['user:pa%20ss', 'user:pa ss'],
  ['do%5Cmain%40user:p%3Aa%2F%25', 'do\\main@user:p:a/%'],
  ['user:100%', 'user:100%'],
  ['token', 'token:'],
  ['token:', 'token:'],
  [':password', ':password'],
])('the proxy is told who asks: %s', async (given, told) => {
  const target = await startSecure(() => ({}))
  const proxy = await startProxy()
  process.env['HTTPS_PROXY'] = `http://${given}@127.0.0.1:${proxy.port}`
  expect((await trusting().send({ method: 'GET', url: target.url })).status).toBe(200)
  expect(proxy.credentials).toEqual([basic(told)])
})

test('each kind of address has its own proxy and its own password', async () => {
  const [plain, secure] = [await startScripted(() => ({})), await startSecure(() => ({}))]
  const proxy = await startProxy()
  process.env['HTTP_PROXY'] = `http://a:1@127.0.0.1:${proxy.port}`
  process.env['HTTPS_PROXY'] = `http://b:2@127.0.0.1:${proxy.port}`
  const http = trusting()
  await http.send({ method: 'GET', url: knownToProxy(plain.url) })
  await http.send({ method: 'GET', url: secure.url })
  expect(proxy.credentials).toEqual([basic('a:1'), basic('b:2')])
})

test('a proxy that speaks TLS itself is trusted through the same authorities', async () => {
  const target = await startSecure(() => ({ body: { here: true } }))
  const proxy = await startProxy({ certificate: 'leaf' })
  process.env['HTTPS_PROXY'] = `https://user:pass@127.0.0.1:${proxy.port}`
  expect((await trusting().send({ method: 'GET', url: target.url })).body).toBe('{"here":true}')
  expect(proxy.credentials).toEqual([basic('user:pass')])
})

test.each([
  '127.0.0.1',
  '*',
  'elsewhere.example,127.0.0.1',
  'elsewhere.example 127.0.0.0/8',
  '10.0.0.0/8,127.0.0.1/32',
])('NO_PROXY=%s goes around the proxy', async (hosts) => {
  const target = await startSecure(() => ({}))
  const proxy = await startProxy()
  process.env['HTTPS_PROXY'] = `http://127.0.0.1:${proxy.port}`
  process.env['NO_PROXY'] = hosts
  expect((await trusting().send({ method: 'GET', url: target.url })).status).toBe(200)
  expect(proxy.asked).toEqual([])
})

test('a proxy that cannot be used is no hindrance to a host that NO_PROXY names', async () => {
  const target = await startSecure(() => ({}))
  process.env['HTTPS_PROXY'] = 'socks5://127.0.0.1:1'
  process.env['NO_PROXY'] = '127.0.0.1'
  expect((await trusting().send({ method: 'GET', url: target.url })).status).toBe(200)
})

test('an empty no_proxy leaves it to NO_PROXY, as with the other variables', async () => {
  const target = await startSecure(() => ({}))
  const proxy = await startProxy()
  process.env['HTTPS_PROXY'] = `http://127.0.0.1:${proxy.port}`
  process.env['no_proxy'] = ''
  process.env['NO_PROXY'] = '127.0.0.1'
  await trusting().send({ method: 'GET', url: target.url })
  expect(proxy.asked).toEqual([])
})

test.each(['elsewhere.example', '10.0.0.0/8', '127.0.0.1:1', '7.0.0.1', '127.0.0.0/99', '::/0'])(
  'NO_PROXY=%s changes nothing',
  async (hosts) => {
    const target = await startSecure(() => ({}))
    const proxy = await startProxy()
    process.env['HTTPS_PROXY'] = `http://127.0.0.1:${proxy.port}`
    process.env['NO_PROXY'] = hosts
    await trusting().send({ method: 'GET', url: target.url })
    expect(proxy.asked).toHaveLength(1)
  },
)

test.each([
  ['407', '407 Proxy Authentication Required', true],
  ['502', '502 Bad Gateway', false],
  ['403', '403 Forbidden', false],
])('a proxy that answers %s to CONNECT is named, and nothing was sent', async (status, answer, permanent) => {
  const proxy = await startProxy({ answer })
  process.env['HTTPS_PROXY'] = `http://user:pass-word@127.0.0.1:${proxy.port}`
  const sending = openHttp().send({
    method: 'POST',
    url: 'https://zenml.example.com/api/v1/login',
    body: 'x',
  })
  const error = await failure(sending)
  expect(error).toMatchObject({ code: 'PROXY', sent: false, permanent })
  expect(error.message).toContain(`the proxy refused the connection with status ${status}`)
  expect(error.message).not.toMatch(/pass-word|user:/)
  expect(proxy.asked).toEqual(['CONNECT zenml.example.com:443'])
})

test('a proxy that never answers CONNECT is named after the time that a connection may take', async () => {
  const server = await startTcp((socket) => socket.resume())
  process.env['HTTPS_PROXY'] = server
  const http = openHttp({ connectMs: 80, exchangeMs: 60_000 })
  const error = await failure(http.send({ method: 'POST', url: 'https://zenml.example.com/', body: 'x' }))
  expect(error).toMatchObject({ code: 'PROXY', sent: false })
  expect(error.message).toMatch(new RegExp(`^the proxy ${server} \\(HTTPS_PROXY\\) `))
})

test("a proxy that wants another password for a plain address is not taken for the server's 407", async () => {
  const proxy = await startProxy({ answer: '407 Proxy Authentication Required' })
  process.env['HTTP_PROXY'] = `http://user:pass-word@127.0.0.1:${proxy.port}`
  const error = await failure(openHttp().send({ method: 'GET', url: 'http://zenml.example.com/' }))
  // One behind it may have said so, after the request went on.
  expect(error).toMatchObject({ code: 'PROXY', sent: true, permanent: true })
  expect(error.message).toBe(
    "the proxy refused the connection with status 407; the runner's HTTPS_PROXY or HTTP_PROXY needs the right user and password, percent-encoded",
  )
})

test('a proxy that is not there is named, not the server; nothing was sent, and its password is not shown', async () => {
  const port = await closedPort()
  process.env['HTTPS_PROXY'] = `http://user:pass-word@127.0.0.1:${port}`
  const error = await failure(openHttp().send({ method: 'GET', url: 'https://zenml.example.com/' }))
  expect(error).toMatchObject({
    code: 'PROXY',
    sent: false,
    message: `the proxy http://127.0.0.1:${port} (HTTPS_PROXY) refused the connection; check the variable, or name the server in NO_PROXY if it needs no proxy`,
  })
  expect(`${error.message} ${error.stack}`).not.toMatch(/pass-word|user:/)
  expect(new UnreachableError('log in', error).message).toBe(`Could not log in: ${error.message}`)
})

test('a proxy whose name is not known is named as well, by the variable that counts', async () => {
  process.env['http_proxy'] = 'proxy.invalid:3128'
  const error = await failure(openHttp().send({ method: 'GET', url: 'http://zenml.example.com/' }))
  expect(error.sent).toBe(false)
  expect(error.message).toMatch(
    /^the proxy http:\/\/proxy\.invalid:3128 \(http_proxy\) has a host name that (is not known|could not be looked up); /,
  )
})

test('a server behind a proxy that closes the tunnel is not blamed on the proxy', async () => {
  const target = await startSecure(() => RESET)
  const proxy = await startProxy()
  process.env['HTTPS_PROXY'] = `http://127.0.0.1:${proxy.port}`
  const error = await failure(trusting().send({ method: 'GET', url: target.url }))
  expect(error.message).toBe('the connection was closed before the answer was complete')
})

test('a request that was cancelled while the connection was made is never sent', async () => {
  const target = await startSecure(() => ({}))
  const tunnelAsked = new Gate()
  const tunnelGranted = new Gate()
  const proxy = await startProxy({
    gate: async () => {
      tunnelAsked.open()
      await tunnelGranted.opened
    },
  })
  process.env['HTTPS_PROXY'] = `http://127.0.0.1:${proxy.port}`
  const http = trusting()
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
  const target = await startSecure(() => ({}))
  const tunnelGranted = new Gate()
  const proxy = await startProxy({ gate: () => tunnelGranted.opened })
  process.env['HTTPS_PROXY'] = `http://127.0.0.1:${proxy.port}`
  const http = trusting()
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
  expect((await openHttp().send({ method: 'GET', url: knownToProxy(target.url) })).status).toBe(200)
  expect(proxy.asked).toHaveLength(1)
})

test.each([
  ['HTTP_PROXY', 'http://us er:pass-word@proxy:port'],
  ['https_proxy', 'http://user:pass-word#1@proxy:3128'],
  ['HTTPS_PROXY', 'socks5://user:pass-word@proxy:1080'],
])('a %s that is no address of a proxy is named, but not shown', async (variable, value) => {
  process.env[variable] = value
  const error = await failure(openHttp().send({ method: 'GET', url: 'https://127.0.0.1/' }))
  expect(error).toMatchObject({ code: 'PROXY', sent: false, permanent: true })
  expect(String(error)).toContain(variable)
  expect(String(error)).toContain('percent-encoded')
  expect(String(error)).not.toContain('pass-word')
})

test.each(['127.0.0.1', 'localhost', 'LOCALHOST'])(
  'plain http to %s goes to this machine and to no proxy, as it is let through only because of that',
  async (host) => {
    const target = await startScripted(() => ({}))
    const proxy = await startProxy()
    for (const name of ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY'])
      process.env[name] = `http://127.0.0.1:${proxy.port}`
    const url = target.url.replace('127.0.0.1', host)
    expect((await openHttp().send({ method: 'POST', url, body: 'password=x' })).status).toBe(200)
    expect(proxy.asked).toEqual([])
  },
)

test.each(['http://zenml.localhost:8237', 'http://127.0.0.1.example.com'])(
  '%s is no name of this machine for certain, and goes to the proxy',
  async (url) => {
    const proxy = await startProxy({ answer: '403 Forbidden' })
    process.env['HTTP_PROXY'] = `http://127.0.0.1:${proxy.port}`
    await openHttp().send({ method: 'GET', url })
    expect(proxy.asked).toEqual([`GET ${new URL(url).href}`])
  },
)
