/** The process's environment variables, passed in so that nothing below reads a global. */
export type Environment = Readonly<Record<string, string | undefined>>
