/**
 * The HTTP edge: the Responses API over HTTP/1.1 in front of the engine. Everything it needs comes in as an argument;
 * it knows no adapter.
 */
import type { IncomingMessage } from 'node:http'
import type { Authenticator } from '../auth/principal.ts'
import type { ContainersApi } from '../engine/containers.ts'
import { type Engine, RunAbort } from '../engine/engine.ts'
import type { VectorStores } from '../engine/vector-stores/vector-stores.ts'
import type { Webhooks } from '../engine/webhooks.ts'
import type { Clock } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import type { ModelCatalog } from '../models/catalog.ts'
import type { EmbedderCatalog } from '../models/embedder.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import { type ActiveRequests, createActiveRequests } from './active-requests.ts'
import { createPadding } from './event-json.ts'
import { type GuardSettings, LOOPBACK_NAMES } from './guards.ts'
import { DEFAULT_HTTP_LIMITS, type HttpLimits } from './limits.ts'
import { createListeners, type Listeners } from './listeners.ts'
import { createNodeServer } from './node-server.ts'
import { createRateLimiter, type RateLimiter } from './rate-limiter.ts'
import { createRawReplies } from './raw-replies.ts'
import { createReplier } from './replier.ts'
import { buildRouteTable } from './route-table.ts'
import { createRouter } from './router.ts'
import { createRoutes } from './routes/all-routes.ts'
import type { Metrics, Readiness, Validators } from './routes/route-ports.ts'
import { createWebSockets, type WebSockets } from './websocket/web-sockets.ts'

export type HttpServerOptions = {
  readonly engine: Engine
  readonly vectorStores: VectorStores
  readonly webhooks: Webhooks
  readonly containers: ContainersApi
  readonly catalog: ModelCatalog
  readonly embedders: EmbedderCatalog
  readonly authenticator: Authenticator
  readonly telemetry: Telemetry
  readonly validate: Validators
  readonly clock: Clock
  readonly ids: Ids
  /** What differs from `DEFAULT_HTTP_LIMITS`. */
  readonly limits?: Partial<HttpLimits>
  readonly settings?: Partial<HttpSettings>
  /** Default: in memory, `limits.requestsPerMinute` per key; none when that is 0. */
  readonly rateLimiter?: RateLimiter | null
  /** Asked once, by the first who wants `/openapi.json`. */
  readonly openapiDocument: () => Promise<object>
  readonly metrics: Metrics
  readonly readiness: Readiness
  readonly version: string
}

export type HttpSettings = {
  /**
   * Names this server answers to besides the loopback ones. Empty: on a loopback address only those, on any other
   * address every name.
   */
  readonly allowedHosts: readonly string[]
  /** Web pages whose requests are taken, as `https://host:port`. Others get 403; see `cors.ts`. */
  readonly allowedOrigins: readonly string[]
  /** `GET /metrics` without a key. */
  readonly openMetrics: boolean
}

export interface HttpServer {
  /** Port 0 takes a free one. Rejects when the address cannot be had. */
  listen(host: string, port: number): Promise<ListenAddress>
  /** Null when not listening. */
  address(): ListenAddress | null
  /**
   * Refuses new requests, waits for those that run, at most `deadlineMs`, then stops them and waits until each has
   * written its end, then closes. Later calls wait for the first.
   */
  drain(deadlineMs: number): Promise<void>
  /** `drain` without a wait: running requests are stopped at once. */
  close(): Promise<void>
}

export type ListenAddress = { readonly host: string; readonly port: number; readonly url: string }

export function createHttpServer(options: HttpServerOptions): HttpServer {
  const { clock, ids, telemetry } = options
  const limits = { ...DEFAULT_HTTP_LIMITS, ...options.limits }
  const settings = { allowedHosts: [], allowedOrigins: [], openMetrics: false, ...options.settings }
  const active = createActiveRequests()
  const ownClocks = new WeakSet<IncomingMessage>()
  const replies = createRawReplies({ ids, telemetry, ownClocks })
  let draining: Promise<void> | null = null
  const isDraining = () => draining !== null
  const base = { clock, ids, telemetry, limits, active, isDraining }
  const replier = createReplier(base)
  const rateLimiter = options.rateLimiter ?? defaultRateLimiter(clock, limits)
  const ports = { ...base, ownClocks, authenticator: options.authenticator, rateLimiter }
  const padding = createPadding(ids)
  let guardSettings = toGuardSettings(settings, limits, '127.0.0.1')
  const { engine, validate } = options
  const webSockets = createWebSockets({
    ...ports,
    ...{ engine, validate, padding, replies },
    guardSettings: () => guardSettings,
  })
  const routes = createRoutes({ ...options, limits, replier, isDraining, openMetrics: settings.openMetrics })
  const router = createRouter({
    table: buildRouteTable(routes),
    guardSettings: () => guardSettings,
    replier,
    ports,
  })
  const listeners = createListeners(() => createNodeServer(router, limits, { ...replies, upgrade: webSockets.upgrade }))
  const drain = (deadlineMs: number) => {
    draining ??= shutDown({ listeners, active, webSockets }, { clock, deadlineMs, graceMs: limits.shutdownGraceMs })
    return draining
  }
  return {
    async listen(host, port) {
      guardSettings = toGuardSettings(settings, limits, host)
      await listeners.listen(host, port)
      const address = addressOf(listeners)
      if (address === null) throw new Error('the server listens on no address')
      return address
    },
    address: () => addressOf(listeners),
    drain,
    close: () => drain(0),
  }
}

const defaultRateLimiter = (clock: Clock, { requestsPerMinute }: HttpLimits) =>
  requestsPerMinute > 0 ? createRateLimiter(clock, requestsPerMinute) : null

const isLoopback = (host: string) => host === 'localhost' || host === '::1' || host.startsWith('127.')

function toGuardSettings(settings: HttpSettings, limits: HttpLimits, host: string): GuardSettings {
  const names = [...LOOPBACK_NAMES, ...settings.allowedHosts.map((name) => name.toLowerCase())]
  const anyName = !isLoopback(host) && settings.allowedHosts.length === 0
  return { hosts: anyName ? null : new Set(names), origins: new Set(settings.allowedOrigins), limits }
}

function addressOf(listeners: Listeners): ListenAddress | null {
  const address = listeners.address()
  if (address === null) return null
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address
  return { host: address.address, port: address.port, url: `http://${host}:${address.port}` }
}

type Running = {
  readonly listeners: Listeners
  readonly active: ActiveRequests
  readonly webSockets: WebSockets
}
type ShutDown = { readonly clock: Clock; readonly deadlineMs: number; readonly graceMs: number }

/** The port stays open until the end, so that late requests get a 503 and readiness can be asked. */
async function shutDown({ listeners, active, webSockets }: Running, { clock, deadlineMs, graceMs }: ShutDown) {
  webSockets.drain()
  listeners.closeIdleConnections()
  if (!(await active.idle(clock, deadlineMs))) {
    active.stopAll(new RunAbort('shutdown'))
    await active.idle(clock, graceMs)
  }
  await webSockets.close(graceMs)
  await listeners.close()
}
