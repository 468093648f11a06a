import { createHash } from 'node:crypto'
import { mulberry32 } from './clock.ts'

const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i

export function isUuid(text: string): boolean {
  return UUID.test(text)
}

/** Ids, keys and tokens of one server: random-looking, the same ones for the same seed. */
export class Ids {
  #state: number
  #count = 0

  constructor(seed: number) {
    this.#state = seed
  }

  hex(length: number): string {
    let text = ''
    while (text.length < length)
      text += Math.floor(this.#random() * 0x1_0000_0000)
        .toString(16)
        .padStart(8, '0')
    return text.slice(0, length)
  }

  uuid(): string {
    return asUuid(this.hex(32))
  }

  /** 0, 1, 2 and so on. */
  next(): number {
    return this.#count++
  }

  /** ZENKEY_ and base64, as an open-source server's service account gets it. */
  apiKey(): string {
    const key = JSON.stringify({ id: this.uuid(), key: this.hex(64) })
    return `ZENKEY_${Buffer.from(key).toString('base64')}`
  }

  /** Three dotted parts like a JWT; its content means nothing. */
  token(): string {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    return `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ sub: this.uuid() })}.${this.hex(43)}`
  }

  #random(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    return mulberry32(this.#state)
  }
}

/** The same UUID for the same parts: for things that only exist inside another thing's answer. */
export function derivedUuid(...parts: readonly string[]): string {
  return asUuid(createHash('sha256').update(parts.join('/')).digest('hex').slice(0, 32))
}

function asUuid(hex: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
