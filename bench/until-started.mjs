/*
 * Starts processes for trigger.ts and takes the time until each says that its run has started, in a process that does
 * nothing else: whatever else a process has loaded, starting another one from it takes longer.
 */
import { spawn } from 'node:child_process'
import { performance } from 'node:perf_hooks'

process.on('message', ({ node, args, cwd, env }) => {
  let text = ''
  let ms
  const startedAt = performance.now()
  const child = spawn(node, args, { cwd, env, stdio: ['ignore', 'pipe', 'inherit'] })
  child.stdout.on('data', (part) => {
    text += part
    if (/^Started: /m.test(text)) ms ??= performance.now() - startedAt
  })
  child.once('close', () => process.send({ ms: ms ?? null, text }))
})
