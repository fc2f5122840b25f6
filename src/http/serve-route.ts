/**
 * One request through one route. The order is a promise: who is asking, what they may do, how often, and only then the
 * body and the handler.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Authenticator, Principal } from '../auth/principal.ts'
import { RunAbort } from '../engine/engine.ts'
import type { Clock } from '../lib/clock.ts'
import { ApiError } from '../protocol/errors.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import type { ActiveRequests } from './active-requests.ts'
import type { Answer, Exchange } from './exchange.ts'
import type { HttpLimits } from './limits.ts'
import { type RateLimiter, rateHeaders } from './rate-limiter.ts'
import { hasBody, readJsonBody } from './read-json-body.ts'
import { type ProtectedRoute, type Route, requireScope } from './route-table.ts'

export type ServePorts = {
  readonly authenticator: Authenticator
  readonly rateLimiter: RateLimiter | null
  readonly telemetry: Telemetry
  readonly clock: Clock
  readonly limits: HttpLimits
  readonly active: ActiveRequests
  readonly isDraining: () => boolean
}

export async function serveRoute(
  ports: ServePorts,
  route: Route,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Answer> {
  const exchange = exchangeOf(request)
  if (route.access === 'public') return route.handle({ request, reply, exchange })
  if (ports.isDraining()) throw shuttingDown()
  const principal = await authorize(ports, route, request, exchange)
  return runHandler(ports, route, { request, reply, exchange, principal })
}

/** Invariant: the first hook of every request makes its exchange. */
export function exchangeOf(request: FastifyRequest): Exchange {
  if (request.exchange === null) throw new Error('the request has no exchange')
  return request.exchange
}

async function authorize(ports: ServePorts, route: ProtectedRoute, request: FastifyRequest, exchange: Exchange) {
  const address = request.raw.socket.remoteAddress ?? ''
  const principal = await ports.authenticator.authenticate(request.headers.authorization ?? null, address)
  exchange.principal = principal
  requireScope(principal, route.access)
  countRequest(ports, principal, exchange)
  return principal
}

/** Throws `ApiError` 429. */
export function countRequest(
  { rateLimiter, telemetry }: Pick<ServePorts, 'rateLimiter' | 'telemetry'>,
  principal: Principal,
  exchange: Pick<Exchange, 'headers'>,
): void {
  if (rateLimiter === null) return
  try {
    Object.assign(exchange.headers, rateHeaders(rateLimiter.take(principal)))
  } catch (error) {
    telemetry.rateLimited({ reason: 'requests' })
    throw error
  }
}

type Admitted = {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly exchange: Exchange
  readonly principal: Principal
}

/** Whoever waits for the handler may leave, and the server may have to stop: both end its work by the signal. */
async function runHandler({ active, limits }: ServePorts, route: ProtectedRoute, admitted: Admitted): Promise<Answer> {
  const { request, exchange, principal } = admitted
  const abort = new AbortController()
  exchange.onReaderGone = () => abort.abort(new RunAbort('reader-gone'))
  if (exchange.readerGone) exchange.onReaderGone()
  const leave = active.enter((reason) => abort.abort(reason))
  try {
    const wanted = route.body === 'json' || (route.body === 'optional-json' && hasBody(request.raw))
    const body = wanted ? await readJsonBody(request.raw, limits) : undefined
    const caller = { principal, requestId: exchange.requestId, signal: abort.signal }
    return await route.handle({ ...admitted, caller, abort, body })
  } finally {
    leave()
  }
}

export const shuttingDown = () =>
  new ApiError({
    status: 503,
    code: 'server_shutting_down',
    message: 'The server is shutting down. Please try again in a moment.',
    headers: { connection: 'close', 'retry-after': '1', 'x-should-retry': 'true' },
  })
