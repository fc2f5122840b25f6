/** One request and its reply: what the edge knows of it from the first byte to the log line. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Principal } from '../auth/principal.ts'
import type { Caller } from '../engine/engine.ts'
import type { Params } from './path-pattern.ts'
import type { Query } from './query.ts'

export type Exchange = {
  readonly requestId: string
  /** The route's pattern for the log and the metrics: never a raw path, which may hold anything. */
  readonly route: string
  /** Milliseconds of the monotonic clock. */
  readonly startedAt: number
  readonly clientRequestId: string | null
  readonly sessionId: string | null
  /** Sent with the reply, whatever that will be. Values are server-made or checked, never raw input. */
  readonly headers: Record<string, string>
  principal: Principal | null
  errorCode: string | null
  /** The rest of a refused body is read for a moment, so that its sender gets to see the refusal. */
  lingers: boolean
  /** The connection closed before the reply was written. */
  readerGone: boolean
  /** Called when that happens. */
  onReaderGone: (() => void) | null
}

/** A request that can be answered. */
export type Reply = {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly exchange: Exchange
}

/** What a route's handler gets. */
export type Call = Reply & {
  /** Of the path, decoded. */
  readonly params: Params
  readonly query: Query
}

export type AuthorizedCall = Call & {
  readonly caller: Caller
  /** Aborts `caller.signal`. */
  readonly abort: AbortController
  /** Parsed JSON; undefined on a route without a body. */
  readonly body: unknown
}

export type Answer =
  | { readonly type: 'json'; readonly status?: number; readonly value: unknown }
  | { readonly type: 'text'; readonly contentType: string; readonly text: string }
  /** 204. */
  | { readonly type: 'empty'; readonly headers: Readonly<Record<string, string>> }
  /** The handler has written the reply itself. */
  | { readonly type: 'written' }

export const json = (value: unknown, status = 200): Answer => ({ type: 'json', status, value })

const OPENAI_VERSION = '2020-10-01'
/** A client's own id of a request or session, echoed and logged; anything else is dropped. */
const SAFE_ID = /^[A-Za-z0-9._-]{1,64}$/

export function createExchange(
  request: IncomingMessage,
  { requestId, route, startedAt }: Pick<Exchange, 'requestId' | 'route' | 'startedAt'>,
): Exchange {
  const clientRequestId = safeHeader(request, 'x-client-request-id')
  return {
    requestId,
    route,
    startedAt,
    clientRequestId,
    sessionId: safeHeader(request, 'session-id') ?? safeHeader(request, 'thread-id'),
    headers: {
      ...standardHeaders(requestId),
      ...(clientRequestId !== null && { 'x-client-request-id': clientRequestId }),
    },
    principal: null,
    errorCode: null,
    lingers: false,
    readerGone: false,
    onReaderGone: null,
  }
}

export const standardHeaders = (requestId: string): Record<string, string> => ({
  'x-request-id': requestId,
  'openai-version': OPENAI_VERSION,
  'x-content-type-options': 'nosniff',
})

export const processingMs = (startedAt: number, now: number) => String(Math.max(0, Math.round(now - startedAt)))

function safeHeader(request: IncomingMessage, name: string): string | null {
  const value = request.headers[name]
  return typeof value === 'string' && SAFE_ID.test(value) ? value : null
}

/**
 * Whether the rest of the request may be too much to skim after the reply. Such a reply closes the connection, so that
 * nobody can make the server read a body that it has already refused.
 */
export function leavesLargeBody(request: IncomingMessage, skimBytes: number): boolean {
  if (request.complete) return false
  const { headers } = request
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > skimBytes
}
