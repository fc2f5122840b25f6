/**
 * UTF-8 that arrives in pieces, cut anywhere. The platform's `TextDecoder` does the same, but each one is an object of
 * the native heap, which costs more to make and to collect than a short reply costs to decode.
 */
import { isUtf8 } from 'node:buffer'

export interface Utf8Decoder {
  /** The text these bytes complete. Throws `TypeError` for what is not UTF-8. */
  decode(bytes: Uint8Array): string
  /** Throws `TypeError` when the last character is not whole. */
  end(): void
}

const BYTE_ORDER_MARK = 0xfeff
const NOTHING = new Uint8Array(0)

export function createUtf8Decoder(): Utf8Decoder {
  /** The beginning of a character whose rest is to come, at most three bytes. */
  let begun = NOTHING
  let atStart = true
  return {
    decode(bytes) {
      const all = begun.length === 0 ? asBuffer(bytes) : Buffer.concat([begun, bytes])
      const end = all.length - begunBytes(all)
      const whole = end === all.length ? all : all.subarray(0, end)
      if (!isUtf8(whole)) throw new TypeError('not UTF-8')
      begun = end === all.length ? NOTHING : Uint8Array.from(all.subarray(end))
      const text = whole.toString('utf8')
      if (!atStart || text === '') return text
      atStart = false
      return text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text
    },
    end() {
      if (begun.length > 0) throw new TypeError('not UTF-8')
    },
  }
}

const asBuffer = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)

/** How many bytes at the end begin a character and do not complete it. */
function begunBytes(bytes: Uint8Array): number {
  const last = bytes.length - 1
  for (let i = last; i >= 0 && i > last - MAX_BYTES; i -= 1) {
    const byte = bytes[i] ?? 0
    if (!isContinuation(byte)) return last - i + 1 < lengthOf(byte) ? last - i + 1 : 0
  }
  return 0
}

/** Of one character. */
const MAX_BYTES = 4
const isContinuation = (byte: number) => byte >= 0x80 && byte < 0xc0
const lengthOf = (lead: number) => (lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4)
