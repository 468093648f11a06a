/** The runner hides a value everywhere; a shorter one would make the whole log unreadable. */
const MIN_SECRET_LENGTH = 4

/** No key or token is shorter; a made-up one such as `test` may well be a part of a pipeline's name. */
const MIN_RECOGNIZABLE_LENGTH = 16

/** The values that must never be seen, in every form in which a careless paste can hold them. */
export class InputSecrets {
  readonly #values: readonly string[]

  /** @param texts values of secret inputs as the runner gave them. */
  constructor(texts: readonly string[]) {
    const forms = texts.flatMap((text) => {
      const whole = text.trim()
      return [whole, ...whole.split(/[\r\n]+/), unquoted(whole)].map((form) => form.trim())
    })
    const hideable = forms.filter((form) => form.length >= MIN_SECRET_LENGTH)
    // The longest first, so that no rest of a long one stays when a short one is a part of it.
    this.#values = [...new Set(hideable)].sort((a, b) => b.length - a.length)
  }

  /** Every form, to be masked. */
  get values(): readonly string[] {
    return this.#values
  }

  /** Whether the text holds a value that cannot stand there by chance. */
  areIn(text: string): boolean {
    return this.#values.some((value) => value.length >= MIN_RECOGNIZABLE_LENGTH && text.includes(value))
  }

  /** The text with `***` where a secret stood. Do this before a text is cut: a part is a secret too. */
  redact(text: string): string {
    return this.#values.reduce((shown, value) => shown.replaceAll(value, '***'), text)
  }
}

function unquoted(text: string): string {
  return /^(["'`])(.*)\1$/su.exec(text)?.[2] ?? text
}
