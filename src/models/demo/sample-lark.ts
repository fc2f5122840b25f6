/**
 * A text that a Lark grammar allows: the common part of the notation (rules, terminals, strings, expressions, `?*+~`,
 * alternatives, groups, `%import common`). Best effort: null where a grammar goes beyond it.
 */
import { compilePattern } from '../../lib/pattern.ts'

const MAX_DEPTH = 40
const MAX_CHARS = 8000

/** `wanted`: texts to use for terminals that allow them, the first that fits. */
export function sampleLark(grammar: string, wanted: readonly string[]): string | null {
  const rules = readRules(grammar)
  const start = rules.get('start')
  if (start === undefined) return null
  const used = new Set<string>()
  const expand = (body: string, depth: number): string | null => {
    if (depth > MAX_DEPTH) return null
    for (const alternative of splitTop(body, '|')) {
      const parts = tokensOf(alternative.replace(/->\s*\w+\s*$/, '')).map((token) => expandToken(token, depth))
      if (parts.every((part) => part !== null)) return parts.join('').slice(0, MAX_CHARS)
    }
    return null
  }
  const expandToken = (token: string, depth: number): string | null => {
    const repeat = /^([\s\S]*?)([?*+]|~\s*\d+(?:\.\.\d+)?)$/.exec(token)
    if (repeat?.[1] !== undefined && !/^["/]/.test(token)) {
      if (repeat[2] === '?' || repeat[2] === '*') return ''
      const count = Number(/\d+/.exec(repeat[2] ?? '')?.[0] ?? 1)
      return Array.from({ length: count }, () => expandToken(repeat[1] ?? '', depth) ?? '').join('')
    }
    if (token.startsWith('(')) return expand(token.slice(1, -1), depth + 1)
    if (token.startsWith('[')) return ''
    if (token.startsWith('"')) return readString(token)
    if (token.startsWith('/')) return sampleTerminal(token)
    const body = rules.get(token)
    if (body === undefined) return COMMON.get(token) ?? null
    return expand(body, depth + 1)
  }
  const sampleTerminal = (token: string): string | null => {
    const source = token.slice(1, token.lastIndexOf('/'))
    const pattern = compilePattern(`^(?:${source})$`)
    const fitting = wanted.find((text) => !used.has(text) && pattern?.matches(text))
    if (fitting !== undefined) used.add(fitting)
    return fitting ?? pattern?.sample() ?? null
  }
  return expand(start, 0)
}

/** `name: body`, where a body goes on over lines that begin with `|` or white space. */
function readRules(grammar: string): ReadonlyMap<string, string> {
  const rules = new Map<string, string>()
  let name: string | null = null
  for (const line of grammar.split('\n')) {
    const plain = line.replace(/^\s*\/\/.*$/, '').replace(/\s\/\/\s.*$/, '')
    const head = /^[?!]?(_?[A-Za-z]\w*)(?:\.-?\d+)?\s*:\s*(.*)$/.exec(plain)
    if (head?.[1] !== undefined) {
      name = head[1]
      rules.set(name, head[2] ?? '')
    } else if (name !== null && /^\s*\|/.test(plain)) {
      rules.set(name, `${rules.get(name) ?? ''} ${plain.trim()}`)
    } else if (plain.startsWith('%')) name = null
  }
  return rules
}

/** Atoms with the repetition signs that follow them. */
function tokensOf(body: string): string[] {
  const suffix = '(?:[?*+]|~\\s*\\d+(?:\\.\\.\\d+)?)?'
  const atoms = `"(?:\\\\.|[^"\\\\])*"i?|/(?:\\\\.|[^/\\\\])+/[a-z]*|\\w+`
  const tokens: string[] = []
  const pattern = new RegExp(`(?:${atoms})${suffix}`, 'gy')
  for (let at = 0; at < body.length; ) {
    const char = body.charAt(at)
    if (char === '(' || char === '[') {
      const end = closingAt(body, at)
      const tail = new RegExp(suffix, 'y')
      tail.lastIndex = end + 1
      const sign = tail.exec(body)?.[0] ?? ''
      tokens.push(body.slice(at, end + 1) + sign)
      at = end + 1 + sign.length
      continue
    }
    pattern.lastIndex = at
    const match = pattern.exec(body)
    if (match) tokens.push(match[0])
    at += match ? match[0].length : 1
  }
  return tokens
}

/** The parts between separators that stand in no quotes, expression or brackets. */
function splitTop(body: string, separator: string): string[] {
  const parts: string[] = []
  let from = 0
  for (let at = 0; at < body.length; at++) {
    const char = body.charAt(at)
    if (char === '(' || char === '[') at = closingAt(body, at)
    else if (char === '"' || char === '/') at = quoteEnd(body, at)
    else if (char === separator) {
      parts.push(body.slice(from, at))
      from = at + 1
    }
  }
  return [...parts, body.slice(from)].map((part) => part.trim())
}

function closingAt(body: string, open: number): number {
  let depth = 0
  for (let at = open; at < body.length; at++) {
    const char = body.charAt(at)
    if (char === '"' || char === '/') at = quoteEnd(body, at)
    else if (char === '(' || char === '[') depth++
    else if ((char === ')' || char === ']') && --depth === 0) return at
  }
  return body.length - 1
}

function quoteEnd(body: string, start: number): number {
  for (let at = start + 1; at < body.length; at++) {
    if (body.charAt(at) === '\\') at++
    else if (body.charAt(at) === body.charAt(start)) return at
  }
  return body.length - 1
}

function readString(token: string): string | null {
  try {
    const value: unknown = JSON.parse(token.replace(/i$/, ''))
    return typeof value === 'string' ? value : null
  } catch {
    return token.slice(1, token.lastIndexOf('"'))
  }
}

/** `%import common.X`. */
const COMMON: ReadonlyMap<string, string> = new Map([
  ['INT', '1'],
  ['DIGIT', '1'],
  ['NUMBER', '1'],
  ['SIGNED_NUMBER', '1'],
  ['SIGNED_INT', '1'],
  ['FLOAT', '1.5'],
  ['WORD', 'example'],
  ['LETTER', 'a'],
  ['CNAME', 'example'],
  ['ESCAPED_STRING', '"example"'],
  ['WS', ' '],
  ['WS_INLINE', ' '],
  ['NEWLINE', '\n'],
  ['LF', '\n'],
])
