import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { isPassing } from '../../src/zenml/retry.ts'
import { TransportError } from '../../src/zenml/errors.ts'
import { openHttp, rejection, startHttps, startScripted } from './scripted-server.ts'

function fixture(name: string): string {
  return readFileSync(new URL(`fixtures/${name}`, import.meta.url), 'utf8')
}

async function failure(url: string): Promise<TransportError> {
  const error = await rejection(openHttp().send({ method: 'POST', url, body: 'password=x' }))
  if (!(error instanceof TransportError)) throw error
  return error
}

test('a certificate that nobody vouches for is refused before anything is sent, for good', async () => {
  let requests = 0
  const url = await startHttps(
    fixture('test-only-key.pem'),
    fixture('test-only-certificate.pem'),
    (_request, response) => {
      requests += 1
      response.end('{}')
    },
  )
  const error = await failure(url)
  expect(error).toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT', sent: false, permanent: true })
  expect(error.message).toBe("the server's certificate is not trusted (DEPTH_ZERO_SELF_SIGNED_CERT)")
  expect(isPassing(error)).toBe(false)
  expect(requests).toBe(0)
})

test('https to a server that speaks plain HTTP sends nothing', async () => {
  const { url, requests } = await startScripted(() => ({}))
  expect(await failure(url.replace('http:', 'https:'))).toMatchObject({ sent: false })
  expect(requests).toEqual([])
})
