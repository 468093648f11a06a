/*
 * Starts processes for startup.ts and takes the time, in a process that does nothing else: whatever else a process has
 * loaded, starting another one from it takes longer. It is plain JavaScript for the same reason.
 *
 * It is the server as well, so that one clock tells both ends. Every login is refused, so that each process ends right
 * after its first request.
 */
import { spawn } from 'node:child_process'
import { createServer } from 'node:http'
import { performance } from 'node:perf_hooks'

/** When the first connection of the process under way came, and when its first request. */
let connectedAt
let requestedAt

const server = createServer((request, answer) => {
  requestedAt ??= performance.now()
  request.resume()
  answer.writeHead(401, { 'content-type': 'application/json', connection: 'close' })
  answer.end('{"detail":["CredentialsNotValid","Authentication error: error decoding API key"]}')
})
server.on('connection', () => (connectedAt ??= performance.now()))
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }))

process.on('message', ({ node, args, cwd, env }) => {
  connectedAt = undefined
  requestedAt = undefined
  const startedAt = performance.now()
  // Returns once the new process has taken over its program.
  const child = spawn(node, args, { cwd, env, stdio: 'ignore' })
  const launchedAt = performance.now()
  child.once('exit', () => {
    const since = (at) => (at === undefined ? null : at - startedAt)
    process.send({
      launchMs: launchedAt - startedAt,
      connectedMs: since(connectedAt),
      requestedMs: since(requestedAt),
      endedMs: performance.now() - startedAt,
    })
  })
})
