/**
 * Takes secrets out of texts that come from outside: messages and stacks of errors, headers of clients. The second
 * line of defence: what is logged is chosen field by field, and none of those fields holds a secret by design.
 */

const PATTERNS: readonly (readonly [RegExp, string])[] = [
  [/\b(sk|gsk|xai|hf|pk|rk)[-_][A-Za-z0-9_-]{8,}/g, '$1-***'],
  [/\b(Bearer|Basic)\s+[A-Za-z0-9+/=._~-]{6,}/gi, '$1 ***'],
  [/("?(?:api[-_]?key|authorization|token|secret|password)"?\s*[:=]\s*"?)[^\s"',;&]{4,}/gi, '$1***'],
  [/(\/\/)[^/@\s]+@/g, '$1***@'],
]
/** A shorter one would be found in innocent words. */
const MIN_SECRET_LENGTH = 8

/** `secrets`: those of the configuration, taken out wherever they appear. */
export function createRedactor(secrets: readonly string[] = []): (text: string) => string {
  const known = secrets.filter((secret) => secret.length >= MIN_SECRET_LENGTH)
  return (text) => {
    let result = text
    for (const secret of known) result = result.replaceAll(secret, '***')
    for (const [pattern, replacement] of PATTERNS) result = result.replace(pattern, replacement)
    return result
  }
}
