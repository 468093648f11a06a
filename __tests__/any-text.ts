import fc from 'fast-check'

const codePoint = fc.oneof(fc.nat(0xd7ff), fc.integer({ min: 0xe000, max: 0x10ffff }), fc.nat(0xff))

/** Any text, control characters included; fast-check's own builds a table of all characters first, for two seconds. */
export function anyText(maxLength = 20): fc.Arbitrary<string> {
  return fc.array(codePoint, { maxLength }).map((points) => String.fromCodePoint(...points))
}

/** An address that `fetch` would take; fast-check's own builds tables first, too. */
export function anyUrl(): fc.Arbitrary<string> {
  const unit = fc.constantFrom(
    'a',
    'Z',
    '0',
    '-',
    '.',
    '~',
    ':',
    '/',
    '?',
    '#',
    '[',
    ']',
    '@',
    '&',
    '=',
    '%20',
    'é',
  )
  return fc
    .tuple(
      fc.constantFrom('http', 'https'),
      fc.constantFrom('a.example', '10.0.0.1:8080', '[::1]'),
      fc.string({ unit }),
    )
    .map(([scheme, host, rest]) => `${scheme}://${host}/${rest}`)
}
