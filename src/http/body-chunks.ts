/** A request body as it arrives, pulled chunk by chunk. What is not asked for waits in the sender. */
import type { IncomingMessage } from 'node:http'
import type { Clock } from '../lib/clock.ts'
import { ApiError } from '../protocol/errors.ts'
import { cutShort } from './read-json-body.ts'

export type BodyClock = {
  readonly clock: Clock
  /** Of the whole body. */
  readonly timeMs: number
  /** Without a byte. */
  readonly stallMs: number
}

/** Throws 400 when the sender leaves, 408 when it takes too long, and `signal.reason`. */
export async function* bodyChunks(
  request: IncomingMessage,
  { clock, timeMs, stallMs }: BodyClock,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  const endsAt = clock.monotonic() + timeMs
  for (;;) {
    const waitMs = Math.min(stallMs, endsAt - clock.monotonic())
    const chunk = await nextChunk(request, clock, waitMs, signal)
    if (chunk === null) return
    yield chunk
  }
}

/** Null at the end. The stream stands still before and after. */
function nextChunk(
  request: IncomingMessage,
  clock: Clock,
  waitMs: number,
  signal: AbortSignal,
): Promise<Buffer | null> {
  if (request.readableEnded) return Promise.resolve(null)
  return new Promise((resolve, reject) => {
    const stop = (settle: () => void) => {
      request.pause()
      request.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose)
      signal.removeEventListener('abort', onAbort)
      stopClock()
      settle()
    }
    const onData = (chunk: Buffer) => stop(() => resolve(chunk))
    const onEnd = () => stop(() => resolve(null))
    const onClose = () => stop(() => reject(cutShort()))
    const onAbort = () => stop(() => reject(signal.reason))
    const stopClock = clock.after(Math.max(0, waitMs), () => stop(() => reject(tooSlow())))
    if (signal.aborted) return onAbort()
    if (request.destroyed) return onClose()
    signal.addEventListener('abort', onAbort, { once: true })
    request.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose)
    request.resume()
  })
}

const tooSlow = () =>
  new ApiError({
    status: 408,
    message: 'The body of your request took too long to arrive. Send it again; large files are best sent in parts.',
    headers: { connection: 'close' },
  })
