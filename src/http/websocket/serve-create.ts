/** One `response.create`: the same order, the same validation and the same engine as `POST /v1/responses`. */
import type { IncomingMessage } from 'node:http'
import type { Principal } from '../../auth/principal.ts'
import { RunAbort } from '../../engine/engine.ts'
import type { Ids } from '../../lib/ids.ts'
import type { ApiError } from '../../protocol/errors.ts'
import { toFailure } from '../error-funnel.ts'
import type { Padding } from '../event-json.ts'
import { createExchange } from '../exchange.ts'
import { requireScope } from '../route-table.ts'
import type { RoutePorts } from '../routes/route-ports.ts'
import { fittingWarnings } from '../run-headers.ts'
import { countRequest, type ServePorts, shuttingDown } from '../serve-route.ts'
import { errorEvent } from './error-event.ts'
import type { CreateMessage } from './read-message.ts'
import type { SocketMemory } from './response-memory.ts'
import type { SocketWriter } from './socket-writer.ts'
import { createMessageWriter, toWebSocket } from './to-web-socket.ts'

export const ROUTE = '/v1/responses'
/** For the log: the client left before anything was sent. */
const CLIENT_CLOSED_REQUEST = 499

export type CreatePorts = ServePorts &
  Pick<RoutePorts, 'engine' | 'validate'> & {
    readonly ids: Ids
    readonly padding: Padding
  }

/** What all messages of one socket share. */
export type SocketContext = {
  /** The request that opened it; its headers go for every message. */
  readonly upgrade: IncomingMessage
  readonly writer: SocketWriter
  readonly memory: SocketMemory
  /** The runs of this socket, to be stopped when it closes. */
  readonly running: Set<AbortController>
  /** The key is no longer good. */
  readonly onUnauthorized: () => void
}

type Outcome = {
  readonly status: number
  readonly principal: Principal | null
  readonly error: ApiError | null
  /** How many there were. */
  readonly warnings: number
}

/** Never rejects. */
export async function serveCreate(message: CreateMessage, context: SocketContext, ports: CreatePorts): Promise<void> {
  const { clock, telemetry } = ports
  const requestId = ports.ids.next('req')
  const exchange = createExchange(context.upgrade, { requestId, route: ROUTE, startedAt: clock.monotonic() })
  const abort = new AbortController()
  const leave = ports.active.enter((reason) => abort.abort(reason))
  context.running.add(abort)
  const { status, principal, error, warnings } = await answer(message, context, ports, { requestId, abort })
  context.running.delete(abort)
  leave()
  telemetry.requestFinished({
    requestId,
    method: 'WS',
    route: ROUTE,
    status,
    durationMs: clock.monotonic() - exchange.startedAt,
    projectId: principal?.projectId ?? null,
    keyId: principal?.keyId ?? null,
    errorCode: error === null ? null : (error.code ?? error.type),
    clientRequestId: exchange.clientRequestId,
    sessionId: exchange.sessionId,
    ...(warnings > 0 && { warnings }),
  })
}

type Job = { readonly requestId: string; readonly abort: AbortController }

async function answer(
  message: CreateMessage,
  context: SocketContext,
  ports: CreatePorts,
  { requestId, abort }: Job,
): Promise<Outcome> {
  let principal: Principal | null = null
  try {
    if (ports.isDraining()) throw shuttingDown()
    principal = await authenticate(context.upgrade, ports)
    countRequest(ports, principal, { headers: {} })
    const warnings = await run(message, principal, context, ports, { requestId, abort })
    return { status: 200, principal, error: null, warnings }
  } catch (thrown) {
    evictParent(message, context)
    const { error } = toFailure(thrown, requestId, ROUTE, ports.telemetry)
    if (!context.writer.isOpen()) return { status: CLIENT_CLOSED_REQUEST, principal, error, warnings: 0 }
    context.writer.send([errorEvent(error, message.lane === null ? {} : { stream_id: message.lane })])
    if (error.status === 401) context.onUnauthorized()
    return { status: error.status, principal, error, warnings: 0 }
  }
}

/** Throws `ApiError` 401 or 403. Asked again for every message: a key that was revoked does not go on working until its socket closes. */
export async function authenticate({ headers, socket }: IncomingMessage, ports: CreatePorts): Promise<Principal> {
  const principal = await ports.authenticator.authenticate(headers.authorization ?? null, socket.remoteAddress ?? '')
  requireScope(principal, 'responses')
  return principal
}

/** Answers how many warnings there were. */
async function run(
  message: CreateMessage,
  principal: Principal,
  context: SocketContext,
  ports: CreatePorts,
  { requestId, abort }: Job,
): Promise<number> {
  const { engine, telemetry, limits } = ports
  const { request, warnings } = ports.validate.createResponse(message.body)
  const caller = { principal, requestId, signal: abort.signal, memory: context.memory.of(message.lane) }
  const started = message.generate
    ? await engine.createResponse(request, caller)
    : await engine.prepareResponse(request, caller)
  const told = [...warnings, ...started.warnings]
  const padded = request.stream_options?.include_obfuscation !== false
  telemetry.streamOpened()
  const end = await toWebSocket(started.events, {
    socket: context.writer,
    lane: message.lane,
    warnings: fittingWarnings(told, limits.warningBytes),
    write: createMessageWriter(padded ? ports.padding : null),
    abort: () => abort.abort(new RunAbort('reader-gone')),
    onFailure: (error) => telemetry.failed({ requestId, where: 'to-web-socket', error }),
  })
  telemetry.streamClosed()
  if (end === null || end.type === 'run.failed') evictParent(message, context)
  return told.length
}

/** Whoever could not continue from a response starts anew from what it knows itself; a stale state helps nobody. */
function evictParent({ body }: CreateMessage, { memory }: SocketContext): void {
  if (typeof body.previous_response_id === 'string') memory.evict(body.previous_response_id)
}
