/** A secret as it is, and in the forms that other programs give it. */
function forms(secret: string): string[] {
  return [
    secret,
    encodeURIComponent(secret),
    new URLSearchParams({ secret }).toString().slice('secret='.length),
    Buffer.from(secret).toString('base64'),
    Buffer.from(secret).toString('base64url'),
    Buffer.from(secret).toString('hex'),
  ]
}

/** Whether a secret, in any usual form, stands in the text. */
export function showsSecret(text: string, secrets: readonly string[]): boolean {
  return secrets.flatMap(forms).some((form) => text.includes(form))
}
