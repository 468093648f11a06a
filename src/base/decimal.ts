/** Digits that a double holds for certain. */
const DIGITS = 15

/** The sum without the noise of binary fractions: 0.1 + 0.2 is 0.3, and 0.95 - 0.9 is 0.05. */
export function sum(a: number, b: number): number {
  const size = Math.max(Math.abs(a), Math.abs(b))
  const decimals = DIGITS - 1 - Math.floor(Math.log10(size))
  return decimals >= 0 && decimals <= 100 ? Number((a + b).toFixed(decimals)) : a + b
}
