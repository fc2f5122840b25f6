/**
 * From a request line to a reply: finds the route, refuses what may not pass, and hands the rest to its route.
 *
 * Every request gets exactly one reply, and its exchange is open before anything is refused, so that a refusal has the
 * same headers and the same line in the log as an answer.
 */
import type { IncomingMessage, RequestListener } from 'node:http'
import { ApiError, badRequest } from '../protocol/errors.ts'
import { corsHeaders, preflightHeaders } from './cors.ts'
import type { Answer, Reply } from './exchange.ts'
import { type GuardSettings, guard } from './guards.ts'
import { toSegments } from './path-pattern.ts'
import { type Query, readQuery } from './query.ts'
import type { Replier } from './replier.ts'
import { rewriteUrl } from './rewrite-url.ts'
import type { FoundRoute, RouteTable } from './route-table.ts'
import { type ServePorts, serveRoute } from './serve-route.ts'

export type RouterOptions = {
  readonly table: RouteTable
  readonly guardSettings: () => GuardSettings
  readonly replier: Replier
  readonly ports: ServePorts
}

/** For the log and the metrics. */
const NO_ROUTE = '(unknown)'

export function createRouter({ table, guardSettings, replier, ports }: RouterOptions): RequestListener {
  const answer = async (reply: Reply, place: Place): Promise<Answer> => {
    const { request, exchange } = reply
    const refusal = guard(request, request.url ?? '', guardSettings())
    if (refusal !== null) throw refusal
    Object.assign(exchange.headers, corsHeaders(request.headers))
    const { found, query } = place
    if (found === null) return answerUnrouted(request, place, table)
    return serveRoute(ports, found.route, { ...reply, params: found.params, query })
  }
  const serve = async (reply: Reply, place: Place): Promise<void> => {
    try {
      replier.send(reply, await answer(reply, place))
    } catch (thrown) {
      replier.fail(reply, thrown)
    }
  }
  return (request, response) => {
    const place = locate(request, table)
    const exchange = replier.open(request, response, place.found?.route.pattern ?? NO_ROUTE)
    void serve({ request, response, exchange }, place)
  }
}

/** What the request line points at. */
type Place = {
  readonly path: string
  /** Null: the path cannot be decoded. */
  readonly segments: readonly string[] | null
  readonly query: Query
  readonly found: FoundRoute | null
}

function locate({ method = '', url = '' }: IncomingMessage, table: RouteTable): Place {
  const forgiven = rewriteUrl(url)
  const end = forgiven.indexOf('?')
  const path = end === -1 ? forgiven : forgiven.slice(0, end)
  const segments = toSegments(path)
  const query = readQuery(end === -1 ? '' : forgiven.slice(end + 1))
  return { path, segments, query, found: segments && table.find(method, segments) }
}

const MAX_ECHO = 256

/** OPTIONS, a wrong method, or a path where nothing is. */
function answerUnrouted(
  { method = '', headers }: IncomingMessage,
  { path, segments }: Place,
  table: RouteTable,
): Answer {
  if (segments === null) throw badRequest(null, null, 'The URL holds a percent sign that does not begin a character.')
  const shown = path.slice(0, MAX_ECHO)
  const allow = table.allowed(segments).join(', ')
  if (allow === '') throw unknownPath(method, shown)
  if (method === 'OPTIONS') return { type: 'empty', headers: { allow, ...preflightHeaders(headers, allow) } }
  throw new ApiError({
    status: 405,
    message: `Method ${method} is not allowed for ${shown}. Allowed methods are: ${allow}.`,
    headers: { allow },
  })
}

const NO_SUCH_ENDPOINT = 'This server has no such endpoint; GET /openapi.json lists those it has.'
const BASE_URL =
  'The base URL of this API ends in /v1: point your client at http://HOST:PORT/v1 and it calls, for example, ' +
  'POST /v1/responses.'

const unknownPath = (method: string, path: string) =>
  new ApiError({
    status: 404,
    code: 'unknown_url',
    message: `Invalid URL (${method} ${path}). ${path.startsWith('/v1/') ? NO_SUCH_ENDPOINT : BASE_URL}`,
  })
