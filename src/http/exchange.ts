/** One request and its reply: what the edge knows of it from the first byte to the log line. */
import type { IncomingMessage } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Principal } from '../auth/principal.ts'
import type { Caller } from '../engine/engine.ts'

export type Exchange = {
  readonly requestId: string
  /** Milliseconds of the monotonic clock. */
  readonly startedAt: number
  readonly clientRequestId: string | null
  readonly sessionId: string | null
  /** Sent with the reply, whatever that will be. Values are server-made or checked, never raw input. */
  readonly headers: Record<string, string>
  principal: Principal | null
  errorCode: string | null
  /** The connection closed before the reply was written. */
  readerGone: boolean
  /** Called when that happens. */
  onReaderGone: (() => void) | null
}

/** What a route's handler gets. */
export type Call = {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly exchange: Exchange
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

declare module 'fastify' {
  interface FastifyRequest {
    exchange: Exchange | null
  }
}

const OPENAI_VERSION = '2020-10-01'
/** A client's own id of a request or session, echoed and logged; anything else is dropped. */
const SAFE_ID = /^[A-Za-z0-9._-]{1,64}$/

export function createExchange(requestId: string, raw: IncomingMessage, startedAt: number): Exchange {
  const clientRequestId = safeHeader(raw, 'x-client-request-id')
  return {
    requestId,
    startedAt,
    clientRequestId,
    sessionId: safeHeader(raw, 'session-id') ?? safeHeader(raw, 'thread-id'),
    headers: {
      ...standardHeaders(requestId),
      ...(clientRequestId !== null && { 'x-client-request-id': clientRequestId }),
    },
    principal: null,
    errorCode: null,
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

function safeHeader(raw: IncomingMessage, name: string): string | null {
  const value = raw.headers[name]
  return typeof value === 'string' && SAFE_ID.test(value) ? value : null
}

/**
 * Whether the rest of the request may be too much to skim after the reply. Such a reply closes the connection, so that
 * nobody can make the server read a body that it has already refused.
 */
export function leavesLargeBody(raw: IncomingMessage, skimBytes: number): boolean {
  if (raw.complete) return false
  return raw.headers['transfer-encoding'] !== undefined || Number(raw.headers['content-length'] ?? 0) > skimBytes
}
