/** Writes answers and failures with the headers that every reply has, and tells telemetry when a request is over. */
import type { ServerResponse } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Clock } from '../lib/clock.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import type { ActiveRequests } from './active-requests.ts'
import { toFailure } from './error-funnel.ts'
import { type Answer, createExchange, type Exchange, leavesLargeBody, processingMs } from './exchange.ts'
import type { HttpLimits } from './limits.ts'

export type Replier = {
  /** Begins the exchange of a request; ends it when the connection is done with it. */
  open(request: FastifyRequest, response: ServerResponse): Exchange
  send(exchange: Exchange, request: FastifyRequest, reply: FastifyReply, answer: Answer): FastifyReply
  fail(exchange: Exchange, request: FastifyRequest, reply: FastifyReply, thrown: unknown): FastifyReply
  /** The headers of a reply that begins now. */
  headers(exchange: Exchange, request: FastifyRequest): Record<string, string>
}

export type ReplierPorts = {
  readonly clock: Clock
  readonly telemetry: Telemetry
  readonly limits: HttpLimits
  readonly active: ActiveRequests
  readonly isDraining: () => boolean
}

/** The pattern for the log and the metrics: never a raw path, which may hold anything. */
const routeOf = (request: FastifyRequest) => request.routeOptions.url ?? '(unknown)'

const JSON_TYPE = 'application/json; charset=utf-8'
/** For the log: the client left before anything was sent. */
const CLIENT_CLOSED_REQUEST = 499
/** What the kernel takes at once needs no clock. */
const SMALL_REPLY_CHARS = 64 * 1024

type Document = { readonly status: number; readonly contentType: string; readonly text: string }

export function createReplier({ clock, telemetry, limits, active, isDraining }: ReplierPorts): Replier {
  const headers: Replier['headers'] = (exchange, request) => {
    const closes = isDraining() || leavesLargeBody(request.raw, limits.skimBytes)
    return {
      ...exchange.headers,
      'openai-processing-ms': processingMs(exchange.startedAt, clock.monotonic()),
      ...(closes && { connection: 'close' }),
    }
  }
  const write = (
    to: { exchange: Exchange; request: FastifyRequest; reply: FastifyReply },
    { status, contentType, text }: Document,
  ) => {
    const { exchange, request, reply } = to
    // A reader that takes nothing of a large reply is cut off; after the last byte the idle clock rules.
    if (text.length > SMALL_REPLY_CHARS) reply.raw.socket?.setTimeout(limits.stallMs)
    // Past the framework, whose way of sending takes as long again as the headers and the body.
    reply.hijack()
    reply.raw.writeHead(status, {
      ...headers(exchange, request),
      'content-type': contentType,
      'content-length': Buffer.byteLength(text),
    })
    reply.raw.end(text)
    return reply
  }
  return {
    headers,
    open(request, response) {
      const exchange = createExchange(request.id, request.raw, clock.monotonic())
      const leave = active.enter()
      response.once('close', () => {
        if (!response.writableFinished) {
          exchange.readerGone = true
          exchange.onReaderGone?.()
        }
        leave()
        telemetry.requestFinished({
          requestId: exchange.requestId,
          method: request.method,
          route: routeOf(request),
          status: response.headersSent ? response.statusCode : CLIENT_CLOSED_REQUEST,
          durationMs: clock.monotonic() - exchange.startedAt,
          projectId: exchange.principal?.projectId ?? null,
          keyId: exchange.principal?.keyId ?? null,
          errorCode: exchange.errorCode,
          clientRequestId: exchange.clientRequestId,
          sessionId: exchange.sessionId,
        })
      })
      return exchange
    },
    send(exchange, request, reply, answer) {
      const to = { exchange, request, reply }
      switch (answer.type) {
        case 'json':
          return write(to, { status: answer.status ?? 200, contentType: JSON_TYPE, text: JSON.stringify(answer.value) })
        case 'text':
          return write(to, { status: 200, contentType: answer.contentType, text: answer.text })
        case 'empty':
          return reply
            .code(204)
            .headers({ ...headers(exchange, request), ...answer.headers })
            .send()
        case 'written':
          return reply
      }
    },
    fail(exchange, request, reply, thrown) {
      const { error, body } = toFailure(thrown, exchange.requestId, routeOf(request), telemetry)
      exchange.errorCode = error.code ?? error.type
      Object.assign(exchange.headers, error.headers)
      return write({ exchange, request, reply }, { status: error.status, contentType: JSON_TYPE, text: body })
    },
  }
}
