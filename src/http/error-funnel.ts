/**
 * The one place where a failure becomes HTTP (law 11): whatever was thrown becomes an `ApiError`, and an `ApiError`
 * becomes a status, headers and the envelope. What nobody foresaw is logged with its cause and answered as a 500 that
 * tells nothing.
 */
import { ApiError, internalError } from '../protocol/errors.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'

export type Failure = { readonly error: ApiError; readonly body: string }

/** `where`: the route's pattern. */
export function toFailure(thrown: unknown, requestId: string | null, where: string, telemetry: Telemetry): Failure {
  const error = toApiError(thrown)
  if (error.status === 500) telemetry.failed({ requestId, where, error: error.cause ?? error })
  return { error, body: JSON.stringify(error.toBody()) }
}

const toApiError = (thrown: unknown): ApiError => (thrown instanceof ApiError ? thrown : internalError(thrown))
