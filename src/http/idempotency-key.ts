/** The `Idempotency-Key` header: what makes a request the same request when it is sent again. */
import { hash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Caller, IdempotentRequest } from '../engine/engine.ts'
import { canonicalJson } from '../lib/canonical-json.ts'
import { badRequest } from '../protocol/errors.ts'
import type { AuthorizedCall } from './exchange.ts'

const PRINTABLE = /^[\x20-\x7e]{1,255}$/

/** Null without the header. Throws 400 when it cannot be a key. */
export function readIdempotencyKey(raw: IncomingMessage, body: unknown): IdempotentRequest | null {
  const key = raw.headers['idempotency-key']
  if (key === undefined) return null
  if (typeof key !== 'string' || !PRINTABLE.test(key)) {
    throw badRequest(
      'Idempotency-Key',
      'invalid_value',
      "Invalid header 'Idempotency-Key': expected 1 to 255 printable ASCII characters.",
    )
  }
  return { keyDigest: hash('sha256', key, 'hex'), fingerprint: hash('sha256', canonicalJson(body), 'hex') }
}

/** What a reply says that is the one of an earlier request. */
export const REPLAYED = { 'idempotency-replayed': 'true' } as const

/**
 * The caller of a request that may be sent twice. `place`: what its URL says beside the route; the same key at another
 * place is another request, as it is with another body.
 */
export function callerOnce({ caller, request, exchange, body }: AuthorizedCall, ...place: unknown[]): Caller {
  const key = readIdempotencyKey(request, place.length === 0 ? (body ?? null) : [...place, body])
  if (key === null) return caller
  return { ...caller, idempotency: { ...key, onReplay: () => void Object.assign(exchange.headers, REPLAYED) } }
}
