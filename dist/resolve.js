import { resolve } from './index.js'

await resolve()
