/** Cuts a Lark grammar into tokens. Every character must be part of one: what is skipped would change the grammar. */

export type LarkToken =
  | { readonly type: 'name'; readonly text: string }
  | { readonly type: 'string'; readonly text: string; readonly ignoreCase: boolean }
  /** `source`: between the slashes, with `\/` as `/`. */
  | { readonly type: 'regex'; readonly source: string; readonly flags: string }
  | { readonly type: 'number'; readonly value: number }
  | { readonly type: 'sign'; readonly text: string }
  | { readonly type: 'directive'; readonly text: string }
  | { readonly type: 'line-end' }

const PATTERNS: readonly (readonly [RegExp, (match: RegExpExecArray) => LarkToken | null | undefined])[] = [
  [/[ \t\f\r]+/y, () => null],
  [/\/\/[^\n]*/y, () => null],
  [/\n/y, () => ({ type: 'line-end' })],
  [/"((?:\\.|[^"\\\n])*)"(i?)/y, ([, body = '', flag]) => stringToken(body, flag === 'i')],
  [/\/((?:\\.|[^/\\\n])+)\/([imslux]*)/y, ([, body = '', flags = '']) => regexToken(body, flags)],
  [/%[a-z]+/y, ([text]) => ({ type: 'directive', text })],
  [/-?\d+/y, ([text]) => ({ type: 'number', value: Number(text) })],
  [/[?!]?[A-Za-z_][A-Za-z0-9_]*/y, ([text]) => ({ type: 'name', text: text.replace(/^[?!]/, '') })],
  [/->|\.\.|[:|()[\]?*+~.,]/y, ([text]) => ({ type: 'sign', text })],
]

/** Null when something is no token. */
export function larkTokens(grammar: string): readonly LarkToken[] | null {
  const tokens: LarkToken[] = []
  for (let at = 0; at < grammar.length; ) {
    const end = readToken(grammar, at, tokens)
    if (end === null) return null
    at = end
  }
  return tokens
}

/** Where the token at `at` ends. A name's `?` in front belongs to a rule's head; behind something it is a sign. */
function readToken(grammar: string, at: number, tokens: LarkToken[]): number | null {
  for (const [pattern, make] of PATTERNS) {
    pattern.lastIndex = at
    const match = pattern.exec(grammar)
    if (match === null) continue
    const isSign = /^[?!]/.test(match[0]) && match[0].length > 1 && !startsLine(tokens)
    if (isSign) continue
    const token = make(match)
    if (token === undefined) return null
    if (token !== null) tokens.push(token)
    return at + match[0].length
  }
  return null
}

const startsLine = (tokens: readonly LarkToken[]) => tokens.length === 0 || tokens.at(-1)?.type === 'line-end'

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', f: '\f', v: '\v', '0': '\0' }

/** Undefined for an escape that is not known. */
function stringToken(body: string, ignoreCase: boolean): LarkToken | undefined {
  let known = true
  const text = body.replace(/\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|(.))/g, (_, hex, unicode, char: string) => {
    const digits: unknown = hex ?? unicode
    if (typeof digits === 'string') return String.fromCharCode(Number.parseInt(digits, 16))
    if (/[A-Za-z0-9]/.test(char) && ESCAPES[char] === undefined) known = false
    return ESCAPES[char] ?? char
  })
  return known && text !== '' ? { type: 'string', text, ignoreCase } : undefined
}

const regexToken = (body: string, flags: string): LarkToken => ({
  type: 'regex',
  source: body.replaceAll('\\/', '/'),
  flags,
})
