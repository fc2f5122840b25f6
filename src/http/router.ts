/** The router: fastify with our routes, one hook, one error handler, and nothing of its own in any reply. */
import type { RequestListener, Server } from 'node:http'
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import type { Ids } from '../lib/ids.ts'
import { ApiError } from '../protocol/errors.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import { corsHeaders, preflightHeaders } from './cors.ts'
import { toFailure, writeFailure } from './error-funnel.ts'
import type { Answer } from './exchange.ts'
import { type GuardSettings, guard } from './guards.ts'
import type { HttpLimits } from './limits.ts'
import type { Replier } from './replier.ts'
import { rewriteUrl } from './rewrite-url.ts'
import type { Route, RouteTable } from './route-table.ts'
import { exchangeOf, type ServePorts, serveRoute } from './serve-route.ts'

export type RouterOptions = {
  readonly table: RouteTable
  readonly createServer: (listener: RequestListener) => Server
  readonly guardSettings: () => GuardSettings
  readonly replier: Replier
  readonly ports: ServePorts
  readonly ids: Ids
  readonly telemetry: Telemetry
  readonly limits: HttpLimits
}

export function createRouter(options: RouterOptions): FastifyInstance {
  const app = createApp(options)
  // Bodies are read by the routes that want one, after they know who asks; the framework's own parsers are off.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, _payload, done) => done(null))
  app.decorateRequest('exchange', null)
  app.addHook('onRequest', (request, reply, done) => {
    request.exchange = options.replier.open(request, reply.raw)
    const refusal = guard(request.raw, request.originalUrl, options.guardSettings())
    if (refusal === null) Object.assign(request.exchange.headers, corsHeaders(request.raw.headers))
    done(refusal ?? undefined)
  })
  app.setErrorHandler((thrown, request, reply) => options.replier.fail(exchangeOf(request), request, reply, thrown))
  app.setNotFoundHandler((request, reply) => {
    const answer = answerUnrouted(request, options.table)
    return options.replier.send(exchangeOf(request), request, reply, answer)
  })
  for (const route of options.table.routes) addRoute(app, route, options)
  return app
}

function createApp({ createServer, ids, replier, telemetry, limits }: RouterOptions): FastifyInstance {
  return fastify({
    logger: false,
    serverFactory: (handler) => createServer((request, response) => handler(request, response)),
    genReqId: () => ids.next('req'),
    rewriteUrl: (request) => rewriteUrl(request.url ?? '/'),
    routerOptions: { maxParamLength: limits.urlBytes },
    forceCloseConnections: true,
    return503OnClosing: false,
    // The server's own handler answers; the framework's would answer a second time.
    clientErrorHandler: () => {},
    // Bad percent-encoding never reaches a hook, so its exchange begins and ends here.
    frameworkErrors(error, request, reply) {
      const exchange = replier.open(request, reply.raw)
      const failure = toFailure(error, exchange.requestId, '(unknown)', telemetry)
      writeFailure(reply.raw, failure, replier.headers(exchange, request))
    },
  })
}

function addRoute(app: FastifyInstance, route: Route, { replier, ports }: RouterOptions): void {
  app.route({
    method: route.method,
    url: route.pattern,
    handler: async (request, reply) => {
      const answer = await serveRoute(ports, route, request, reply)
      return replier.send(exchangeOf(request), request, reply, answer)
    },
  })
}

const MAX_ECHO = 256

/** OPTIONS, a wrong method, or a path where nothing is. */
function answerUnrouted(request: FastifyRequest, table: RouteTable): Answer {
  const path = (request.raw.url ?? '').split('?', 1)[0] ?? ''
  const shown = path.slice(0, MAX_ECHO)
  const allow = table.allowed(path).join(', ')
  if (allow === '') throw unknownPath(request.method, shown)
  if (request.method === 'OPTIONS')
    return { type: 'empty', headers: { allow, ...preflightHeaders(request.raw.headers, allow) } }
  throw new ApiError({
    status: 405,
    message: `Method ${request.method} is not allowed for ${shown}. Allowed methods are: ${allow}.`,
    headers: { allow },
  })
}

const unknownPath = (method: string, path: string) =>
  new ApiError({
    status: 404,
    code: 'unknown_url',
    message:
      `Invalid URL (${method} ${path}). The base URL of this API ends in /v1: point your client at ` +
      'http://HOST:PORT/v1 and it calls, for example, POST /v1/responses.',
  })
