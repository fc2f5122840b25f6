/** An upstream's own words, made safe to pass on: no keys, no URLs, no addresses, bounded. */

const MAX_MESSAGE_CHARS = 500
/** Read no more than this of a message before cleaning it. */
const MAX_READ_CHARS = 8192

const RULES: readonly (readonly [RegExp, string])[] = [
  [/\b[a-z][a-z0-9+.-]*:\/\/[^\s"'<>)\]]+/gi, '[url]'],
  [/\bBearer\s+[^\s"',;]+/gi, 'Bearer [key]'],
  [/\b((?:api[-_ ]?key|token|secret|password|authorization)\s*[:=]\s*)["']?[^\s"',;]+/gi, '$1[key]'],
  // Keys by their vendors' prefixes, also when half of them is starred out. Names like `key-value` are not keys.
  [/\bg?sk[-_][\w.*-]{7,}[\w*-]/g, '[key]'],
  [/\b(?:pk|rk|xai|hf|nvapi|csk|fw|pplx|r8|tgp|key|ghp)[-_](?=[\w.*-]*[\d*])[\w.*-]{7,}[\w*-]/g, '[key]'],
  [/\b(?:AIza|ya29|AKIA|eyJ)[\w.*-]{7,}[\w*-]/g, '[key]'],
  // Anything long and mixed that is not an id by its prefix.
  [/\b(?!(?:call|req|msg|resp|fc|rs|toolu|gen|chatcmpl)[-_])(?=[\w-]*[0-9])(?=[\w-]*[A-Za-z])[\w-]{32,}/g, '[key]'],
  [/\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b/g, '[address]'],
]

/** `secrets`: what must not come out even when it looks like nothing in particular. */
export function sanitizeMessage(message: string, secrets: readonly string[] = []): string {
  let clean = message.slice(0, MAX_READ_CHARS)
  for (const secret of secrets) if (secret.length >= 4) clean = clean.replaceAll(secret, '[key]')
  for (const [pattern, replacement] of RULES) clean = clean.replace(pattern, replacement)
  clean = clean
    .replace(/\p{Cc}+/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim()
  return clean.length <= MAX_MESSAGE_CHARS ? clean : `${clean.slice(0, MAX_MESSAGE_CHARS - 1).toWellFormed()}…`
}
