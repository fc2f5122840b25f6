/** Answers on a bare socket, where the platform gives no response object: upgrades, CONNECT, and what did not parse. */
import { type IncomingMessage, ServerResponse, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Ids } from '../lib/ids.ts'
import { ApiError } from '../protocol/errors.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import { standardHeaders } from './exchange.ts'

export type RawReplies = {
  /** 426 at once: clients that try a WebSocket first then fall back to HTTP without a delay. */
  refuseUpgrade(request: IncomingMessage, socket: Duplex): void
  /** An upgrade that could be had, but not like this. `route`: for the log. */
  refuse(request: IncomingMessage, socket: Duplex, error: ApiError, route: string): void
  refuseConnect(request: IncomingMessage, socket: Duplex): void
  /** What Node's parser refused, and requests that took too long to arrive. */
  refuseMalformed(error: Error, socket: Duplex): void
  /** `Expect` with anything but `100-continue`. */
  refuseExpectation(request: IncomingMessage, response: ServerResponse): void
}

type Ports = {
  readonly ids: Ids
  readonly telemetry: Telemetry
  /** Requests whose body has a clock of its own. */
  readonly ownClocks: WeakSet<IncomingMessage>
}

export function createRawReplies({ ids, telemetry, ownClocks }: Ports): RawReplies {
  const answer = (socket: Duplex, error: ApiError, method: string, route: string) => {
    // What a peer sends on after its refusal may be malformed again.
    if (socket.writableEnded) return
    const requestId = ids.next('req')
    write(socket, error, requestId)
    const nobody = { projectId: null, keyId: null, clientRequestId: null, sessionId: null }
    const { status, code: errorCode } = error
    telemetry.requestFinished({ requestId, method, route, status, durationMs: 0, errorCode, ...nobody })
  }
  return {
    refuseUpgrade: (request, socket) => answer(socket, UPGRADE_REFUSED, request.method ?? '', '(upgrade)'),
    refuse: (request, socket, error, route) => answer(socket, error, request.method ?? '', route),
    refuseConnect: (_, socket) => answer(socket, CONNECT_REFUSED, 'CONNECT', '(connect)'),
    refuseExpectation(request, response) {
      answer(response.socket ?? request.socket, EXPECTATION_REFUSED, request.method ?? '', '(expectation)')
    },
    refuseMalformed(error, socket) {
      const response = currentResponse(socket)
      // The platform asks once for each request; the handler of this one stops it when its own time is over.
      if (codeOf(error) === TIMED_OUT && response && ownClocks.has(response.req)) return
      // A second head in the middle of a reply would be read as part of its body.
      if (codeOf(error) === 'ECONNRESET' || response?.headersSent) return void socket.destroy()
      const refusal = toParseError(codeOf(error))
      // A request whose body broke off has reached its route, which reports it.
      if (response) write(socket, refusal, ids.next('req'))
      else answer(socket, refusal, '', '(malformed)')
    },
  }
}

function write(socket: Duplex, error: ApiError, requestId: string): void {
  if (!socket.writable) return void socket.destroy()
  // The peer may be gone already; the answer is then lost, which is no failure of ours.
  socket.on('error', () => socket.destroy())
  socket.end(formatReply(error, requestId), () => socket.destroy())
}

const UPGRADE_REFUSED = new ApiError({
  status: 426,
  code: 'upgrade_not_supported',
  message:
    'This server does not switch protocols here. A WebSocket can be opened at /v1/responses; everything else is plain ' +
    'HTTP/1.1.',
})
const CONNECT_REFUSED = new ApiError({
  status: 405,
  message: 'This server is not a proxy: the method CONNECT is not allowed.',
  headers: { allow: 'GET, HEAD, POST, DELETE, OPTIONS' },
})
const EXPECTATION_REFUSED = new ApiError({
  status: 417,
  message: "Unsupported value of the Expect header. Only '100-continue' is understood.",
})

const TIMED_OUT = 'ERR_HTTP_REQUEST_TIMEOUT'

const PARSE_ERRORS: Readonly<Record<string, { status: number; message: string }>> = {
  HPE_HEADER_OVERFLOW: { status: 431, message: 'The request line and headers are too large.' },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: { status: 413, message: 'The chunk extensions of the body are too large.' },
  [TIMED_OUT]: { status: 408, message: 'The request took too long to arrive.' },
}

const toParseError = (code: string) =>
  new ApiError(PARSE_ERRORS[code] ?? { status: 400, message: 'The request is not valid HTTP/1.1.' })

const codeOf = (error: Error): string => ('code' in error && typeof error.code === 'string' ? error.code : '')

/** The reply that the server is working on for this connection. */
function currentResponse(socket: Duplex): ServerResponse | null {
  const message: unknown = Reflect.get(socket, '_httpMessage')
  return message instanceof ServerResponse ? message : null
}

function formatReply(error: ApiError, requestId: string): string {
  const body = JSON.stringify(error.toBody())
  const headers = {
    ...standardHeaders(requestId),
    'openai-processing-ms': '0',
    ...error.headers,
    'content-type': 'application/json; charset=utf-8',
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status] ?? ''}\r\n${lines.join('')}\r\n${body}`
}
