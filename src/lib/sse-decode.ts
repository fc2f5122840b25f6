/** Server-sent events from bytes: UTF-8 split anywhere, comments ignored, everything bounded. */
import { createParser } from 'eventsource-parser'
import { createUtf8Decoder } from './utf8-decoder.ts'

export type SseLimits = {
  /** Longest line, in UTF-16 units. */
  readonly lineChars: number
  /** Whole stream, in bytes as they came. */
  readonly streamBytes: number
  readonly events: number
}

export const DEFAULT_SSE_LIMITS: SseLimits = {
  lineChars: 1024 * 1024,
  streamBytes: 64 * 1024 * 1024,
  events: 200_000,
}

/** The stream broke a limit or is not UTF-8. The message never holds a byte of it. */
export class SseError extends Error {
  override readonly name = 'SseError'
}

export interface SseDecoder {
  /** Calls `onEvent` for every event these bytes complete. Throws `SseError`, and whatever `onEvent` throws. */
  feed(bytes: Uint8Array): void
  /** The stream ended. A last event without its blank line still counts: some servers leave that out. */
  end(): void
}

export type SseHandler = (data: string, event: string | undefined) => void

/** Comments and fields other than `data` and `event` are dropped without a call. */
export function createSseDecoder(onEvent: SseHandler, limits: SseLimits = DEFAULT_SSE_LIMITS): SseDecoder {
  const utf8 = createUtf8Decoder()
  let bytesSeen = 0
  let eventsSeen = 0
  const lineTooLong = () => new SseError(`a line is longer than ${limits.lineChars} characters`)
  const parser = createParser({
    maxBufferSize: limits.lineChars,
    onEvent({ data, event }) {
      // The parser bounds what it buffers; a line that came whole in one read never was in its buffer.
      if (data.length > limits.lineChars) throw lineTooLong()
      if (++eventsSeen > limits.events) throw new SseError(`more than ${limits.events} events`)
      onEvent(data, event)
    },
    onError(error) {
      if (error.type === 'max-buffer-size-exceeded') throw lineTooLong()
    },
  })
  /** Null for what is not UTF-8; the decoder is then as it was. */
  const whole = (bytes: Uint8Array): string | null => {
    try {
      return utf8.decode(bytes)
    } catch {
      return null
    }
  }
  return {
    feed(bytes) {
      bytesSeen += bytes.byteLength
      if (bytesSeen > limits.streamBytes) throw new SseError(`it is longer than ${limits.streamBytes} bytes`)
      const text = whole(bytes)
      if (text !== null) return parser.feed(text)
      // Only what is bad is lost: the events before it count, however the network cut them.
      for (const line of linesOf(bytes)) parser.feed(decoded(() => utf8.decode(line)))
    },
    end() {
      decoded(() => utf8.end())
      parser.feed('\n\n')
    },
  }
}

function decoded<T>(decode: () => T): T {
  try {
    return decode()
  } catch (cause) {
    throw new SseError('it is not valid UTF-8', { cause })
  }
}

/** Each with its line feed. */
function* linesOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(0x0a, start) + 1 || bytes.length
    yield bytes.subarray(start, end)
    start = end
  }
}
