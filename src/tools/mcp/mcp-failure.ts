/** What goes wrong with an MCP server, as the three kinds of errors that an item can tell. */
import { OutboundRefused } from '../../lib/outbound-guard.ts'
import type { McpError } from '../../protocol/hosted-items.ts'
import { storableText } from './storable.ts'

/** The message is ours and names no address, so it may reach a client and a model. */
export class McpFailure extends Error {
  override readonly name = 'McpFailure'
  readonly error: Exclude<McpError, { type: 'mcp_tool_execution_error' }>

  constructor(error: McpFailure['error'], cause?: unknown) {
    super(error.message, { cause })
    this.error = error
  }
}

const BAD_GATEWAY = 502
const GATEWAY_TIMEOUT = 504
const INVALID_PARAMS = -32602
const MAX_MESSAGE_CHARS = 1_000

export const httpFailure = (code: number, message: string, cause?: unknown) =>
  new McpFailure({ type: 'http_error', code, message }, cause)
export const protocolFailure = (code: number, message: string, cause?: unknown) =>
  new McpFailure(
    { type: 'mcp_protocol_error', code, message: storableText(message).slice(0, MAX_MESSAGE_CHARS) },
    cause,
  )

export const tooLate = (ms: number) => httpFailure(GATEWAY_TIMEOUT, `The MCP server did not answer within ${ms} ms.`)
export const tooLarge = (bytes: number) =>
  httpFailure(BAD_GATEWAY, `The MCP server's reply is larger than ${bytes} bytes.`)
export const connectionLost = (cause?: unknown) =>
  httpFailure(BAD_GATEWAY, 'The connection to the MCP server failed, or ended before it had answered.', cause)
export const badReply = (message: string) => protocolFailure(-32603, message)
export const badArguments = (problem: string) =>
  protocolFailure(INVALID_PARAMS, `The arguments were not sent to the server: ${problem}.`)
export const unknownTool = (name: string) =>
  protocolFailure(INVALID_PARAMS, `The MCP server has no tool '${name.slice(0, 100)}' that this request may use.`)

/** Of whatever the client library threw. Its own messages may hold URLs and replies, so only numbers are taken. */
export function toMcpFailure(error: unknown): McpFailure {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth += 1) {
    if (cause instanceof McpFailure) return cause
    if (cause instanceof OutboundRefused)
      return httpFailure(403, `The MCP server is not called: ${cause.message}.`, error)
  }
  if (!(error instanceof Error)) return connectionLost(error)
  if ('status' in error && typeof error.status === 'number') return httpStatus(error.status, error)
  if (error.name === 'UnauthorizedError') return httpStatus(401, error)
  // A JSON-RPC error of the server. The message is its own: as untrusted as its results.
  if ('code' in error && typeof error.code === 'number' && Number.isSafeInteger(error.code)) {
    return error.name === 'SseError' ? httpStatus(error.code, error) : protocolFailure(error.code, error.message, error)
  }
  return connectionLost(error)
}

function httpStatus(status: number, cause: unknown): McpFailure {
  const code = Number.isInteger(status) && status >= 100 && status <= 599 ? status : BAD_GATEWAY
  const hint = code === 401 || code === 403 ? ` Check 'authorization' and 'headers'.` : ''
  return httpFailure(code, `The MCP server answered with HTTP ${code}.${hint}`, cause)
}
