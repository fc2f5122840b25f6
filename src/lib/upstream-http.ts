/**
 * One POST to a provider, with its own clocks.
 *
 * Four clocks, each for one way to hang: connecting, the first sign of life, silence between two of them, and the
 * whole call. What counts as a sign of life is the caller's word (`progress`), so that keep-alive comments cannot keep
 * a dead generation open. Time the caller spends on what it has read does not count.
 *
 * Invariant: however a call ends, its socket is either back in the pool with nothing left to read, or destroyed.
 */
import { Agent, type Dispatcher, errors, request } from 'undici'
import type { Clock } from './clock.ts'

/** Milliseconds. */
export type UpstreamClocks = {
  readonly connectMs: number
  readonly firstByteMs: number
  readonly idleMs: number
  readonly wholeMs: number
}

export const DEFAULT_UPSTREAM_CLOCKS: UpstreamClocks = {
  connectMs: 10_000,
  firstByteMs: 120_000,
  idleMs: 60_000,
  wholeMs: 3_600_000,
}

/** How long, and how far, a finished reply is read on so that its connection can be used again. */
const DRAIN_MS = 1000
const DRAIN_BYTES = 64 * 1024

export type UpstreamFailure = 'connection' | 'timeout' | 'malformed' | 'aborted'
export type UpstreamClockName = 'connect' | 'first-byte' | 'idle' | 'whole'

/** The message names no host and no URL, so it may reach a client; `cause` is for the log. */
export class UpstreamHttpError extends Error {
  override readonly name = 'UpstreamHttpError'
  readonly kind: UpstreamFailure
  /** Which clock ran out. */
  readonly clock: UpstreamClockName | null

  constructor(kind: UpstreamFailure, message: string, clock: UpstreamClockName | null = null, cause?: unknown) {
    super(message, { cause })
    this.kind = kind
    this.clock = clock
  }
}

export type UpstreamPost = {
  readonly dispatcher: Dispatcher
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly signal: AbortSignal
  readonly clock: Clock
  readonly clocks: UpstreamClocks
}

export interface UpstreamReply {
  readonly status: number
  header(name: string): string | null
  /** What arrived since the last read; null at the end. Throws `UpstreamHttpError`. */
  read(): Promise<Uint8Array | null>
  /** Says that what was read was alive: the idle clock starts anew. */
  progress(): void
  /** The rest as text, at most `maxBytes` of it. Every byte counts as progress. */
  readText(maxBytes: number): Promise<{ readonly text: string; readonly complete: boolean }>
  /** The reply is understood to its end: its connection goes back to the pool, or is closed within a second. */
  release(): void
  /** Closes the socket now. Does nothing after `release` or the end. */
  destroy(): void
}

/**
 * HTTP/1.1 only: a call has a socket of its own, so closing it reaches the provider as what it is. No redirects.
 * undici's own body clocks are off, because they count keep-alive bytes as progress.
 */
export const createUpstreamAgent = (clocks: UpstreamClocks): Agent =>
  new Agent({ allowH2: false, headersTimeout: 0, bodyTimeout: 0, connect: { timeout: clocks.connectMs } })

/** Resolves when the reply's head is here, whatever its status. Throws `UpstreamHttpError`. */
export async function postUpstream(post: UpstreamPost): Promise<UpstreamReply> {
  const watch = createWatch(post)
  try {
    const reply = await request(post.url, {
      dispatcher: post.dispatcher,
      method: 'POST',
      headers: { ...post.headers },
      body: post.body,
      signal: watch.signal,
    })
    return createReply(reply, watch, post.clock)
  } catch (error) {
    watch.stop()
    throw watch.failure() ?? toUpstreamError(error)
  }
}

type Watch = {
  readonly signal: AbortSignal
  progress(): void
  /** Our caller waits for bytes, or is busy with those it has. */
  waiting(on: boolean): void
  failure(): UpstreamHttpError | null
  abort(): void
  stop(): void
}

/** The clocks of one call. One timer runs at a time and is re-armed when it fires, not on every read. */
function createWatch({ clock, clocks, signal }: Pick<UpstreamPost, 'clock' | 'clocks' | 'signal'>): Watch {
  const controller = new AbortController()
  let failure: UpstreamHttpError | null = null
  let silence: { readonly name: UpstreamClockName; readonly ms: number } = {
    name: 'first-byte',
    ms: clocks.firstByteMs,
  }
  let since = clock.monotonic()
  let busySince: number | null = null

  const fail = (error: UpstreamHttpError) => {
    if (failure) return
    failure = error
    stop()
    controller.abort(error)
  }
  const expire = (name: UpstreamClockName, ms: number) =>
    fail(new UpstreamHttpError('timeout', WHAT_EXPIRED[name](ms), name))
  const check = () => {
    const left = busySince === null ? silence.ms - (clock.monotonic() - since) : silence.ms
    if (left <= 0) return expire(silence.name, silence.ms)
    cancelSilence = clock.after(Math.ceil(left), check)
  }
  const onAbort = () => fail(new UpstreamHttpError('aborted', 'The call was aborted.'))
  let cancelSilence = clock.after(silence.ms, check)
  const cancelWhole = clock.after(clocks.wholeMs, () => expire('whole', clocks.wholeMs))
  const stop = () => {
    cancelSilence()
    cancelWhole()
    signal.removeEventListener('abort', onAbort)
  }
  if (signal.aborted) onAbort()
  else signal.addEventListener('abort', onAbort, { once: true })

  return {
    signal: controller.signal,
    progress() {
      since = clock.monotonic()
      if (busySince !== null) busySince = since
      if (silence.name === 'idle') return
      silence = { name: 'idle', ms: clocks.idleMs }
      cancelSilence()
      cancelSilence = clock.after(silence.ms, check)
    },
    waiting(on) {
      if (!on) busySince = clock.monotonic()
      else if (busySince !== null) {
        since += clock.monotonic() - busySince
        busySince = null
      }
    },
    failure: () => failure,
    abort: () => controller.abort(),
    stop,
  }
}

const WHAT_EXPIRED: Readonly<Record<UpstreamClockName, (ms: number) => string>> = {
  connect: (ms) => `no connection within ${ms / 1000} s`,
  'first-byte': (ms) => `no reply within ${ms / 1000} s`,
  idle: (ms) => `nothing new for ${ms / 1000} s`,
  whole: (ms) => `the reply took longer than ${ms / 1000} s`,
}

function createReply(
  { statusCode, headers, body }: Dispatcher.ResponseData,
  watch: Watch,
  clock: Clock,
): UpstreamReply {
  // A body that is destroyed while nobody reads it reports that here; the next read throws it as well.
  body.on('error', () => {})
  const chunks: AsyncIterator<Uint8Array> = body[Symbol.asyncIterator]()
  /** Nothing is left to do: read to the end, failed, released or destroyed. */
  let over = false
  const finish = () => {
    over = true
    watch.stop()
  }
  const close = () => {
    body.destroy()
    watch.abort()
  }
  const read = async (): Promise<Uint8Array | null> => {
    watch.waiting(true)
    try {
      const next = await chunks.next()
      const failure = watch.failure()
      if (failure) throw failure
      watch.waiting(false)
      if (!next.done) return next.value
      finish()
      return null
    } catch (error) {
      finish()
      body.destroy()
      throw watch.failure() ?? toUpstreamError(error)
    }
  }
  return {
    status: statusCode,
    header: (name) => firstValue(headers[name]),
    read,
    progress: watch.progress,
    async readText(maxBytes) {
      const parts: Uint8Array[] = []
      let size = 0
      for (let chunk = await read(); chunk; chunk = await read()) {
        watch.progress()
        parts.push(chunk)
        size += chunk.byteLength
        if (size > maxBytes) return { text: Buffer.concat(parts).toString('utf8', 0, maxBytes), complete: false }
      }
      return { text: Buffer.concat(parts).toString('utf8'), complete: true }
    },
    release() {
      if (over) return
      finish()
      void drain(chunks, clock, close)
    },
    destroy() {
      if (over) return
      finish()
      close()
    },
  }
}

/** Reads a finished reply to its end, so that the next call can have its connection. */
async function drain(chunks: AsyncIterator<Uint8Array>, clock: Clock, close: () => void): Promise<void> {
  const cancel = clock.after(DRAIN_MS, close)
  try {
    let left = DRAIN_BYTES
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) {
      left -= next.value.byteLength
      if (left < 0) return close()
    }
  } catch {
    // The reply was complete already; how its connection went down matters to nobody.
  } finally {
    cancel()
  }
}

const firstValue = (value: string | string[] | undefined): string | null =>
  (Array.isArray(value) ? value[0] : value) ?? null

const codeOf = (error: unknown): string => {
  if (!(error instanceof Error)) return ''
  if ('code' in error && typeof error.code === 'string') return error.code
  // Happy eyeballs: one error per address that was tried.
  return error instanceof AggregateError ? codeOf(error.errors[0]) : ''
}

function toUpstreamError(error: unknown): UpstreamHttpError {
  if (error instanceof UpstreamHttpError) return error
  const code = codeOf(error)
  if (code === 'UND_ERR_CONNECT_TIMEOUT') {
    return new UpstreamHttpError('timeout', 'no connection in time', 'connect', error)
  }
  if (error instanceof errors.HTTPParserError || code === 'UND_ERR_HEADERS_OVERFLOW') {
    return new UpstreamHttpError('malformed', 'the answer is not HTTP', null, error)
  }
  if (code === '' || code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code === 'EPIPE') {
    return new UpstreamHttpError('connection', 'the connection was lost', null, error)
  }
  return new UpstreamHttpError('connection', `no connection (${code})`, null, error)
}
