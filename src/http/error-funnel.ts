/**
 * The one place where a failure becomes HTTP (law 11): whatever was thrown becomes an `ApiError`, and an `ApiError`
 * becomes a status, headers and the envelope. What nobody foresaw is logged with its cause and answered as a 500 that
 * tells nothing.
 */
import type { ServerResponse } from 'node:http'
import { ApiError, internalError } from '../protocol/errors.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'

export type Failure = { readonly error: ApiError; readonly body: string }

/** `where`: the route's pattern. */
export function toFailure(thrown: unknown, requestId: string | null, where: string, telemetry: Telemetry): Failure {
  const error = toApiError(thrown)
  if (error.status === 500) telemetry.failed({ requestId, where, error: error.cause ?? error })
  return { error, body: JSON.stringify(error.toBody()) }
}

function toApiError(thrown: unknown): ApiError {
  if (thrown instanceof ApiError) return thrown
  const framework = frameworkError(thrown)
  if (framework === null) return internalError(thrown)
  return new ApiError({ status: framework.status, message: framework.message })
}

const FRAMEWORK_MESSAGES: Readonly<Record<number, string>> = {
  400: 'The request could not be understood. Check its URL and headers.',
  413: 'The body of your request is too large.',
  414: 'The URL is too long.',
  415: "Unsupported content type. Send the body as JSON with 'Content-Type: application/json'.",
}

/** The router refuses bad percent-encoding and malformed media types by errors of its own. */
function frameworkError(thrown: unknown): { status: number; message: string } | null {
  if (!(thrown instanceof Error) || !('code' in thrown) || !('statusCode' in thrown)) return null
  const { code, statusCode } = thrown
  if (typeof code !== 'string' || !code.startsWith('FST_') || typeof statusCode !== 'number') return null
  const message = FRAMEWORK_MESSAGES[statusCode]
  return message === undefined ? null : { status: statusCode, message }
}

/** Answers outside the router. Does nothing when a reply has begun. */
export function writeFailure(raw: ServerResponse, failure: Failure, headers: Readonly<Record<string, string>>): void {
  if (raw.headersSent) return
  raw.writeHead(failure.error.status, {
    ...headers,
    ...failure.error.headers,
    'content-type': 'application/json; charset=utf-8',
    'content-length': String(Buffer.byteLength(failure.body)),
  })
  raw.end(failure.body)
}
