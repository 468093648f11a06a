// The least that can send a login request with node:http: what the action is measured against.
import { request } from 'node:http'

const login = request(process.env.BENCH_URL, {
  method: 'POST',
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
})
login.on('response', (answer) => answer.resume())
login.end('password=key')
