/**
 * Whether a ZenML version such as "0.98.0" or "0.85.0rc1" is at least `major.minor`. A version that cannot be
 * read counts as new: the newest servers are the likeliest to call themselves something else.
 */
export function isAtLeast(version: string, major: number, minor: number): boolean {
  const match = /^(\d+)\.(\d+)/.exec(version)
  if (match === null) return true
  const [actualMajor, actualMinor] = [Number(match[1]), Number(match[2])]
  return actualMajor > major || (actualMajor === major && actualMinor >= minor)
}
