/** The hardened HTTP/1.1 server under the router. */
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { Duplex } from 'node:stream'
import type { HttpLimits } from './limits.ts'
import type { RawReplies } from './raw-replies.ts'

export type ServerHandlers = Pick<RawReplies, 'refuseConnect' | 'refuseExpectation' | 'refuseMalformed'> & {
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
}

export function createNodeServer(listener: RequestListener, limits: HttpLimits, handlers: ServerHandlers): Server {
  const server = createServer(
    {
      maxHeaderSize: limits.headerBytes,
      headersTimeout: Math.min(limits.headersTimeoutMs, limits.requestTimeoutMs),
      requestTimeout: limits.requestTimeoutMs,
      keepAliveTimeout: limits.idleConnectionMs,
      // Without it the two clocks above are looked at every 30 s only.
      connectionsCheckingInterval: limits.connectionsCheckMs,
      insecureHTTPParser: false,
      // A missing Host is refused with our envelope (guards.ts), not with the platform's bare 400.
      requireHostHeader: false,
    },
    listener,
  )
  // One more than is taken: the platform drops what is over its own count without a word.
  server.maxHeadersCount = limits.headerCount + 1
  server.maxConnections = limits.connections
  server.maxRequestsPerSocket = limits.requestsPerConnection
  server.on('upgrade', handlers.upgrade)
  server.on('connect', handlers.refuseConnect)
  server.on('checkExpectation', handlers.refuseExpectation)
  server.on('clientError', handlers.refuseMalformed)
  return server
}
