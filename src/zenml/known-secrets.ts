import type { HttpAnswer } from './http.ts'

/** Shorter values would blot out ordinary words. */
const MIN_LENGTH = 16

const COVER = '***'

/**
 * The key and the tokens of this process, taken out of whatever a server echoes before anything is made of it: an
 * output or a state is not covered by the log's masks, and a value that is cut in its middle is not either.
 */
export class KnownSecrets {
  readonly #forms = new Set<string>()

  add(secret: string): void {
    if (secret.length < MIN_LENGTH) return
    const base64 = Buffer.from(secret).toString('base64')
    for (const form of [secret, encodeURIComponent(secret), base64]) this.#forms.add(form)
  }

  /** The same answer without the secrets. */
  clean({ status, headers, body }: HttpAnswer): HttpAnswer {
    return {
      status,
      headers: Object.fromEntries(
        Object.entries(headers).map(([name, value]) => [
          name,
          Array.isArray(value) ? value.map((each) => this.#cover(each)) : this.#cover(value),
        ]),
      ),
      body: this.#cover(body),
    }
  }

  #cover<Text extends string | undefined>(text: Text): Text | string {
    if (text === undefined) return text
    let covered: string = text
    for (const form of this.#forms) covered = covered.replaceAll(form, COVER)
    return covered
  }
}
