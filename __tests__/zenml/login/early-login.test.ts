import { expect, test } from '@jest/globals'
import { Http } from '../../../src/http/http.ts'
import { keyGrant } from '../../../src/zenml/login/grants.ts'
import { LoginSession } from '../../../src/zenml/login/session.ts'
import { systemClock } from '../../../src/base/system-clock.ts'
import { startSimulator } from '../../../simulator/index.ts'

async function withSession(
  key: (valid: string) => string,
  work: (session: LoginSession, logins: () => number) => Promise<void>,
): Promise<void> {
  const server = await startSimulator({})
  const http = new Http('test')
  try {
    const deps = { http, clock: systemClock, onToken: () => undefined, onWait: () => undefined }
    const grant = keyGrant(server.url, key(server.apiKey), async () => undefined)
    const logins = (): number => server.requests.filter(({ path }) => path.endsWith('/login')).length
    await work(new LoginSession(grant, deps), logins)
  } finally {
    http.close()
    await server.close()
  }
}

test('a login that was begun early is the only one', () =>
  withSession(
    (valid) => valid,
    async (session, logins) => {
      await session.begin()
      const token = await session.token()
      expect(await session.token()).toBe(token)
      expect(logins()).toBe(1)
    },
  ))

test('an early login that was refused before anybody asked is told to the first who asks, and not tried again', () =>
  withSession(
    () => 'ZENKEY_wrong',
    async (session, logins) => {
      await session.begin()
      while (logins() === 0) await new Promise((resolve) => setImmediate(resolve))
      await expect(session.token()).rejects.toThrow('CredentialsNotValid')
      await expect(session.token()).rejects.toThrow('CredentialsNotValid')
      expect(logins()).toBe(1)
    },
  ))
