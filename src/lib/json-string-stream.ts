/**
 * Reads one string out of a JSON object while the object's text still arrives: `{"input":"pri` already yields `pri`.
 *
 * Phases: find the key at the top level of the object (everything seen is kept), then decode its string as it comes,
 * then ignore the rest. Text that turns out not to be such an object is handed on as it is, because a model that was
 * asked for `{"input": "..."}` sometimes sends the bare text.
 *
 * Invariant: what was returned is never taken back, and for a well-formed object the returned pieces joined are what
 * `JSON.parse(text)[key]` would give, wherever the text was cut.
 */
import { createJsonStringDecoder, decodeJsonString, flushJsonString } from './json-string-decoder.ts'

/** Most characters kept while it is still open whether there is such a key. */
export const MAX_PENDING_CHARS = 10_485_760

export type JsonStringStream = {
  /** What can be said after this piece of text; often empty. Throws a RangeError above `MAX_PENDING_CHARS`. */
  push(text: string): string
  /** What is left when no more text comes. */
  end(): string
}

type Phase =
  | 'start'
  | 'member'
  | 'key'
  | 'colon'
  | 'value'
  /** Over the value of another key, or of the wanted key when it is no string. */
  | 'skip'
  | 'raw'
  /** In the wanted string. */
  | 'string'
  /** No object: text in quotes shows only at its end whether it is a JSON string, anything else passes through. */
  | 'quoted'
  | 'bare'
  /** The object ended without the key; or the value was handed out. */
  | 'closed'
  | 'done'

type State = {
  readonly key: string
  phase: Phase
  /** Everything seen while nothing was handed out. */
  seen: string
  /** Where in `seen` the value of phase `raw` starts. */
  rawFrom: number
  name: string
  decoder: ReturnType<typeof createJsonStringDecoder>
  depth: number
  inString: boolean
  escaped: boolean
}

const isSpace = (char: string) => char === ' ' || char === '\n' || char === '\r' || char === '\t'

/** Streams the string under `key` of a JSON object. A value that is no string comes as its JSON text. */
export function createJsonStringStream(key: string, maxPendingChars = MAX_PENDING_CHARS): JsonStringStream {
  const state: State = {
    key,
    phase: 'start',
    seen: '',
    rawFrom: 0,
    name: '',
    decoder: createJsonStringDecoder(),
    depth: 0,
    inString: false,
    escaped: false,
  }
  return {
    push(text) {
      if (state.phase === 'done') return ''
      if (state.phase === 'bare') return text
      if (state.phase === 'string') return decode(state, text, 0)
      const out = scan(state, text)
      if (state.seen.length > maxPendingChars) throw new RangeError(`No '${key}' in ${maxPendingChars} characters.`)
      return out
    },
    end() {
      const rest = remainder(state)
      state.phase = 'done'
      state.seen = ''
      return rest
    },
  }
}

function scan(state: State, text: string): string {
  const base = state.seen.length
  state.seen += text
  if (state.phase === 'quoted') return ''
  for (let index = 0; index < text.length; index += 1) {
    state.phase = step(state, text.charAt(index), base + index)
    if (state.phase === 'quoted') return ''
    if (state.phase === 'bare') return takeSeen(state, 0)
    if (state.phase === 'done') return takeSeen(state, state.rawFrom, base + index).trim()
    if (state.phase === 'string') {
      state.seen = ''
      return decode(state, text, index + 1)
    }
  }
  return ''
}

function decode(state: State, text: string, from: number): string {
  const decoded = decodeJsonString(state.decoder, text, from).text
  if (state.decoder.closed) state.phase = 'done'
  return decoded
}

function takeSeen(state: State, from: number, until = state.seen.length): string {
  const text = state.seen.slice(from, until)
  state.seen = ''
  return text
}

function step(state: State, char: string, at: number): Phase {
  switch (state.phase) {
    case 'start':
      if (isSpace(char)) return 'start'
      if (char === '"') return 'quoted'
      return char === '{' ? 'member' : 'bare'
    case 'member':
      return atMember(state, char)
    case 'key':
      state.name += decodeJsonString(state.decoder, char, 0).text
      return state.decoder.closed ? 'colon' : 'key'
    case 'colon':
      if (isSpace(char)) return 'colon'
      return char === ':' ? 'value' : 'bare'
    case 'value':
      return isSpace(char) ? 'value' : atValue(state, char, at)
    case 'skip':
    case 'raw':
      return overValue(state, char, state.phase)
    case 'closed':
      return isSpace(char) ? 'closed' : 'bare'
    default:
      return state.phase
  }
}

function atMember(state: State, char: string): Phase {
  if (isSpace(char) || char === ',') return 'member'
  if (char === '}') return 'closed'
  if (char !== '"') return 'bare'
  state.decoder = createJsonStringDecoder()
  state.name = ''
  return 'key'
}

function atValue(state: State, char: string, at: number): Phase {
  const wanted = state.name === state.key
  if (wanted && char === '"') {
    state.decoder = createJsonStringDecoder()
    return 'string'
  }
  state.rawFrom = at
  state.depth = 0
  return overValue(state, char, wanted ? 'raw' : 'skip')
}

/** Walks over a value of any kind up to the comma or brace behind it. */
function overValue(state: State, char: string, phase: 'raw' | 'skip'): Phase {
  if (state.inString) {
    if (state.escaped) state.escaped = false
    else if (char === '\\') state.escaped = true
    else if (char === '"') state.inString = false
    return phase
  }
  if (state.depth === 0 && (char === ',' || char === '}')) {
    if (phase === 'raw') return 'done'
    return char === ',' ? 'member' : 'closed'
  }
  if (char === '"') state.inString = true
  else if (char === '{' || char === '[') state.depth += 1
  else if (char === '}' || char === ']') state.depth -= 1
  return phase
}

function remainder(state: State): string {
  if (state.phase === 'string') return flushJsonString(state.decoder)
  if (state.phase === 'raw') return state.seen.slice(state.rawFrom).trim()
  if (state.phase === 'quoted') return unquote(state.seen) ?? state.seen
  return isCutWrapper(state) ? '' : state.seen
}

/** A wrapper that was cut off before its value, or is empty, holds nothing; any other text stands for itself. */
function isCutWrapper(state: State): boolean {
  const compact = state.seen.replaceAll(/\s/g, '')
  return compact === '{}' || `{${JSON.stringify(state.key)}:`.startsWith(compact)
}

function unquote(text: string): string | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'string' ? value : null
  } catch {
    return null
  }
}
