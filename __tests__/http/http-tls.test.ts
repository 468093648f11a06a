import { connect } from 'node:net'
import { expect, test } from '@jest/globals'
import { isPassing } from '../../src/zenml/retry.ts'
import { TransportError } from '../../src/http/transport-error.ts'
import { startProxy } from './proxy-server.ts'
import { fixture, openHttp, rejection, startScripted, startSecure, startTcp } from './scripted-server.ts'

async function failure(url: string, ...authorities: string[]): Promise<TransportError> {
  const sending = openHttp({}, authorities.map(fixture)).send({ method: 'POST', url, body: 'password=x' })
  const error = await rejection(sending)
  if (!(error instanceof TransportError)) throw error
  return error
}

test('a server of a private authority is trusted when the authority is given', async () => {
  const { url, requests } = await startSecure(() => ({ body: { here: true } }))
  const http = openHttp({}, [fixture('authority-other'), fixture('authority')])
  expect((await http.send({ method: 'GET', url })).body).toBe('{"here":true}')
  expect(requests).toHaveLength(1)
})

test('a certificate that nobody vouches for is refused before anything is sent, for good', async () => {
  const { url, requests } = await startSecure(() => ({}), 'certificate')
  const error = await failure(url)
  expect(error).toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT', sent: false, permanent: true })
  expect(error.message).toMatch(
    /^the server's certificate is not trusted \(DEPTH_ZERO_SELF_SIGNED_CERT\): ".*" is self-signed; give it as ca-certificate$/,
  )
  expect(isPassing(error)).toBe(false)
  expect(requests).toEqual([])
})

test.each([
  ['nginx', 'Kubernetes Ingress Controller Fake Certificate'],
  ['traefik', 'TRAEFIK DEFAULT CERT'],
])('nobody is told to trust the placeholder of %s', async (name, subject) => {
  const { url } = await startSecure(() => ({}), `ingress-${name}`)
  expect((await failure(url)).message).toBe(
    `the server's certificate is not trusted (DEPTH_ZERO_SELF_SIGNED_CERT): "${subject}" is the placeholder of an ingress, which has no certificate for 127.0.0.1 (yet); add one to the ingress`,
  )
})

test.each<[string, string, readonly string[], string]>([
  [
    'of an unknown authority',
    'leaf',
    [],
    `UNABLE_TO_VERIFY_LEAF_SIGNATURE): "zenml.test" was issued by "Test Only Authority", which this runner does not know; give that CA's certificate as ca-certificate`,
  ],
  [
    'of another authority than the one given',
    'leaf',
    ['authority-other'],
    `UNABLE_TO_VERIFY_LEAF_SIGNATURE): "zenml.test" was issued by "Test Only Authority", which this runner does not know; give that CA's certificate as ca-certificate`,
  ],
  [
    'that has expired',
    'leaf-expired',
    ['authority'],
    'CERT_HAS_EXPIRED): "old.test" is valid from 2020-01-01 to 2021-01-01; renew it on the server',
  ],
  [
    'for another host',
    'leaf-other-name',
    ['authority'],
    'ERR_TLS_CERT_ALTNAME_INVALID): "other.test" is for DNS:other.test, not for 127.0.0.1; use a host that it names',
  ],
])('a certificate %s is named, with what to do', async (_, certificate, authorities, words) => {
  const { url, requests } = await startSecure(() => ({}), certificate)
  const error = await failure(url, ...authorities)
  expect(error.message).toBe(`the server's certificate is not trusted (${words}`)
  expect(error).toMatchObject({ sent: false, permanent: true })
  expect(requests).toEqual([])
})

test('nobody who has given up waits for whose certificate it was', async () => {
  const { url } = await startSecure(() => ({}), 'certificate')
  const givingUp = new AbortController()
  let connections = 0
  const front = await startTcp((socket) => {
    connections += 1
    if (connections === 1) socket.pipe(connect(Number(new URL(url).port), '127.0.0.1')).pipe(socket)
    // The second one only looks at the certificate, which this one never shows.
    else givingUp.abort(new Error('given up'))
  })
  const target = front.replace('http:', 'https:')
  const error = await rejection(openHttp().send({ method: 'GET', url: target, signal: givingUp.signal }))
  expect(error).toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT', sent: false })
  expect(connections).toBe(2)
}, 3_000)

test("through a proxy it is the server's certificate that is named, and the proxy is asked as before", async () => {
  const { url } = await startSecure(() => ({}))
  const proxy = await startProxy()
  process.env['HTTPS_PROXY'] = `http://user:pass@127.0.0.1:${proxy.port}`
  const error = await failure(url)
  expect(error.message).toContain('"zenml.test" was issued by "Test Only Authority"')
  expect(new Set(proxy.asked)).toEqual(new Set([`CONNECT ${new URL(url).host}`]))
})

test.each<[string, readonly string[], RegExp]>([
  ['leaf', [], /: the proxy's "zenml\.test" was issued by "Test Only Authority"/],
  ['leaf-other-name', ['authority'], /ALTNAME_INVALID\): the proxy's "other\.test" is for DNS:other\.test/],
])(
  "a proxy's own certificate (%s) is named as the proxy's, and it is told nothing",
  async (certificate, given, words) => {
    const { url } = await startSecure(() => ({}))
    const proxy = await startProxy({ certificate })
    process.env['HTTPS_PROXY'] = `https://user:pass-word@127.0.0.1:${proxy.port}`
    const error = await failure(url, ...given)
    expect(error.message).toMatch(words)
    expect(error).toMatchObject({ sent: false, permanent: true })
    expect(proxy.asked).toEqual([])
  },
)

test('https to a server that speaks plain HTTP sends nothing', async () => {
  const { url, requests } = await startScripted(() => ({}))
  expect(await failure(url.replace('http:', 'https:'))).toMatchObject({ sent: false })
  expect(requests).toEqual([])
})
