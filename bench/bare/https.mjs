// The same over TLS. Nobody speaks it at the other end: what counts is when the connection is asked for.
const { request } = process.getBuiltinModule('node:https')

const login = request(process.env.BENCH_URL, {
  method: 'POST',
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
})
login.on('error', () => undefined)
login.end('password=key')
