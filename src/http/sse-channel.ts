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
  const isOver = () => response.writableEnded || response.destroyed
  const isOpen = () => response.headersSent
  const open = () => {
    if (!isOpen()) response.writeHead(200, { ...headers(), ...STREAM_HEADERS })
  }
  const write = (text: string): Promise<void> | null => {
    if (isOver() || text === '') return null
    open()
    lastWrite = clock.monotonic()
    response.write(text)
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
    response.end(text)
  }
  return { write, end, isOver, isOpen, dispose }
}

const STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache',
  'x-accel-buffering': 'no',
}
