/**
 * One request through one route. The order is a promise: who is asking, what they may do, how often, and only then the
 * body and the handler.
 */
import type { IncomingMessage } from 'node:http'
import type { Authenticator, Principal } from '../auth/principal.ts'
import { RunAbort } from '../engine/engine.ts'
import type { Clock } from '../lib/clock.ts'
import { ApiError } from '../protocol/errors.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import type { ActiveRequests } from './active-requests.ts'
import type { Answer, Call, Exchange } from './exchange.ts'
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
  /** Requests whose body has a clock of its own, in the place of the server's. */
  readonly ownClocks: WeakSet<IncomingMessage>
}

export async function serveRoute(ports: ServePorts, route: Route, call: Call): Promise<Answer> {
  if (route.access === 'public') return route.handle(call)
  if (ports.isDraining()) throw shuttingDown()
  const principal = await authorize(ports, route, call)
  return runHandler(ports, route, call, principal)
}

async function authorize(ports: ServePorts, route: ProtectedRoute, { request, exchange }: Call): Promise<Principal> {
  const address = request.socket.remoteAddress ?? ''
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

/** Whoever waits for the handler may leave, and the server may have to stop: both end its work by the signal. */
async function runHandler(
  { active, limits, ownClocks }: ServePorts,
  route: ProtectedRoute,
  call: Call,
  principal: Principal,
): Promise<Answer> {
  const { request, exchange } = call
  if (route.body === 'form') ownClocks.add(request)
  const abort = new AbortController()
  exchange.onReaderGone = () => abort.abort(new RunAbort('reader-gone'))
  if (exchange.readerGone) exchange.onReaderGone()
  const leave = active.enter((reason) => abort.abort(reason))
  try {
    const wanted = route.body === 'json' || (route.body === 'optional-json' && hasBody(request))
    const body = wanted ? await readJsonBody(request, limits) : undefined
    const caller = { principal, requestId: exchange.requestId, signal: abort.signal }
    return await route.handle({ ...call, caller, abort, body })
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
