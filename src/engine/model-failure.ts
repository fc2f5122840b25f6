/** From a failed model call to what the caller is told: the HTTP error of a JSON request and `response.error`. */
import { ModelError } from '../models/model.ts'
import { ApiError, contextLengthExceeded, internalError } from '../protocol/errors.ts'
import type { ResponseError } from '../protocol/response.ts'

/** We have retried already, or the upstream has taken the call: another try would be billed again. */
const DO_NOT_RETRY = { 'x-should-retry': 'false' }

export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error
  if (!(error instanceof ModelError)) return internalError(error)
  const { message, param, status } = error
  switch (error.kind) {
    case 'invalid_request':
      return new ApiError({ status: 400, message, param, cause: error })
    case 'context_length':
      return contextLengthExceeded(error)
    case 'content_policy':
      return new ApiError({ status: 400, message, param: param ?? 'input', code: 'invalid_prompt', cause: error })
    case 'model_not_found':
      return new ApiError({ status: 404, message, param: 'model', code: 'model_not_found', cause: error })
    case 'rate_limit':
      return new ApiError({
        status: 429,
        message,
        type: 'requests',
        code: 'rate_limit_exceeded',
        headers: retryHeaders(error.retryAfterMs),
        cause: error,
      })
    case 'quota':
      return new ApiError({
        status: 429,
        message,
        type: 'insufficient_quota',
        code: 'insufficient_quota',
        headers: DO_NOT_RETRY,
        cause: error,
      })
    case 'auth':
      return upstreamError(502, 'upstream_auth_error', error)
    case 'unavailable':
      return upstreamError(outwardStatus(status), 'server_error', error)
    case 'timeout':
      return upstreamError(504, 'server_error', error)
    case 'connection':
    case 'malformed':
    case 'aborted':
      return upstreamError(502, 'server_error', error)
    default:
      error.kind satisfies never
      return internalError(error)
  }
}

/** An overload, which has a status of its own at some providers, is told as what HTTP knows. */
function outwardStatus(status: number | null): number {
  if (status === 529) return 503
  return status === 503 || status === 504 ? status : 502
}

const upstreamError = (status: number, code: string, cause: ModelError) =>
  new ApiError({ status, code, message: cause.message, headers: DO_NOT_RETRY, cause })

const retryHeaders = (retryAfterMs: number | null): Record<string, string> => {
  if (retryAfterMs === null) return { 'x-should-retry': 'true' }
  return {
    'x-should-retry': 'true',
    'retry-after': String(Math.max(1, Math.ceil(retryAfterMs / 1000))),
    'retry-after-ms': String(Math.ceil(retryAfterMs)),
  }
}

/** `response.error`: its codes are a closed set, everything without one of its own is `server_error`. */
export function toResponseError(error: ApiError): ResponseError {
  const code =
    error.code === 'rate_limit_exceeded' || error.code === 'invalid_prompt' ? error.code : ('server_error' as const)
  return { code, message: error.message }
}
