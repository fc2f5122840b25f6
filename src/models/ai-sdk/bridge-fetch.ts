/**
 * The `fetch` that packages are given: their calls go over our own client, so that closing one closes its socket, and
 * the ledger learns status and request id. Whose call it is, the asynchronous context says: packages are made once per
 * connection, and their calls run side by side.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Dispatcher } from 'undici'
import type { Clock } from '../../lib/clock.ts'
import { DEFAULT_SSE_LIMITS, SseError, type SseLimits } from '../../lib/sse-decode.ts'
import { callUpstream, type UpstreamClocks, type UpstreamReply } from '../../lib/upstream-http.ts'

/** One call of a model, as its `fetch` knows it. */
export type Exchange = {
  /** Ends the call. */
  readonly signal: AbortSignal
  replied(reply: UpstreamReply): void
  /** The first failure of the connection; packages wrap it beyond recognition. */
  failed(error: unknown): void
}

export type BridgeNetwork = {
  readonly dispatcher: Dispatcher
  readonly clock: Clock
  readonly clocks: UpstreamClocks
  readonly limits?: SseLimits
}

export interface BridgeFetch {
  readonly fetch: typeof globalThis.fetch
  /** What `work` fetches belongs to `exchange`. */
  within<T>(exchange: Exchange, work: () => T): T
}

/** Headers that packages read. */
const SHOWN_HEADERS = [
  'content-type',
  'retry-after',
  'retry-after-ms',
  'date',
  'x-request-id',
  'request-id',
  'x-amzn-requestid',
  'x-amzn-errortype',
]
/** An error body is read no further than this. */
const MAX_ERROR_BYTES = 64 * 1024
/** Statuses that `Response` takes no body with. */
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304])

export function createBridgeFetch(network: BridgeNetwork): BridgeFetch {
  const { dispatcher, clock, clocks, limits = DEFAULT_SSE_LIMITS } = network
  const current = new AsyncLocalStorage<Exchange>()
  // The watch over the whole call has these clocks: here they would measure the wrong thing, bytes instead of parts.
  const wholeOnly = { ...clocks, firstByteMs: clocks.wholeMs, idleMs: clocks.wholeMs }
  return {
    within: (exchange, work) => current.run(exchange, work),
    async fetch(input, init) {
      const exchange = current.getStore()
      if (!exchange) throw new TypeError('A provider package called its provider outside of a call of its model.')
      try {
        const { signal } = exchange
        const request = readRequest(input, init)
        const reply = await callUpstream({ dispatcher, ...request, signal, clock, clocks: wholeOnly })
        exchange.replied(reply)
        return await toResponse(reply, exchange, limits.streamBytes)
      } catch (error) {
        exchange.failed(error)
        throw error
      }
    },
  }
}

function readRequest(input: string | URL | Request, init: RequestInit | undefined) {
  if (input instanceof Request) throw new TypeError('A provider package sent a Request, which is not read here.')
  const body = init?.body ?? null
  const method = init?.method?.toUpperCase() ?? 'GET'
  if (body !== null && typeof body !== 'string') throw new TypeError('A provider package sent a body that is no text.')
  if (method !== (body === null ? 'GET' : 'POST')) throw new TypeError(`A provider package sent a ${method}.`)
  return { url: new URL(input), headers: Object.fromEntries(new Headers(init?.headers)), body }
}

async function toResponse(reply: UpstreamReply, exchange: Exchange, maxBytes: number): Promise<Response> {
  const { status } = reply
  const headers = new Headers()
  for (const name of SHOWN_HEADERS) {
    const value = reply.header(name)
    if (value !== null) headers.set(name, value)
  }
  if (BODILESS.has(status)) return new Response(null, { status, headers })
  if (status < 200 || status > 299) {
    const { text } = await reply.readText(MAX_ERROR_BYTES)
    return new Response(text, { status: Math.min(Math.max(status, 200), 599), headers })
  }
  return new Response(toBody(reply, exchange, maxBytes), { status, headers })
}

/** Reads only what the package asks for. */
function toBody(reply: UpstreamReply, exchange: Exchange, maxBytes: number): ReadableStream<Uint8Array> {
  let bytes = 0
  return new ReadableStream(
    {
      async pull(controller) {
        try {
          const chunk = await reply.read()
          if (chunk === null) return controller.close()
          bytes += chunk.byteLength
          if (bytes > maxBytes) throw new SseError(`it is longer than ${maxBytes} bytes`)
          controller.enqueue(chunk)
        } catch (error) {
          exchange.failed(error)
          controller.error(error)
        }
      },
      cancel: () => reply.destroy(),
    },
    { highWaterMark: 0 },
  )
}
