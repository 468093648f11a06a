import { once } from 'node:events'
import { createServer, request as forward, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, jest, test } from '@jest/globals'
import { runAction } from '../../e2e/action.ts'
import { startProxy } from '../http/proxy-server.ts'
import { fixture, startHttps, startTcp } from '../http/scripted-server.ts'
import { expectGreen, expectRed, PATIENCE_MS, withServer, type Scene } from './scene.ts'
import { expectMasked, expectNoSecret } from './secrecy.ts'

jest.setTimeout(PATIENCE_MS)

/** The server behind TLS with a certificate of a private authority, as a company's load balancer does it. */
async function behindTls({ server }: Scene): Promise<string> {
  const listener: RequestListener = (incoming, response) => {
    const { method, headers, url = '/' } = incoming
    const onwards = forward(`${server.url}${url}`, { method, headers }, (reply) => {
      response.writeHead(reply.statusCode ?? 0, reply.headers)
      reply.pipe(response)
    })
    onwards.on('error', () => response.destroy())
    incoming.pipe(onwards)
  }
  return startHttps(fixture('key'), fixture('leaf'), listener)
}

function inputs(url: string, scene: Scene, more: Readonly<Record<string, string>>): Record<string, string> {
  return { 'server-url': url, 'api-key': scene.server.apiKey, pipeline: 'training', ...more }
}

test.concurrent('with ca-certificate a run completes on a server of a private authority', () =>
  withServer({}, async (scene) => {
    const given = inputs(await behindTls(scene), scene, { 'ca-certificate': fixture('authority') })
    expectGreen(await runAction({ inputs: given }), 'completed')
  }),
)

test.concurrent('without it the step says which authority is missing, and the key is not sent', () =>
  withServer({}, async (scene) => {
    const result = await runAction({ inputs: inputs(await behindTls(scene), scene, {}) })

    expect(expectRed(result, 'failed')).toBe(
      `Could not log in: the server's certificate is not trusted (UNABLE_TO_VERIFY_LEAF_SIGNATURE): "zenml.test" was issued by "Test Only Authority", which this runner does not know; give that CA's certificate as ca-certificate`,
    )
    expect(scene.server.requests).toEqual([])
  }),
)

test.concurrent('through a proxy with a password, which learns nothing but the address', () =>
  withServer({}, async (scene) => {
    const url = await behindTls(scene)
    const proxy = await startProxy()
    const env = { HTTPS_PROXY: `http://user:pa%20ss@127.0.0.1:${proxy.port}` }
    const given = inputs(url, scene, { 'ca-certificate': fixture('authority') })
    const result = await runAction({ inputs: given, env })

    expectGreen(result, 'completed')
    expect(result.stdout).toContain(
      `Connecting to ${url} through the proxy http://127.0.0.1:${proxy.port} (HTTPS_PROXY)\n`,
    )
    expect(new Set(proxy.asked)).toEqual(new Set([`CONNECT ${new URL(url).host}`]))
    expect(new Set(proxy.credentials)).toEqual(
      new Set([`Basic ${Buffer.from('user:pa ss').toString('base64')}`]),
    )
  }),
)

test.concurrent('an authority of NODE_EXTRA_CA_CERTS stays trusted beside that of ca-certificate', () =>
  withServer({}, async (scene) => {
    const url = await behindTls(scene)
    const file = new URL('../http/fixtures/test-only-authority.pem', import.meta.url)
    const env = { NODE_EXTRA_CA_CERTS: file.pathname }
    const given = inputs(url, scene, { 'ca-certificate': fixture('authority-other') })
    expectGreen(await runAction({ inputs: given, env }), 'completed')
  }),
)

test.concurrent('a key that is the name of a certificate is not shown', async () => {
  const key = 'ZENKEY_certificate0subject4Kq8Zx2Wv7Nm5Lp3Hs9Td1Rf6Gb0Jc'
  const url = await startHttps(fixture('key'), fixture('key-as-subject'), (_, response) => response.end())
  const result = await runAction({ inputs: { 'server-url': url, 'api-key': key, pipeline: 'training' } })

  expectNoSecret(result, [key])
  expect(expectRed(result, 'failed')).toContain('"***" is self-signed; give it as ca-certificate')
})

test.concurrent(
  'a server on this machine is asked directly, so that no proxy gets the key in the clear',
  () =>
    withServer({}, async (scene) => {
      const proxy = await startProxy()
      const env = {
        HTTP_PROXY: `http://127.0.0.1:${proxy.port}`,
        http_proxy: `http://127.0.0.1:${proxy.port}`,
      }
      expectGreen(await runAction({ inputs: inputs(scene.server.url, scene, {}), env }), 'completed')
      expect(proxy.asked).toEqual([])
    }),
)

test.concurrent.each(['a-password-of-a-proxy', 'tiger7'])(
  'a proxy that repeats its password %s shows it nowhere, and the rest of what it says',
  async (password) => {
    const basic = Buffer.from(`ci:${password}`).toString('base64')
    const proxy = createServer((_, response) => {
      response.writeHead(403, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ detail: `no way for ci:${password} (Basic ${basic})` }))
    })
    proxy.listen(0, '127.0.0.1')
    await once(proxy, 'listening')
    try {
      const { port } = proxy.address() as AddressInfo
      const result = await runAction({
        inputs: {
          'server-url': 'http://zenml.example.com',
          'allow-insecure-http': 'true',
          'api-key': 'ZENKEY_bm90IGEga2V5',
          pipeline: 'training',
        },
        env: { HTTP_PROXY: `http://ci:${password}@127.0.0.1:${port}` },
      })

      expect(expectRed(result, 'failed')).toContain('answered 403: no way for ci:***')
      expect(`${JSON.stringify(result.outputs)} ${result.summary}`).not.toContain(password)
      expectNoSecret(result, [password, basic])
      expectMasked(result, [password, basic])
    } finally {
      proxy.close()
    }
  },
)

test.concurrent('an answer in a million pieces takes no more memory than one in few', async () => {
  const pieces = 1_000_000
  const head = 'HTTP/1.1 404 Not Found\r\ntransfer-encoding: chunked\r\n\r\n'
  const answer = `${head}${'1\r\na\r\n'.repeat(pieces)}0\r\n\r\n`
  const url = await startTcp((socket) => socket.once('data', () => socket.end(answer)))
  const given = { 'server-url': url, 'api-key': 'ZENKEY_any', pipeline: 'training' }
  const result = await runAction({ inputs: given, env: { NODE_OPTIONS: '--max-old-space-size=96' } })
  expect(expectRed(result, 'failed')).toMatch(
    /^Could not log in: something that is not a ZenML API answered 404/,
  )
})
