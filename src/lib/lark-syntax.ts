/**
 * Reads grammars in Lark's notation: rules, terminals, strings, expressions, ranges, groups, `?*+~`, aliases,
 * `%import common.X`, `%ignore`. What goes beyond that is not guessed at: such a grammar is not read at all.
 */
import { COMMON_TERMINALS } from './lark-common.ts'
import type { LarkGrammar, LarkNode } from './lark-node.ts'
import { type LarkToken, larkTokens } from './lark-tokens.ts'

const MAX_GRAMMAR_CHARS = 100_000
const MAX_GROUP_DEPTH = 100

/** Null when there is no `start`, a name leads nowhere, or the notation goes beyond what is covered. */
export function parseLark(grammar: string): LarkGrammar | null {
  if (grammar.length > MAX_GRAMMAR_CHARS) return null
  const tokens = larkTokens(grammar)
  if (tokens === null) return null
  try {
    const read = readStatements({ tokens: joinLines(tokens), at: 0 })
    return read.rules.has('start') && isComplete(read) ? read : null
  } catch (error) {
    if (error instanceof Uncovered) return null
    throw error
  }
}

class Uncovered extends Error {
  override readonly name = 'Uncovered'
}

/** A line that begins with `|` goes on with the one before it, as does everything inside of brackets. */
function joinLines(tokens: readonly LarkToken[]): readonly LarkToken[] {
  let depth = 0
  /** For each token, whether the next line begins with `|`. From the end, so that it takes one pass. */
  const goesOn: boolean[] = []
  for (let index = tokens.length - 1, next = false; index >= 0; index -= 1) {
    const token = tokens[index]
    if (token?.type !== 'line-end') next = token?.type === 'sign' && token.text === '|'
    goesOn[index] = next
  }
  return tokens.filter((token, index) => {
    if (token.type === 'sign' && '(['.includes(token.text)) depth += 1
    if (token.type === 'sign' && ')]'.includes(token.text)) depth -= 1
    if (token.type !== 'line-end') return true
    return depth <= 0 && !goesOn[index]
  })
}

// ---- statements ---------------------------------------------------------------------------------------------------

type Cursor = { readonly tokens: readonly LarkToken[]; at: number }

const peek = (cursor: Cursor): LarkToken | undefined => cursor.tokens[cursor.at]
const isSign = (cursor: Cursor, text: string) => {
  const token = peek(cursor)
  return token?.type === 'sign' && token.text === text
}
const takeSign = (cursor: Cursor, text: string): boolean => {
  if (!isSign(cursor, text)) return false
  cursor.at += 1
  return true
}
function takeName(cursor: Cursor): string {
  const token = peek(cursor)
  if (token?.type !== 'name') throw new Uncovered('a name is missing')
  cursor.at += 1
  return token.text
}
function takeNumber(cursor: Cursor): number {
  const token = peek(cursor)
  if (token?.type !== 'number' || token.value < 0) throw new Uncovered('a number is missing')
  cursor.at += 1
  return token.value
}
function takeLineEnd(cursor: Cursor): void {
  const token = peek(cursor)
  if (token !== undefined && token.type !== 'line-end') throw new Uncovered('there is more on the line')
  cursor.at += 1
}

function readStatements(cursor: Cursor): LarkGrammar {
  const rules = new Map<string, LarkNode>()
  const ignored: LarkNode[] = []
  for (let token = peek(cursor); token !== undefined; token = peek(cursor)) {
    if (token.type === 'line-end') cursor.at += 1
    else if (token.type === 'name') readRule(cursor, rules)
    else if (token.type === 'directive') readDirective(cursor, token.text, { rules, ignored })
    else throw new Uncovered('a statement is missing')
  }
  return { rules, ignored }
}

function readRule(cursor: Cursor, rules: Map<string, LarkNode>): void {
  const name = takeName(cursor)
  // A priority decides between readings of a text, not about whether there is one.
  if (takeSign(cursor, '.')) cursor.at += peek(cursor)?.type === 'number' ? 1 : 0
  if (!takeSign(cursor, ':') || rules.has(name)) throw new Uncovered('no rule, or a second one')
  rules.set(name, readChoice(cursor, 0))
  takeLineEnd(cursor)
}

type Found = { readonly rules: Map<string, LarkNode>; readonly ignored: LarkNode[] }

function readDirective(cursor: Cursor, text: string, { rules, ignored }: Found): void {
  cursor.at += 1
  if (text === '%ignore') ignored.push(readChoice(cursor, 0))
  else if (text === '%import') readImport(cursor, rules)
  else throw new Uncovered(text)
  takeLineEnd(cursor)
}

/** `common.X`, `common.X -> Y`, `common (X, Y)`. */
function readImport(cursor: Cursor, rules: Map<string, LarkNode>): void {
  if (takeName(cursor) !== 'common') throw new Uncovered('another library')
  const take = (wanted: string, as = wanted) => {
    const node = COMMON_TERMINALS.get(wanted)
    if (node === undefined) throw new Uncovered(wanted)
    rules.set(as, node)
  }
  if (takeSign(cursor, '(')) {
    do take(takeName(cursor))
    while (takeSign(cursor, ','))
    if (!takeSign(cursor, ')')) throw new Uncovered('unclosed import')
    return
  }
  if (!takeSign(cursor, '.')) throw new Uncovered('import')
  const wanted = takeName(cursor)
  take(wanted, takeSign(cursor, '->') ? takeName(cursor) : wanted)
}

// ---- expressions --------------------------------------------------------------------------------------------------

function readChoice(cursor: Cursor, depth: number): LarkNode {
  if (depth > MAX_GROUP_DEPTH) throw new Uncovered('too deep')
  const nodes: LarkNode[] = []
  do {
    nodes.push(readSequence(cursor, depth))
    // An alias names a branch of the tree that is built; nobody builds one here.
    if (takeSign(cursor, '->')) takeName(cursor)
  } while (takeSign(cursor, '|'))
  const [only] = nodes
  return nodes.length === 1 && only !== undefined ? only : { type: 'choice', nodes }
}

function readSequence(cursor: Cursor, depth: number): LarkNode {
  const nodes: LarkNode[] = []
  for (let atom = readAtom(cursor, depth); atom !== null; atom = readAtom(cursor, depth)) {
    nodes.push(readSuffix(cursor, atom))
  }
  const [only] = nodes
  return nodes.length === 1 && only !== undefined ? only : { type: 'sequence', nodes }
}

/** Null where no atom begins. */
function readAtom(cursor: Cursor, depth: number): LarkNode | null {
  const token = peek(cursor)
  if (token?.type === 'sign' && (token.text === '(' || token.text === '[')) return readGroup(cursor, token.text, depth)
  if (token?.type === 'name' || token?.type === 'string' || token?.type === 'regex') {
    cursor.at += 1
    if (token.type === 'name') return { type: 'rule', name: token.text }
    return token.type === 'regex' ? readPattern(token) : readLiteral(cursor, token)
  }
  return null
}

function readGroup(cursor: Cursor, bracket: string, depth: number): LarkNode {
  cursor.at += 1
  const node = readChoice(cursor, depth + 1)
  if (!takeSign(cursor, bracket === '(' ? ')' : ']')) throw new Uncovered('unclosed group')
  return bracket === '(' ? node : { type: 'repeat', node, min: 0, max: 1 }
}

function readPattern({ source, flags }: Extract<LarkToken, { type: 'regex' }>): LarkNode {
  if (flags !== '') throw new Uncovered('flags')
  return { type: 'pattern', source }
}

/** A string, or a range as `"a".."z"`. */
function readLiteral(cursor: Cursor, { text, ignoreCase }: Extract<LarkToken, { type: 'string' }>): LarkNode {
  if (!takeSign(cursor, '..')) return { type: 'literal', text, ...(ignoreCase && { ignoreCase }) }
  const last = peek(cursor)
  if (last?.type !== 'string' || [...text].length !== 1 || [...last.text].length !== 1) throw new Uncovered('range')
  cursor.at += 1
  return { type: 'pattern', source: `[${inClass(text)}-${inClass(last.text)}]` }
}

const inClass = (char: string) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`

function readSuffix(cursor: Cursor, node: LarkNode): LarkNode {
  if (takeSign(cursor, '?')) return { type: 'repeat', node, min: 0, max: 1 }
  if (takeSign(cursor, '*')) return { type: 'repeat', node, min: 0, max: Number.POSITIVE_INFINITY }
  if (takeSign(cursor, '+')) return { type: 'repeat', node, min: 1, max: Number.POSITIVE_INFINITY }
  if (!takeSign(cursor, '~')) return node
  const min = takeNumber(cursor)
  return { type: 'repeat', node, min, max: takeSign(cursor, '..') ? takeNumber(cursor) : min }
}

function isComplete({ rules, ignored }: LarkGrammar): boolean {
  const leads = (node: LarkNode): boolean => {
    if (node.type === 'rule') return rules.has(node.name)
    if (node.type === 'repeat') return leads(node.node)
    return 'nodes' in node ? node.nodes.every(leads) : true
  }
  return [...rules.values(), ...ignored].every(leads)
}
