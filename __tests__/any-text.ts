import fc from 'fast-check'

const codePoint = fc.oneof(fc.nat(0xd7ff), fc.integer({ min: 0xe000, max: 0x10ffff }), fc.nat(0xff))

/** Any text, control characters included; fast-check's own builds a table of all characters first, for a second. */
export function anyText(maxLength = 20): fc.Arbitrary<string> {
  return fc.array(codePoint, { maxLength }).map((points) => String.fromCodePoint(...points))
}
