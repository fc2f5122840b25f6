/**
 * One call of a provider, with its own clocks.
 *
 * Four clocks, each for one way to hang: connecting, the first sign of life, silence between two of them, and the
 * whole call. What counts as a sign of life is the caller's word (`progress`), so that keep-alive comments cannot keep
 * a dead generation open. Time the caller spends on what it has read does not count.
 *
 * It takes undici's events as they are. Its `request` puts a stream, an abort signal and an iterator around each reply;
 * together they cost more than decoding it.
 *
 * Invariant: however a call ends, its socket is either back in the pool with nothing left to read, or destroyed.
 */
import { isUtf8 } from 'node:buffer'
import type { Dispatcher } from 'undici'
// Not the whole package: fetch, WebSockets, caches and mocks would be loaded with it, a tenth of a start.
import Agent from 'undici/lib/dispatcher/agent.js'
import type { Clock } from './clock.ts'
import { toUpstreamError, UpstreamHttpError } from './upstream-error.ts'
import { type UpstreamClocks, watchUpstream } from './upstream-watch.ts'

export { UpstreamHttpError } from './upstream-error.ts'
export type { UpstreamClocks } from './upstream-watch.ts'

export const DEFAULT_UPSTREAM_CLOCKS: UpstreamClocks = {
  connectMs: 10_000,
  firstByteMs: 120_000,
  idleMs: 60_000,
  wholeMs: 3_600_000,
}

/** How long, and how far, a finished reply is read on so that its connection can be used again. */
const DRAIN_MS = 1000
const DRAIN_BYTES = 64 * 1024
/** Bytes that may wait for our caller before the socket is no longer read. */
const MAX_WAITING_BYTES = 64 * 1024

export type UpstreamCall = {
  readonly dispatcher: Dispatcher
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  /** Null: a GET. */
  readonly body: string | Uint8Array | null
  readonly signal: AbortSignal
  readonly clock: Clock
  readonly clocks: UpstreamClocks
}

export interface UpstreamReply {
  readonly status: number
  header(name: string): string | null
  /** What arrived since the last read; null at the end. Throws `UpstreamHttpError`. One read at a time. */
  read(): Promise<Uint8Array | null>
  /** Says that what was read was alive: the idle clock starts anew. */
  progress(): void
  /** The rest as text, at most `maxBytes` of it. Every byte counts as progress. `valid`: all of it is UTF-8. */
  readText(maxBytes: number): Promise<{ readonly text: string; readonly complete: boolean; readonly valid: boolean }>
  /** The reply is understood to its end: its connection goes back to the pool, or is closed within a second. */
  release(): void
  /** Closes the socket now. Does nothing after `release` or the end. */
  destroy(): void
}

/**
 * HTTP/1.1 only: a call has a socket of its own, so closing it reaches the provider as what it is. No redirects.
 * undici's own body clocks are off, because they count keep-alive bytes as progress.
 */
export const createUpstreamAgent = (clocks: Pick<UpstreamClocks, 'connectMs'>): Agent =>
  new Agent({ allowH2: false, headersTimeout: 0, bodyTimeout: 0, connect: { timeout: clocks.connectMs } })

/** Resolves when the reply's head is here, whatever its status. Throws `UpstreamHttpError`. */
export function callUpstream(call: UpstreamCall): Promise<UpstreamReply> {
  return new Promise((resolve, reject) => {
    const exchange = new Exchange(call, resolve, reject)
    if (call.signal.aborted) return exchange.fail(aborted())
    const { origin, pathname, search } = call.url
    const path = `${pathname}${search}`
    const { headers, body } = call
    const method = body === null ? 'GET' : 'POST'
    // Both again, because the pool may be one that others share.
    const clocksOff = { headersTimeout: 0, bodyTimeout: 0 }
    call.dispatcher.dispatch({ origin, path, method, headers, body, ...clocksOff }, exchange)
  })
}

const aborted = () => new UpstreamHttpError('aborted', 'The call was aborted.')

/** What undici tells of one call, and what its caller asks for. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #call: UpstreamCall
  readonly #onHead: (reply: UpstreamReply) => void
  readonly #onNoHead: (error: UpstreamHttpError) => void
  readonly #watch
  #controller: Dispatcher.DispatchController | null = null
  #hasHead = false
  /** Bytes that nobody has read yet. */
  #waiting: Uint8Array[] = []
  #waitingBytes = 0
  #ended = false
  #failure: UpstreamHttpError | null = null
  /** Of the read that waits for bytes. */
  #wake: (() => void) | null = null
  /** Nobody reads any more: read to the end, failed, released or destroyed. */
  #over = false
  /** Bytes that a released reply may still bring. */
  #drainBytes = 0
  #stopDrain = () => {}

  constructor(
    call: UpstreamCall,
    onHead: (reply: UpstreamReply) => void,
    onNoHead: (error: UpstreamHttpError) => void,
  ) {
    this.#call = call
    this.#onHead = onHead
    this.#onNoHead = onNoHead
    this.#watch = watchUpstream(call, (error) => this.fail(error))
    call.signal.addEventListener('abort', this.#onAbort)
  }

  readonly #onAbort = () => this.fail(aborted())

  /** Ends the call from our side, or says how the other side ended it. The first failure is the one that is told. */
  fail(error: UpstreamHttpError): void {
    if (this.#failure || this.#ended) return
    this.#failure = error
    this.#finish()
    this.#controller?.abort(error)
    if (!this.#hasHead) this.#onNoHead(error)
    this.#wakeReader()
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    // It was given up while it waited for a connection.
    if (this.#failure) controller.abort(this.#failure)
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): void {
    if (status < 200) return
    this.#hasHead = true
    this.#onHead(this.#toReply(status, headers))
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    if (this.#over) {
      this.#drainBytes -= chunk.byteLength
      if (this.#drainBytes < 0) this.#close()
      return
    }
    this.#waiting.push(chunk)
    this.#waitingBytes += chunk.byteLength
    if (this.#waitingBytes > MAX_WAITING_BYTES) controller.pause()
    this.#wakeReader()
  }

  onResponseEnd(): void {
    this.#ended = true
    this.#stopDrain()
    this.#wakeReader()
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    this.#stopDrain()
    this.fail(toUpstreamError(error))
  }

  #finish(): void {
    this.#over = true
    this.#watch.stop()
    this.#call.signal.removeEventListener('abort', this.#onAbort)
  }

  #close(): void {
    this.#stopDrain()
    this.#controller?.abort(aborted())
  }

  #wakeReader(): void {
    const wake = this.#wake
    this.#wake = null
    wake?.()
  }

  #toReply(status: number, headers: Readonly<Record<string, string | string[] | undefined>>): UpstreamReply {
    return {
      status,
      header: (name) => firstValue(headers[name]),
      read: () => this.#read(),
      progress: this.#watch.progress,
      readText: (maxBytes) => this.#readText(maxBytes),
      release: () => this.#release(),
      destroy: () => {
        if (this.#over) return
        this.#finish()
        this.#close()
      },
    }
  }

  async #read(): Promise<Uint8Array | null> {
    this.#watch.waiting(true)
    while (this.#waiting.length === 0 && !this.#ended && !this.#failure) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    this.#watch.waiting(false)
    // What came before a failure of the connection is read first; a call that we ended is over at once.
    if (this.#failure && (this.#failure.kind !== 'connection' || this.#waiting.length === 0)) throw this.#failure
    if (this.#waiting.length > 0) return this.#take()
    this.#finish()
    return null
  }

  #take(): Uint8Array {
    const [first] = this.#waiting
    const bytes = this.#waiting.length === 1 && first ? first : Buffer.concat(this.#waiting)
    this.#waiting = []
    this.#waitingBytes = 0
    this.#controller?.resume()
    return bytes
  }

  async #readText(maxBytes: number): Promise<{ text: string; complete: boolean; valid: boolean }> {
    const parts: Uint8Array[] = []
    let size = 0
    for (let chunk = await this.#read(); chunk; chunk = await this.#read()) {
      this.#watch.progress()
      parts.push(chunk)
      size += chunk.byteLength
      if (size > maxBytes) {
        return { text: Buffer.concat(parts).toString('utf8', 0, maxBytes), complete: false, valid: false }
      }
    }
    const bytes = Buffer.concat(parts)
    return { text: bytes.toString('utf8'), complete: true, valid: isUtf8(bytes) }
  }

  /** Reads a finished reply to its end, so that the next call can have its connection. */
  #release(): void {
    if (this.#over) return
    this.#finish()
    if (this.#ended) return
    this.#drainBytes = DRAIN_BYTES - this.#waitingBytes
    this.#waiting = []
    this.#stopDrain = this.#call.clock.after(DRAIN_MS, () => this.#close())
    this.#controller?.resume()
  }
}

const firstValue = (value: string | string[] | undefined): string | null =>
  (Array.isArray(value) ? value[0] : value) ?? null
