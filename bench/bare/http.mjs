// The least that can send a login request: what the action is measured against. An import of node:http would load
// all that it exports, Node's own fetch among it, and take twice as long.
const { request } = process.getBuiltinModule('node:http')

const login = request(process.env.BENCH_URL, {
  method: 'POST',
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
})
login.on('response', (answer) => answer.resume())
login.end('password=key')
