export interface RedactOptions {
  /** Whether short passwords are covered too, which may be ordinary words; default: true. */
  readonly passwords?: boolean
}

/** Takes this process's secrets out of a text. Whatever leaves the process goes through it. */
export interface Redactor {
  readonly redact: (text: string, options?: RedactOptions) => string
}
