/** Parses the common part of JavaScript's regular expressions into a tree that can be sampled and matched. */

/** One tree per construct. `code` values are Unicode code points. */
export type PatternNode =
  | { readonly type: 'sequence'; readonly nodes: readonly PatternNode[] }
  | { readonly type: 'choice'; readonly nodes: readonly PatternNode[] }
  | { readonly type: 'repeat'; readonly node: PatternNode; readonly min: number; readonly max: number }
  | { readonly type: 'set'; readonly has: (code: number) => boolean; readonly members: readonly number[] }
  | { readonly type: 'assert'; readonly kind: 'start' | 'end' | 'word' | 'not-word' }
  | { readonly type: 'look'; readonly node: PatternNode; readonly negative: boolean }

const MAX_PATTERN_CHARS = 4096
const MAX_GROUP_DEPTH = 64

/** Null for what is not covered: back references, look-behind, syntax errors, patterns over 4,096 characters. */
export function parsePattern(source: string): PatternNode | null {
  if (source.length > MAX_PATTERN_CHARS) return null
  try {
    const reader = createReader(source)
    const node = readChoice(reader, 0)
    return reader.done() ? node : null
  } catch (error) {
    if (error instanceof Unsupported) return null
    throw error
  }
}

class Unsupported extends Error {
  override readonly name = 'Unsupported'
}

type Reader = ReturnType<typeof createReader>

function createReader(source: string) {
  const chars = [...source]
  let at = 0
  return {
    done: () => at >= chars.length,
    peek: (ahead = 0) => chars[at + ahead] ?? '',
    next: () => {
      const char = chars[at++]
      if (char === undefined) throw new Unsupported('unexpected end')
      return char
    },
    take(text: string): boolean {
      const wanted = [...text]
      if (!wanted.every((char, index) => chars[at + index] === char)) return false
      at += wanted.length
      return true
    },
    /** Text up to `end`, which is consumed too. */
    until(end: string): string {
      const stop = chars.indexOf(end, at)
      if (stop < 0) throw new Unsupported(`no ${end}`)
      const text = chars.slice(at, stop).join('')
      at = stop + 1
      return text
    },
  }
}

function readChoice(reader: Reader, depth: number): PatternNode {
  if (depth > MAX_GROUP_DEPTH) throw new Unsupported('too deep')
  const nodes = [readSequence(reader, depth)]
  while (reader.take('|')) nodes.push(readSequence(reader, depth))
  const [only] = nodes
  return nodes.length === 1 && only ? only : { type: 'choice', nodes }
}

function readSequence(reader: Reader, depth: number): PatternNode {
  const nodes: PatternNode[] = []
  while (!reader.done() && reader.peek() !== '|' && reader.peek() !== ')') {
    nodes.push(readRepeat(reader, readAtom(reader, depth)))
  }
  return { type: 'sequence', nodes }
}

function readRepeat(reader: Reader, node: PatternNode): PatternNode {
  let min = 1
  let max = 1
  if (reader.take('*')) [min, max] = [0, Number.POSITIVE_INFINITY]
  else if (reader.take('+')) [min, max] = [1, Number.POSITIVE_INFINITY]
  else if (reader.take('?')) [min, max] = [0, 1]
  else if (reader.peek() === '{') [min, max] = readBounds(reader)
  else return node
  reader.take('?')
  return { type: 'repeat', node, min, max }
}

function readBounds(reader: Reader): [number, number] {
  reader.next()
  const match = /^(\d{1,6})(,(\d{0,6}))?$/.exec(reader.until('}'))
  if (!match) throw new Unsupported('bounds')
  const min = Number(match[1])
  if (match[2] === undefined) return [min, min]
  return [min, match[3] ? Number(match[3]) : Number.POSITIVE_INFINITY]
}

function readAtom(reader: Reader, depth: number): PatternNode {
  const char = reader.next()
  if (char === '^') return { type: 'assert', kind: 'start' }
  if (char === '$') return { type: 'assert', kind: 'end' }
  if (char === '.') return toSet((code) => code !== 10 && code !== 13 && code !== 0x2028 && code !== 0x2029, READABLE)
  if (char === '(') return readGroup(reader, depth)
  if (char === '[') return readClass(reader)
  if (char === '\\') return readEscape(reader)
  if ('*+?{'.includes(char)) throw new Unsupported('nothing to repeat')
  return toLiteral(char)
}

function readGroup(reader: Reader, depth: number): PatternNode {
  let look: boolean | null = null
  if (reader.take('?=')) look = false
  else if (reader.take('?!')) look = true
  else if (reader.peek() === '?' && !reader.take('?:')) {
    if (!reader.take('?<') || '=!'.includes(reader.peek())) throw new Unsupported('group')
    reader.until('>')
  }
  const node = readChoice(reader, depth + 1)
  if (!reader.take(')')) throw new Unsupported('unclosed group')
  return look === null ? node : { type: 'look', node, negative: look }
}

function readEscape(reader: Reader): PatternNode {
  if (reader.take('b')) return { type: 'assert', kind: 'word' }
  if (reader.take('B')) return { type: 'assert', kind: 'not-word' }
  const item = readClassEscape(reader)
  return typeof item === 'number' ? toLiteral(String.fromCodePoint(item)) : item
}

type SetNode = Extract<PatternNode, { type: 'set' }>

function readClass(reader: Reader): PatternNode {
  const negated = reader.take('^')
  const parts: SetNode[] = []
  while (!reader.take(']')) {
    const first = readClassItem(reader)
    if (typeof first !== 'number') parts.push(first)
    else if (reader.peek() === '-' && reader.peek(1) !== ']') parts.push(readRange(reader, first))
    else parts.push(toLiteral(String.fromCodePoint(first)))
  }
  const has = (code: number) => parts.some((part) => part.has(code)) !== negated
  const members = negated ? [...READABLE, ...parts.flatMap((part) => part.members)] : parts.flatMap((p) => p.members)
  return toSet(has, members)
}

function readRange(reader: Reader, first: number): SetNode {
  reader.next()
  const last = readClassItem(reader)
  if (typeof last !== 'number' || last < first) throw new Unsupported('range')
  const members = [first, last, ...READABLE].filter((code) => code >= first && code <= last)
  return toSet((code) => code >= first && code <= last, members)
}

function readClassItem(reader: Reader): number | SetNode {
  const char = reader.next()
  if (char !== '\\') return char.codePointAt(0) ?? 0
  if (reader.take('b')) return 8
  return readClassEscape(reader)
}

const CONTROL: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, v: 11, f: 12, '0': 0 }
const isDigit = (code: number) => code >= 48 && code <= 57
export const isWordCode = (code: number) =>
  isDigit(code) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122) || code === 95
const isSpace = (code: number) => /\s/u.test(String.fromCodePoint(code))
const CLASSES: Readonly<Record<string, (code: number) => boolean>> = { d: isDigit, w: isWordCode, s: isSpace }

function readClassEscape(reader: Reader): number | SetNode {
  const char = reader.next()
  const control = CONTROL[char]
  if (control !== undefined) return control
  const positive = CLASSES[char.toLowerCase()]
  if (positive) return toSet(char === char.toLowerCase() ? positive : (code) => !positive(code), READABLE)
  if (char === 'x') return readHex(reader.next() + reader.next())
  if (char === 'u')
    return readHex(reader.take('{') ? reader.until('}') : Array.from({ length: 4 }, reader.next).join(''))
  if (char === 'p' || char === 'P') return readProperty(reader, char === 'P')
  if (/[a-zA-Z0-9]/.test(char)) throw new Unsupported('escape')
  return char.codePointAt(0) ?? 0
}

function readHex(digits: string): number {
  const code = /^[0-9a-fA-F]{1,6}$/.test(digits) ? Number.parseInt(digits, 16) : Number.NaN
  if (!(code <= 0x10ffff)) throw new Unsupported('code point')
  return code
}

/** The platform's engine decides about one character at a time, which takes no time whoever wrote the pattern. */
function readProperty(reader: Reader, negated: boolean): SetNode {
  if (!reader.take('{')) throw new Unsupported('property')
  const name = reader.until('}')
  if (!/^[A-Za-z_]+(=[A-Za-z_]+)?$/.test(name)) throw new Unsupported('property')
  let expression: RegExp
  try {
    expression = new RegExp(`^\\p{${name}}$`, 'u')
  } catch {
    throw new Unsupported('property')
  }
  return toSet((code) => expression.test(String.fromCodePoint(code)) !== negated, READABLE)
}

const codes = (text: string) => [...text].map((char) => char.codePointAt(0) ?? 0)
/** What a sample is made of, in order of preference. */
const READABLE = codes(
  'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ -_.,:;/@#%+=!?&*()[]{}<>|~^$"\'\\\t\né日Ω',
)

/** `members`: code points worth sampling; those outside the set are left out here. */
function toSet(has: (code: number) => boolean, members: readonly number[]): SetNode {
  return { type: 'set', has, members: [...new Set(members)].filter(has) }
}

function toLiteral(char: string): SetNode {
  const code = char.codePointAt(0) ?? 0
  return { type: 'set', has: (other) => other === code, members: [code] }
}
