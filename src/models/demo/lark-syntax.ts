/** Reads the common part of Lark's notation: rules, terminals, strings, expressions, `?*+~`, groups, `%ignore`. */

export type LarkNode =
  | { readonly type: 'choice' | 'sequence'; readonly nodes: readonly LarkNode[] }
  | { readonly type: 'repeat'; readonly node: LarkNode; readonly min: number; readonly max: number }
  | { readonly type: 'literal'; readonly text: string }
  /** `source` of a regular expression. */
  | { readonly type: 'pattern'; readonly source: string }
  | { readonly type: 'rule'; readonly name: string }

export type LarkGrammar = {
  readonly rules: ReadonlyMap<string, LarkNode>
  readonly ignored: readonly LarkNode[]
}

const MAX_GRAMMAR_CHARS = 100_000

/** Null when there is no `start`, or the notation goes beyond what is covered. */
export function parseLark(grammar: string): LarkGrammar | null {
  if (grammar.length > MAX_GRAMMAR_CHARS) return null
  const { bodies, ignored } = readBodies(grammar)
  const rules = new Map<string, LarkNode>(COMMON)
  for (const [name, body] of bodies) {
    const node = parseBody(body)
    if (!node) return null
    rules.set(name, node)
  }
  const skipped = ignored.map(parseBody)
  return rules.has('start') && skipped.every((node) => node !== null) ? { rules, ignored: skipped } : null
}

/** `name: body`, where a body goes on over lines that begin with `|`. */
function readBodies(grammar: string): { bodies: Map<string, string>; ignored: string[] } {
  const bodies = new Map<string, string>()
  const ignored: string[] = []
  let name: string | null = null
  for (const line of grammar.split('\n')) {
    const plain = line.replace(/^\s*\/\/.*$/, '').replace(/\s\/\/\s.*$/, '')
    const head = /^[?!]?(_?[A-Za-z]\w*)(?:\.-?\d+)?\s*:(.*)$/.exec(plain)
    if (head?.[1] !== undefined) {
      name = head[1]
      bodies.set(name, head[2] ?? '')
    } else if (name !== null && /^\s*\S/.test(plain) && !plain.startsWith('%')) {
      bodies.set(name, `${bodies.get(name) ?? ''} ${plain.trim()}`)
    }
    const ignore = /^%ignore\s+(.+)$/.exec(plain)?.[1]
    if (ignore !== undefined) ignored.push(ignore)
  }
  return { bodies, ignored }
}

type Cursor = { readonly tokens: readonly string[]; at: number }

const TOKEN =
  /"(?:\\.|[^"\\])*"i?|\/(?:\\.|[^/\\])+\/[imslux]*|~\s*\d+(?:\s*\.\.\s*\d+)?|->\s*\w+|[?!]?\w+|[()[\]|?*+]|\.\./g

function parseBody(body: string): LarkNode | null {
  const cursor: Cursor = { tokens: (body.match(TOKEN) ?? []).filter((token) => !token.startsWith('->')), at: 0 }
  const node = readChoice(cursor)
  return cursor.at === cursor.tokens.length ? node : null
}

function readChoice(cursor: Cursor): LarkNode {
  const nodes = [readSequence(cursor)]
  while (cursor.tokens[cursor.at] === '|') {
    cursor.at++
    nodes.push(readSequence(cursor))
  }
  return { type: 'choice', nodes }
}

function readSequence(cursor: Cursor): LarkNode {
  const nodes: LarkNode[] = []
  for (
    let token = cursor.tokens[cursor.at];
    token !== undefined && !/^[)\]|]$/.test(token);
    token = cursor.tokens[cursor.at]
  ) {
    cursor.at++
    nodes.push(readSuffix(cursor, readAtom(token, cursor)))
  }
  return { type: 'sequence', nodes }
}

function readSuffix(cursor: Cursor, node: LarkNode): LarkNode {
  const sign = cursor.tokens[cursor.at] ?? ''
  const bounds = sign === '?' ? [0, 1] : sign === '*' ? [0, Infinity] : sign === '+' ? [1, Infinity] : countsOf(sign)
  const [min, max] = bounds
  if (min === undefined) return node
  cursor.at++
  return { type: 'repeat', node, min, max: max ?? min }
}

const countsOf = (sign: string): number[] => (sign.startsWith('~') ? (sign.match(/\d+/g) ?? []).map(Number) : [])

function readAtom(token: string, cursor: Cursor): LarkNode {
  if (token === '(' || token === '[') {
    const node = readChoice(cursor)
    if (/^[)\]]$/.test(cursor.tokens[cursor.at] ?? '')) cursor.at++
    return token === '(' ? node : { type: 'repeat', node, min: 0, max: 1 }
  }
  if (token.startsWith('"')) return { type: 'literal', text: readString(token) }
  if (token.startsWith('/')) return { type: 'pattern', source: token.slice(1, token.lastIndexOf('/')) }
  return { type: 'rule', name: token.replace(/^[?!]/, '') }
}

function readString(token: string): string {
  try {
    const value: unknown = JSON.parse(token.replace(/i$/, ''))
    return String(value)
  } catch {
    return token.slice(1, token.lastIndexOf('"'))
  }
}

const pattern = (source: string): LarkNode => ({ type: 'pattern', source })
/** `%import common.X`. */
const COMMON: readonly (readonly [string, LarkNode])[] = [
  ['INT', pattern('[0-9]+')],
  ['DIGIT', pattern('[0-9]')],
  ['NUMBER', pattern('[0-9]+(\\.[0-9]+)?')],
  ['SIGNED_NUMBER', pattern('[+-]?[0-9]+(\\.[0-9]+)?')],
  ['SIGNED_INT', pattern('[+-]?[0-9]+')],
  ['FLOAT', pattern('[0-9]+\\.[0-9]+')],
  ['DECIMAL', pattern('[0-9]+\\.[0-9]*')],
  ['WORD', pattern('[A-Za-z]+')],
  ['LETTER', pattern('[A-Za-z]')],
  ['CNAME', pattern('[A-Za-z_][A-Za-z0-9_]*')],
  ['ESCAPED_STRING', pattern('"[^"\\n]*"')],
  ['WS', pattern('[ \\t\\n\\r]+')],
  ['WS_INLINE', pattern('[ \\t]+')],
  ['NEWLINE', pattern('(\\r?\\n)+')],
  ['LF', pattern('\\n')],
  ['CR', pattern('\\r')],
]
