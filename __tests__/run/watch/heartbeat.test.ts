import { expect, test } from '@jest/globals'
import { Heartbeat } from '../../../src/run/watch/heartbeat.ts'

const MINUTE = 60_000

/** The minutes of `hours` in which something is said although nothing happens, but for lines of others. */
function beats(hours: number, others: readonly number[] = []): number[] {
  const heartbeat = new Heartbeat(0)
  const told: number[] = []
  for (let minute = 1; minute <= hours * 60; minute++) {
    if (others.includes(minute)) heartbeat.spoke(minute * MINUTE)
    if (heartbeat.beat(minute * MINUTE)) told.push(minute)
  }
  return told
}

test('while nothing happens there is a line after 1, 2, 4, 8 and then every 15 minutes', () => {
  expect(beats(1)).toEqual([1, 3, 7, 15, 30, 45, 60])
})

test('where something else was told the silence begins anew, and is as long as it was', () => {
  expect(beats(1, [8, 9, 10, 11, 12, 13, 14])).toEqual([1, 3, 7, 22, 37, 52])
})

test('a run of a week in silence has fewer than 700 lines', () => {
  expect(beats(7 * 24).length).toBeLessThan(700)
})
