/** What went wrong while a provider was called -> `ModelError`. */
import { SseError } from '../../lib/sse-decode.ts'
import { UpstreamHttpError } from '../../lib/upstream-http.ts'
import { ModelError } from '../model.ts'

export const aborted = (provider: string, cause?: unknown) =>
  new ModelError('aborted', 'The call of the model was aborted.', { provider, cause })

/** `status`: of the reply, where there is one. What is none of these is a bug of ours and stays what it is. */
export function toModelError(cause: unknown, provider: string, status: number | null): unknown {
  if (cause instanceof ModelError) {
    if (cause.provider !== null) return cause
    const { kind, message, param, retryAfterMs } = cause
    return new ModelError(kind, message, { status: cause.status ?? status, param, retryAfterMs, provider, cause })
  }
  if (cause instanceof SseError) {
    const message = `The reply of the provider '${provider}' could not be understood: ${cause.message}.`
    return new ModelError('malformed', message, { status, provider, cause })
  }
  if (cause instanceof UpstreamHttpError) {
    if (cause.kind === 'aborted') return aborted(provider, cause)
    const message = `The call of the provider '${provider}' failed: ${cause.message}.`
    return new ModelError(cause.kind, message, { status, provider, cause })
  }
  return cause
}
