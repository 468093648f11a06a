// The least that can send a login request with the global fetch.
/* global fetch, URLSearchParams */
const answer = await fetch(process.env.BENCH_URL, {
  method: 'POST',
  body: new URLSearchParams({ password: 'key' }),
})
await answer.arrayBuffer()
