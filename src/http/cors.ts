/**
 * What a browser needs before a page of another origin may read a reply. Only origins that the operator listed get it,
 * and always by name: with keys in requests there is no `*`.
 */
import type { IncomingHttpHeaders } from 'node:http'

/** Headers of ours that a page may read. */
const EXPOSED =
  'x-request-id, retry-after, openai-processing-ms, x-antiphon-provider, x-antiphon-model, x-antiphon-warnings, ' +
  'idempotency-replayed'
/** SDKs send headers of their own that no fixed list would keep up with; names are checked, not values. */
const HEADER_LIST = /^[A-Za-z0-9_, -]{1,1024}$/
const PREFLIGHT_SECONDS = '600'

/** For any reply; nothing for a request without an origin. The guard has refused origins that are not listed. */
export function corsHeaders({ origin }: IncomingHttpHeaders): Record<string, string> {
  if (origin === undefined) return {}
  return { 'access-control-allow-origin': origin, 'access-control-expose-headers': EXPOSED, vary: 'origin' }
}

/** For OPTIONS. `allow`: the methods of the path. */
export function preflightHeaders(headers: IncomingHttpHeaders, allow: string): Record<string, string> {
  if (headers.origin === undefined || headers['access-control-request-method'] === undefined) return {}
  const wanted = headers['access-control-request-headers'] ?? ''
  return {
    'access-control-allow-methods': allow,
    'access-control-allow-headers': HEADER_LIST.test(wanted) ? wanted : 'authorization, content-type',
    'access-control-max-age': PREFLIGHT_SECONDS,
  }
}
