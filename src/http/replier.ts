/** Writes answers and failures with the headers that every reply has, and tells telemetry when a request is over. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import type { ActiveRequests } from './active-requests.ts'
import { toFailure } from './error-funnel.ts'
import { type Answer, createExchange, type Exchange, leavesLargeBody, processingMs, type Reply } from './exchange.ts'
import type { HttpLimits } from './limits.ts'

export type Replier = {
  /** Begins the exchange of a request; ends it when the connection is done with it. */
  open(request: IncomingMessage, response: ServerResponse, route: string): Exchange
  send(reply: Reply, answer: Answer): void
  /** After the first byte all that is left is to cut the connection. */
  fail(reply: Reply, thrown: unknown): void
  /** The headers of a reply that begins now. */
  headers(reply: Reply): Record<string, string>
}

export type ReplierPorts = {
  readonly clock: Clock
  readonly ids: Ids
  readonly telemetry: Telemetry
  readonly limits: HttpLimits
  readonly active: ActiveRequests
  readonly isDraining: () => boolean
}

const JSON_TYPE = 'application/json; charset=utf-8'
/** For the log: the client left before anything was sent. */
const CLIENT_CLOSED_REQUEST = 499
/** What the kernel takes at once needs no clock. */
const SMALL_REPLY_CHARS = 64 * 1024

type Document = { readonly status: number; readonly contentType: string; readonly text: string }

export function createReplier(ports: ReplierPorts): Replier {
  const { clock, ids, telemetry, limits, active, isDraining } = ports
  const headers: Replier['headers'] = ({ exchange, request }) => {
    const closes = isDraining() || leavesLargeBody(request, limits.skimBytes)
    return {
      ...exchange.headers,
      'openai-processing-ms': processingMs(exchange.startedAt, clock.monotonic()),
      ...(closes && { connection: 'close' }),
    }
  }
  const write = (reply: Reply, { status, contentType, text }: Document) => {
    const { response } = reply
    // A reader that takes nothing of a large reply is cut off; after the last byte the idle clock rules.
    if (text.length > SMALL_REPLY_CHARS) response.socket?.setTimeout(limits.stallMs)
    response.writeHead(status, {
      ...headers(reply),
      'content-type': contentType,
      'content-length': Buffer.byteLength(text),
    })
    if (reply.exchange.lingers && !reply.request.complete) {
      response.write(text)
      return linger(reply, clock, limits.lingerMs)
    }
    response.end(text)
  }
  return {
    headers,
    open(request, response, route) {
      const exchange = createExchange(request, { requestId: ids.next('req'), route, startedAt: clock.monotonic() })
      const leave = active.enter()
      response.once('close', () => {
        if (!response.writableFinished) {
          exchange.readerGone = true
          exchange.onReaderGone?.()
        }
        leave()
        reportFinished({ request, response, exchange }, ports)
      })
      return exchange
    },
    send(reply, answer) {
      switch (answer.type) {
        case 'json':
          write(reply, { status: answer.status ?? 200, contentType: JSON_TYPE, text: JSON.stringify(answer.value) })
          return
        case 'text':
          write(reply, { status: 200, contentType: answer.contentType, text: answer.text })
          return
        case 'empty':
          reply.response.writeHead(204, { ...headers(reply), ...answer.headers }).end()
          return
        case 'written':
          return
        default:
          answer satisfies never
      }
    },
    fail(reply, thrown) {
      const { exchange, response } = reply
      const { error, body } = toFailure(thrown, exchange.requestId, exchange.route, telemetry)
      exchange.errorCode = error.code ?? error.type
      if (response.headersSent) return void response.destroy()
      Object.assign(exchange.headers, error.headers)
      write(reply, { status: error.status, contentType: JSON_TYPE, text: body })
    },
  }
}

/**
 * Throws away what still arrives until the sender is done, or for `ms`. A connection that is closed with bytes unread is
 * reset, and a reset takes from its peer what it had not read yet: the refusal.
 */
function linger({ request, response }: Reply, clock: Clock, ms: number): void {
  const end = () => {
    stop()
    request.off('end', end).off('close', end)
    response.end()
  }
  const stop = clock.after(ms, end)
  request.on('end', end).on('close', end).resume()
}

function reportFinished({ request, response, exchange }: Reply, { clock, telemetry }: ReplierPorts): void {
  const { requestId, route, startedAt, principal, errorCode, clientRequestId, sessionId } = exchange
  telemetry.requestFinished({
    requestId,
    method: request.method ?? '',
    route,
    status: response.headersSent ? response.statusCode : CLIENT_CLOSED_REQUEST,
    durationMs: clock.monotonic() - startedAt,
    projectId: principal?.projectId ?? null,
    keyId: principal?.keyId ?? null,
    errorCode,
    clientRequestId,
    sessionId,
  })
}
