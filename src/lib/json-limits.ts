/**
 * Parses untrusted JSON within limits. One scan over the text checks depth and size before `JSON.parse` builds
 * anything: nested arrays a million deep do parse, and then overflow the stack of whoever walks them.
 *
 * Two kinds of content are refused because they cannot be kept exactly or are never meant well:
 * - text with NUL or lone surrogates: no database stores the first and no UTF-8 can carry the second;
 * - keys named `__proto__`.
 * A cheap pattern finds candidates in the text; only then every key and string is looked at.
 */
import { isUtf8 } from 'node:buffer'

export type JsonLimits = {
  /** Levels of nesting; a scalar has 0, `{}` has 1. */
  readonly maxDepth: number
  /** Values in the whole document, containers included. An empty container counts twice. */
  readonly maxNodes: number
}

export type JsonErrorKind = 'syntax' | 'encoding' | 'depth' | 'nodes' | 'proto-key' | 'unstorable-text'

export class JsonError extends Error {
  override readonly name = 'JsonError'
  readonly kind: JsonErrorKind
  /** Where in the document, as `input[0].content`; null where that cannot be told. */
  readonly path: string | null
  constructor(kind: JsonErrorKind, message: string, path: string | null = null) {
    super(message)
    this.kind = kind
    this.path = path
  }
}

/** Parses UTF-8 JSON. Throws `JsonError`; its message never quotes the document. */
export function parseJson(bytes: Buffer, limits: JsonLimits): unknown {
  if (!isUtf8(bytes)) throw new JsonError('encoding', 'the body is not valid UTF-8')
  const text = withoutByteOrderMark(bytes).toString('utf8')
  scan(text, limits)
  const value = parse(text)
  if (SUSPICIOUS.test(text)) refuseUnsafe(value)
  return value
}

const withoutByteOrderMark = (bytes: Buffer) =>
  bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    // V8 quotes the text around the fault; of its message only the place may go on.
    const place = error instanceof Error ? /position \d+/.exec(error.message)?.[0] : undefined
    throw new JsonError('syntax', place ?? 'unexpected end or token')
  }
}

const QUOTE = 0x22
const COMMA = 0x2c
const OPEN_ARRAY = 0x5b
const BACKSLASH = 0x5c
const CLOSE_ARRAY = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

/** Counts without understanding: on malformed text it may count anything, and `JSON.parse` refuses that text. */
function scan(text: string, { maxDepth, maxNodes }: JsonLimits): void {
  let depth = 0
  let nodes = 1
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i)
    if (char === QUOTE) {
      i = endOfString(text, i)
    } else if (char === COMMA) {
      nodes++
    } else if (char === OPEN_OBJECT || char === OPEN_ARRAY) {
      nodes++
      if (++depth > maxDepth) throw new JsonError('depth', `nested more than ${maxDepth} levels deep`)
    } else if (char === CLOSE_OBJECT || char === CLOSE_ARRAY) {
      depth--
    }
    if (nodes > maxNodes) throw new JsonError('nodes', `more than ${maxNodes} values`)
  }
}

/** The index of the closing quote, or the end of the text. `indexOf` skips long texts at the speed of memory. */
function endOfString(text: string, open: number): number {
  let close = open
  for (;;) {
    close = text.indexOf('"', close + 1)
    if (close === -1) return text.length
    let before = close - 1
    while (text.charCodeAt(before) === BACKSLASH) before--
    // An even number of backslashes before the quote: it is not escaped.
    if ((close - before) % 2 === 1) return close
  }
}

/**
 * May match harmless text, never misses harmful text: NUL, `_` written as an escape, half a surrogate pair, and any
 * surrogate escape after an escaped backslash, where this pattern cannot tell an escape from text.
 */
const SUSPICIOUS =
  /__proto__|\\u0000|\\u005[fF]|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|\\\\u[dD]/

type Frame = { readonly value: unknown; readonly path: string }

/** Iterative, bounded by the node limit. */
function refuseUnsafe(root: unknown): void {
  const pending: Frame[] = [{ value: root, path: '' }]
  for (let frame = pending.pop(); frame !== undefined; frame = pending.pop()) {
    const { value, path } = frame
    if (typeof value === 'string') refuseUnstorable(value, path)
    else if (Array.isArray(value))
      for (const [i, item] of value.entries()) pending.push({ value: item, path: `${path}[${i}]` })
    else if (typeof value === 'object' && value !== null) pushMembers(value, path, pending)
  }
}

function pushMembers(object: object, path: string, pending: Frame[]): void {
  for (const [key, value] of Object.entries(object)) {
    if (key === '__proto__') throw new JsonError('proto-key', "a key is named '__proto__'", path === '' ? null : path)
    refuseUnstorable(key, path)
    pending.push({ value, path: path === '' ? key : `${path}.${key}` })
  }
}

function refuseUnstorable(text: string, path: string): void {
  if (!text.includes('\0') && text.isWellFormed()) return
  throw new JsonError('unstorable-text', 'a text holds NUL or a lone surrogate', path === '' ? null : path)
}
