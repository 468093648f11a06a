export interface CoverOptions {
  /** Whether short passwords are covered too, which may be ordinary words; default: true. */
  readonly passwords?: boolean
}

/** Takes this process's secrets out of a text. Whatever leaves the process goes through it. */
export interface Gate {
  readonly cover: (text: string, options?: CoverOptions) => string
}
