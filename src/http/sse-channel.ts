/** The bytes of one stream of server-sent events: headers with the first of them, back pressure, keep-alives, the end. */
import type { ServerResponse } from 'node:http'
import type { Clock } from '../lib/clock.ts'
import type { HttpLimits } from './limits.ts'
import { drained, repeat } from './slow-reader.ts'
import { KEEP_ALIVE_FRAME } from './sse-frames.ts'

export type SseChannelOptions = {
  readonly response: ServerResponse
  /** Asked when the first bytes leave. */
  readonly headers: () => Readonly<Record<string, string>>
  readonly clock: Clock
  readonly limits: Pick<HttpLimits, 'keepAliveMs' | 'streamBufferBytes' | 'stallMs'>
}

export interface SseChannel {
  /** Null, or a promise that resolves when the reader has room again or is gone. */
  write(text: string): Promise<void> | null
  /** The last write. */
  end(text: string): void
  /** Ended, or the reader is gone. */
  isOver(): boolean
  /** Headers have left: the status can no longer be another. */
  isOpen(): boolean
  /** Stops the keep-alives. */
  dispose(): void
}

export function createSseChannel({ response, headers, clock, limits }: SseChannelOptions): SseChannel {
  let lastWrite = clock.monotonic()
  let isChunked = false
  const isOver = () => response.writableEnded || response.destroyed
  const isOpen = () => response.headersSent
  const open = () => {
    if (isOpen()) return
    response.writeHead(200, { ...headers(), ...STREAM_HEADERS })
    // Chunks are framed here from now on: the platform hands the socket each of them in four pieces.
    isChunked = response.chunkedEncoding
    response.chunkedEncoding = false
  }
  const write = (text: string): Promise<void> | null => {
    if (isOver() || text === '') return null
    open()
    lastWrite = clock.monotonic()
    response.write(isChunked ? toChunk(text) : text)
    return response.writableLength > limits.streamBufferBytes ? drained(response, clock, limits.stallMs) : null
  }
  const dispose = repeat(clock, limits.keepAliveMs, () => {
    const silence = clock.monotonic() - lastWrite
    if (silence < limits.keepAliveMs) return limits.keepAliveMs - silence
    // Bytes still waiting for the reader are sign of life enough.
    if (response.writableLength === 0) write(KEEP_ALIVE_FRAME)
    return limits.keepAliveMs
  })
  const end = (text: string) => {
    dispose()
    if (isOver()) return
    open()
    // A reader that takes nothing of the rest is cut off; after the last byte the server's own idle clock rules.
    response.socket?.setTimeout(limits.stallMs)
    response.end(isChunked ? `${toChunk(text)}${LAST_CHUNK}` : text)
  }
  return { write, end, isOver, isOpen, dispose }
}

/** RFC 9112, section 7.1. A chunk of nothing would be the last one. */
const toChunk = (text: string) => (text === '' ? '' : `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`)
const LAST_CHUNK = '0\r\n\r\n'

const STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache',
  'x-accel-buffering': 'no',
}
