/**
 * `fetch` for one MCP server: to its origin alone, by way of the guard, no redirect followed, and no reply larger than
 * allowed, whether it comes at once or as a stream that never ends.
 */
import type { RequestInit as UndiciInit } from 'undici'
import { type OutboundGuard, OutboundRefused } from '../../lib/outbound-guard.ts'

export type BoundedFetchParts = {
  readonly guard: OutboundGuard
  readonly origin: string
  readonly headers: Readonly<Record<string, string>>
  readonly maxBytes: number
  /** Told once a reply was cut off, because the reader of a stream may only see that it ended. */
  readonly onExcess: () => void
}

type Fetch = (url: string | URL, init?: RequestInit) => Promise<Response>

export function createBoundedFetch(parts: BoundedFetchParts): Fetch {
  const { guard, origin, headers, maxBytes, onExcess } = parts
  return async (given, init) => {
    const url = guard.check(given)
    if (url.origin !== origin) throw new OutboundRefused('it leads to another origin than that of the server')
    const sent = { ...Object.fromEntries(new Headers(init?.headers)), ...headers }
    const options: UndiciInit = {
      method: init?.method ?? 'GET',
      headers: sent,
      redirect: 'manual',
      dispatcher: guard.dispatcher,
      ...(typeof init?.body === 'string' && { body: init.body }),
      ...(init?.signal && { signal: init.signal }),
    }
    // Loaded on use: see the rules of the house.
    const { fetch } = await import('undici')
    const reply = await fetch(url, options)
    const body = reply.body === null || EMPTY.has(reply.status) ? null : bounded(reply.body, maxBytes, onExcess)
    return new Response(body, { status: reply.status, headers: [...reply.headers] })
  }
}

const EMPTY: ReadonlySet<number> = new Set([204, 205, 304])

function bounded(body: AsyncIterable<Uint8Array>, maxBytes: number, onExcess: () => void): ReadableStream<Uint8Array> {
  const parts = body[Symbol.asyncIterator]()
  let bytes = 0
  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await parts.next()
        if (done) return controller.close()
        bytes += value.byteLength
        if (bytes <= maxBytes) return controller.enqueue(value)
        onExcess()
        await parts.return?.()
        controller.error(new RangeError(`a reply is larger than ${maxBytes} bytes`))
      },
      async cancel() {
        await parts.return?.()
      },
    },
    { highWaterMark: 0 },
  )
}
