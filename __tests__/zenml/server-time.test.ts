import { expect, test } from '@jest/globals'
import { ServerTime } from '../../src/zenml/server-time.ts'

const NOON = Date.UTC(2026, 0, 31, 12)

test("the server's time is that of its last dated answer, and what has passed since", () => {
  let elapsed = 5_000
  const time = new ServerTime({ elapsed: () => elapsed })
  const answer = (headers: Record<string, string | string[]>): void => {
    time.note({ status: 200, body: '', headers })
  }
  expect(time.now).toBeUndefined()
  answer({})
  answer({ date: 'yesterday' })
  answer({ date: ['Sat, 31 Jan 2026 12:00:00 GMT'] })
  expect(time.now).toBeUndefined()
  answer({ date: 'Sat, 31 Jan 2026 12:00:00 GMT' })
  elapsed += 1_500
  answer({ date: 'later' })
  expect(time.now).toBe(NOON + 1_500)
  answer({ date: 'Sat, 31 Jan 2026 12:00:01 GMT' })
  expect(time.now).toBe(NOON + 1_000)
})
