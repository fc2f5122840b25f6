/** SINK: a run as server-sent events, one write per batch. */
import type { ServerResponse } from 'node:http'
import { type RunBatch, type RunStream, toPublicEvent } from '../engine/run-event.ts'
import type { Clock } from '../lib/clock.ts'
import type { HttpLimits } from './limits.ts'
import { type RunWriter, type ShowOptions, showRun } from './show-run.ts'
import { drained, repeat } from './slow-reader.ts'
import { DONE_FRAME, errorFrame, type Framer, KEEP_ALIVE_FRAME } from './sse-frames.ts'

export type SseOptions = Omit<ShowOptions, 'writer'> & {
  readonly response: ServerResponse
  /** Asked when the first bytes leave. */
  readonly headers: () => Readonly<Record<string, string>>
  readonly frame: Framer
  readonly clock: Clock
  readonly limits: Pick<HttpLimits, 'keepAliveMs' | 'streamBufferBytes' | 'stallMs'>
}

/** Resolves when the run has ended, however that went; never rejects. */
export async function toSse(events: RunStream, options: SseOptions): Promise<void> {
  const writer = createWriter(options)
  try {
    await showRun(events, { ...options, writer })
  } finally {
    writer.dispose()
  }
}

const INTERNAL = {
  type: 'server_error',
  code: 'server_error',
  message: 'The server had an error while processing your request. Please give the x-request-id when you report it.',
}

function createWriter({ response, headers, frame, clock, limits }: SseOptions): RunWriter & { dispose(): void } {
  let lastWrite = clock.monotonic()
  const isOver = () => response.writableEnded || response.destroyed
  const open = () => {
    if (!response.headersSent) response.writeHead(200, { ...headers(), ...STREAM_HEADERS })
  }
  const write = (text: string): Promise<void> | null => {
    if (isOver() || text === '') return null
    open()
    lastWrite = clock.monotonic()
    response.write(text)
    return response.writableLength > limits.streamBufferBytes ? drained(response, clock, limits.stallMs) : null
  }
  const stopKeepAlive = repeat(clock, limits.keepAliveMs, () => {
    const silence = clock.monotonic() - lastWrite
    if (silence < limits.keepAliveMs) return limits.keepAliveMs - silence
    // Bytes still waiting for the reader are sign of life enough.
    if (response.writableLength === 0) write(KEEP_ALIVE_FRAME)
    return limits.keepAliveMs
  })
  const end = (text: string) => {
    stopKeepAlive()
    if (isOver()) return
    open()
    // A reader that takes nothing of the rest is cut off; after the last byte the server's own idle clock rules.
    response.socket?.setTimeout(limits.stallMs)
    response.end(text + DONE_FRAME)
  }
  return {
    write: (batch) => write(frameBatch(batch, frame)),
    end: (batch) => end(frameBatch(batch, frame)),
    fail: (sequenceNumber) => end(errorFrame(sequenceNumber, INTERNAL)),
    isOver,
    dispose: stopKeepAlive,
  }
}

function frameBatch(batch: RunBatch, frame: Framer): string {
  let text = ''
  for (const event of batch) text += frame(toPublicEvent(event))
  return text
}

const STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache',
  'x-accel-buffering': 'no',
}
