/**
 * WebSockets at `/v1/responses`: the way in, and the way out for all of them. A handshake passes what every request
 * passes, in the same order; until it is done a refusal is plain HTTP.
 */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { WebSocketServer } from 'ws'
import type { Principal } from '../../auth/principal.ts'
import { badRequest } from '../../protocol/errors.ts'
import { toFailure } from '../error-funnel.ts'
import { createExchange, type Exchange } from '../exchange.ts'
import { type GuardSettings, guard } from '../guards.ts'
import type { HttpLimits } from '../limits.ts'
import type { RawReplies } from '../raw-replies.ts'
import { rewriteUrl } from '../rewrite-url.ts'
import { countRequest, shuttingDown } from '../serve-route.ts'
import { authenticate, type CreatePorts, ROUTE } from './serve-create.ts'
import { type OpenedSocket, type ServedSocket, serveSocket } from './serve-socket.ts'
import { createSocketPlaces } from './socket-places.ts'

export type WebSockets = {
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
  /** Each socket closes when its last response has ended. */
  drain(): void
  /** Waits at most `ms` until all are closed, then cuts off the rest. */
  close(ms: number): Promise<void>
}

export type WebSocketPorts = CreatePorts & {
  readonly replies: RawReplies
  readonly guardSettings: () => GuardSettings
}

export function createWebSockets(ports: WebSocketPorts): WebSockets {
  const { clock, limits, replies } = ports
  const sockets = new Set<ServedSocket>()
  const places = createSocketPlaces(limits)
  /** Loaded with the first of them: most servers never see one. */
  let handshakes: Promise<Handshakes> | null = null
  let draining = false
  let onEmpty = () => {}

  const open = async ({ request, socket, head }: Upgrade, exchange: Exchange, principal: Principal) => {
    handshakes ??= createHandshakes(limits, replies)
    const { shake } = await handshakes
    const release = places.take(principal.projectId)
    const ws = shake({ request, socket, head }, exchange.headers)
    if (ws === null) return release()
    const served = serveSocket({ ws, socket, upgrade: request }, ports, () => {
      release()
      sockets.delete(served)
      if (sockets.size === 0) onEmpty()
    })
    sockets.add(served)
    reportOpened(exchange, principal, ports)
    if (draining) served.drain()
  }
  const admit = async (upgrade: Upgrade) => {
    const { request } = upgrade
    const exchange = createExchange(request, {
      requestId: ports.ids.next('req'),
      route: ROUTE,
      startedAt: clock.monotonic(),
    })
    const refusal = guard(request, request.url ?? '', ports.guardSettings())
    if (refusal) throw refusal
    if (ports.isDraining()) throw shuttingDown()
    const principal = await authenticate(request, ports)
    countRequest(ports, principal, exchange)
    await open(upgrade, exchange, principal)
  }
  return {
    upgrade(request, socket, head) {
      if (!isForUs(request)) return replies.refuseUpgrade(request, socket)
      // The peer may leave while its key is looked up.
      socket.on('error', () => socket.destroy())
      admit({ request, socket, head }).catch((thrown: unknown) => {
        const { error } = toFailure(thrown, null, ROUTE, ports.telemetry)
        replies.refuse(request, socket, error, ROUTE)
      })
    },
    drain() {
      draining = true
      for (const socket of [...sockets]) socket.drain()
    },
    async close(ms) {
      if (sockets.size > 0) await emptied(ms)
      await handshakes?.then(({ server }) => server.close())
    },
  }

  function emptied(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = clock.after(ms, () => {
        for (const socket of [...sockets]) socket.terminate()
      })
      onEmpty = () => {
        cancel()
        resolve()
      }
    })
  }
}

type Upgrade = { readonly request: IncomingMessage; readonly socket: Duplex; readonly head: Buffer }

function isForUs({ url = '', headers }: IncomingMessage): boolean {
  const path = rewriteUrl(url).split('?', 1)[0]
  return path === ROUTE && headers.upgrade?.toLowerCase() === 'websocket'
}

type Handshakes = {
  readonly server: WebSocketServer
  /** Null when the handshake failed; it has then been answered. */
  shake(upgrade: Upgrade, headers: Readonly<Record<string, string>>): OpenedSocket['ws'] | null
}

/**
 * The handshake and the frames below. No compression is offered: it would cost each socket a compressor's memory, and
 * the length of what is compressed tells what padding hides. No subprotocol is chosen, since there is none.
 */
async function createHandshakes(limits: HttpLimits, replies: RawReplies): Promise<Handshakes> {
  const { WebSocketServer } = await import('ws')
  const headersOf = new WeakMap<IncomingMessage, Readonly<Record<string, string>>>()
  const options = {
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: limits.webSocketMessageBytes,
    maxFragments: MAX_FRAGMENTS,
    closeTimeout: limits.shutdownGraceMs,
    handleProtocols: () => false as const,
  }
  const server = new WebSocketServer(options)
  server.on('headers', (lines, request) => {
    for (const [name, value] of Object.entries(headersOf.get(request) ?? {})) lines.push(`${name}: ${value}`)
  })
  server.on('wsClientError', (error, socket, request) => {
    const refusal = badRequest(null, null, `The WebSocket handshake is not valid: ${error.message}.`)
    replies.refuse(request, socket, refusal, ROUTE)
  })
  const shake: Handshakes['shake'] = ({ request, socket, head }, headers) => {
    headersOf.set(request, headers)
    const done: { ws: OpenedSocket['ws'] | null } = { ws: null }
    server.handleUpgrade(request, socket, head, (ws) => {
      done.ws = ws
    })
    return done.ws
  }
  return { server, shake }
}

/** Of one message. */
const MAX_FRAGMENTS = 16 * 1024

function reportOpened(exchange: Exchange, { projectId, keyId }: Principal, { clock, telemetry }: WebSocketPorts): void {
  const { requestId, clientRequestId, sessionId, startedAt } = exchange
  const who = { requestId, projectId, keyId, clientRequestId, sessionId }
  const durationMs = clock.monotonic() - startedAt
  telemetry.requestFinished({ ...who, method: 'GET', route: ROUTE, status: 101, durationMs, errorCode: null })
}
