export const ACTION_FILES: readonly string[]
