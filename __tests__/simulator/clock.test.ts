import { expect, test } from '@jest/globals'
import { VirtualClock, realClock } from '../../simulator/clock.ts'

const HOUR = 3_600_000

test('a virtual hour passes at once', async () => {
  const clock = new VirtualClock({ start: 0 })
  await clock.sleep(HOUR)
  expect(clock.now()).toBe(HOUR)
})

test('sleepers wake in the order of their times, each at its own', async () => {
  const clock = new VirtualClock({ start: 0 })
  const woken: [string, number][] = []
  const sleep = async (name: string, ms: number) => {
    await clock.sleep(ms)
    woken.push([name, clock.now()])
  }
  await Promise.all([sleep('late', 30), sleep('early', 10), sleep('middle', 20)])
  expect(woken).toEqual([
    ['early', 10],
    ['middle', 20],
    ['late', 30],
  ])
})

test('sleepers of the same time do not add up', async () => {
  const clock = new VirtualClock({ start: 0 })
  await Promise.all([clock.sleep(HOUR), clock.sleep(HOUR)])
  expect(clock.now()).toBe(HOUR)
})

test('an aborted sleep rejects with the reason and moves no time', async () => {
  const clock = new VirtualClock({ start: 0 })
  const reason = new Error('cancelled')
  const controller = new AbortController()
  const sleeping = clock.sleep(HOUR, controller.signal)
  controller.abort(reason)
  await expect(sleeping).rejects.toBe(reason)
  await expect(clock.sleep(1, controller.signal)).rejects.toBe(reason)
  expect(clock.now()).toBe(0)
})

test('the same seed gives the same jitter, within [0, 1)', () => {
  const draw = (seed: number) => {
    const clock = new VirtualClock({ seed })
    return Array.from({ length: 100 }, () => clock.random())
  }
  expect(draw(7)).toEqual(draw(7))
  expect(draw(7)).not.toEqual(draw(8))
  expect(draw(7).every((value) => value >= 0 && value < 1)).toBe(true)
})

test('a real clock can run fast', async () => {
  const clock = realClock(1000)
  const before = clock.now()
  await clock.sleep(50_000)
  // Timers may fire up to a millisecond early, which is a second here.
  expect(clock.now() - before).toBeGreaterThanOrEqual(48_000)
})
