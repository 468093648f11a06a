export const ALLOWED_LICENSES: readonly string[]
export function licensesOf(stats: { toJson(options: object): { modules: unknown[] } }): string
