/** Decodes the inside of a JSON string that arrives in pieces. Half an escape or surrogate pair waits for the rest. */
export type JsonStringDecoder = {
  /** The closing quote was read. */
  closed: boolean
  /** An escape sequence that is not complete yet, from its backslash on. */
  escape: string
  /** A high surrogate that waits for its low one. */
  high: string
}

const SIMPLE_ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ['\\', '\\'],
  ['/', '/'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
])
const HEX_ESCAPE_CHARS = 6
const HEX_DIGIT = /[0-9a-fA-F]/

const isHighSurrogate = (unit: number) => unit >= 0xd800 && unit <= 0xdbff

export const createJsonStringDecoder = (): JsonStringDecoder => ({ closed: false, escape: '', high: '' })

/** Decodes `text` from `from` up to the closing quote; `next` is the index behind what was read. */
export function decodeJsonString(decoder: JsonStringDecoder, text: string, from: number) {
  let out = ''
  let index = from
  while (index < text.length && !decoder.closed) {
    if (decoder.escape !== '') {
      const taken = continueEscape(decoder, text.charAt(index))
      out += taken.text
      index += taken.used
      continue
    }
    const start = index
    while (index < text.length && text[index] !== '"' && text[index] !== '\\') index += 1
    out += text.slice(start, index)
    if (index === text.length) break
    if (text[index] === '"') decoder.closed = true
    else decoder.escape = '\\'
    index += 1
  }
  return { text: holdHighSurrogate(decoder, out), next: index }
}

/** What was held back and will not be completed any more. Half an escape is no character and is dropped. */
export function flushJsonString(decoder: JsonStringDecoder): string {
  const rest = decoder.high
  decoder.high = ''
  return rest
}

/** An unknown escape stands for itself, because models write `\d`; a broken `\u12"` gives up before the quote. */
function continueEscape(decoder: JsonStringDecoder, char: string): { text: string; used: number } {
  const sequence = decoder.escape + char
  decoder.escape = ''
  if (sequence.length === 2 && char !== 'u') return { text: SIMPLE_ESCAPES.get(char) ?? sequence, used: 1 }
  if (sequence.length > 2 && !HEX_DIGIT.test(char)) return { text: sequence.slice(0, -1), used: 0 }
  if (sequence.length === HEX_ESCAPE_CHARS) {
    return { text: String.fromCharCode(Number.parseInt(sequence.slice(2), 16)), used: 1 }
  }
  decoder.escape = sequence
  return { text: '', used: 1 }
}

function holdHighSurrogate(decoder: JsonStringDecoder, decoded: string): string {
  const text = decoder.high + decoded
  decoder.high = ''
  if (decoder.closed || text === '' || !isHighSurrogate(text.charCodeAt(text.length - 1))) return text
  decoder.high = text.slice(-1)
  return text.slice(0, -1)
}
