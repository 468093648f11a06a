import timers from 'node:timers/promises'
import { syncBuiltinESMExports } from 'node:module'

/**
 * Loaded into a child process before the action: lets its time run CHAOS_SPEED times as fast since CHAOS_EPOCH,
 * as the simulator's does, so that its minutes take seconds and both agree on what time it is.
 */
const speed = Number(process.env.CHAOS_SPEED)
const epoch = Number(process.env.CHAOS_EPOCH)
/** By how much this clock is wrong, and when somebody sets it. */
const { aheadMs, jump } = JSON.parse(process.env.CHAOS_SKEW)
const realNow = Date.now
const { setTimeout: realSetTimeout, AbortSignal, performance } = globalThis
const realElapsed = performance.now.bind(performance)
const { setTimeout: realDelay } = timers
const { timeout: realTimeout } = AbortSignal

Date.now = () => {
  const sinceMs = (realNow() - epoch) * speed
  const jumpedMs = jump !== undefined && sinceMs >= jump.afterMs ? jump.byMs : 0
  return Math.round(epoch + sinceMs + aheadMs + jumpedMs)
}
performance.now = () => realElapsed() * speed
globalThis.setTimeout = (work, ms, ...rest) => realSetTimeout(work, (ms ?? 0) / speed, ...rest)
timers.setTimeout = (ms, ...rest) => realDelay((ms ?? 0) / speed, ...rest)
AbortSignal.timeout = (ms) => realTimeout.call(AbortSignal, Math.ceil(ms / speed))
syncBuiltinESMExports()
