/**
 * SINK: a run as server-sent events, one write per batch.
 *
 * Invariant (law 7): the stream of a run is read to its end whatever happens to the reader. When the reader is gone,
 * `abort` is called and the rest is read and thrown away; the iterator's `return()` is never called, because a run that
 * is cut off there would not store what it knows.
 *
 * The tempting wrong way is `for await`: it calls `return()` as soon as anything throws between two batches.
 */
import type { ServerResponse } from 'node:http'
import { isTerminal, type RunBatch, type RunStream, toPublicEvent } from '../engine/run-event.ts'
import type { Clock } from '../lib/clock.ts'
import type { HttpLimits } from './limits.ts'
import { DONE_FRAME, errorFrame, type Framer, KEEP_ALIVE_FRAME } from './sse-frames.ts'

export type SseOptions = {
  readonly response: ServerResponse
  /** Asked when the first bytes leave. */
  readonly headers: () => Readonly<Record<string, string>>
  readonly frame: Framer
  readonly clock: Clock
  readonly limits: Pick<HttpLimits, 'keepAliveMs' | 'streamBufferBytes' | 'stallMs'>
  /** Stops the run; called when it can no longer be shown. */
  readonly abort: () => void
  /** Told of what should not happen: a run that throws, ends without an end, or yields an unknown event. */
  readonly onFailure: (error: unknown) => void
}

/** Resolves when the run has ended, however that went; never rejects. */
export async function toSse(events: RunStream, options: SseOptions): Promise<void> {
  const writer = createWriter(options)
  const iterator = events[Symbol.asyncIterator]()
  let nextNumber = 0
  const fail = (error: unknown) => {
    options.onFailure(error)
    writer.end(errorFrame(nextNumber, INTERNAL) + DONE_FRAME)
    options.abort()
  }
  // Answers, never throws: a failure to show a batch must not end the reading. A promise only where there is a wait.
  const show = (batch: RunBatch): Promise<void> | null => {
    try {
      const text = frameBatch(batch, options.frame)
      if (!endsRun(batch)) return writer.write(text)
      writer.end(text + DONE_FRAME)
    } catch (error) {
      fail(error)
    }
    return null
  }
  try {
    for (let step = await iterator.next(); !step.done; step = await iterator.next()) {
      const wait = writer.isOver() ? null : show(step.value)
      if (wait !== null) await wait
      nextNumber = (step.value.at(-1)?.sequence_number ?? nextNumber - 1) + 1
    }
    if (!writer.isOver()) fail(new Error('a run ended without a terminal event'))
  } catch (error) {
    fail(error)
  } finally {
    writer.dispose()
  }
}

const INTERNAL = {
  type: 'server_error',
  code: 'server_error',
  message: 'The server had an error while processing your request. Please give the x-request-id when you report it.',
}

function frameBatch(batch: RunBatch, frame: Framer): string {
  let text = ''
  for (const event of batch) text += frame(toPublicEvent(event))
  return text
}

function endsRun(batch: RunBatch): boolean {
  const last = batch.at(-1)
  return last !== undefined && isTerminal(last)
}

type Writer = {
  /** Null, or a promise that resolves when the reader has room again or is gone. */
  write(text: string): Promise<void> | null
  /** The last write. */
  end(text: string): void
  /** Nothing can be written any more: ended, or the reader is gone. */
  isOver(): boolean
  dispose(): void
}

function createWriter({ response, headers, clock, limits }: SseOptions): Writer {
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
  return {
    write,
    isOver,
    dispose: stopKeepAlive,
    end(text) {
      stopKeepAlive()
      if (isOver()) return
      open()
      // A reader that takes nothing of the rest is cut off; after the last byte the server's own idle clock rules.
      response.socket?.setTimeout(limits.stallMs)
      response.end(text)
    },
  }
}

const STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache',
  'x-accel-buffering': 'no',
}

/** Runs `fn` after `firstMs`, then after as long as it answers. One timer however often the stream writes. */
function repeat(clock: Clock, firstMs: number, fn: () => number): () => void {
  let cancel = clock.after(firstMs, tick)
  function tick() {
    cancel = clock.after(fn(), tick)
  }
  return () => cancel()
}

/** Waits until the socket's buffer is empty. A reader that lets nothing through for `stallMs` loses its connection. */
function drained(response: ServerResponse, clock: Clock, stallMs: number): Promise<void> {
  return new Promise((resolve) => {
    let waiting = response.writableLength
    const stopWatch = repeat(clock, stallMs, () => {
      if (response.writableLength === waiting) response.destroy()
      waiting = response.writableLength
      return stallMs
    })
    const done = () => {
      stopWatch()
      response.off('drain', done).off('close', done)
      resolve()
    }
    response.on('drain', done).on('close', done)
  })
}
