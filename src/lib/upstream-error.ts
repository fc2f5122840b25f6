/** How a call of a provider fails before there is a reply that could be understood. */
import errors from 'undici/lib/core/errors.js'

export type UpstreamFailure = 'connection' | 'timeout' | 'malformed' | 'aborted'
export type UpstreamClockName = 'connect' | 'first-byte' | 'idle' | 'whole'

/** The message names no host and no URL, so it may reach a client; `cause` is for the log. */
export class UpstreamHttpError extends Error {
  override readonly name = 'UpstreamHttpError'
  readonly kind: UpstreamFailure
  /** Which clock ran out. */
  readonly clock: UpstreamClockName | null

  constructor(kind: UpstreamFailure, message: string, clock: UpstreamClockName | null = null, cause?: unknown) {
    super(message, { cause })
    this.kind = kind
    this.clock = clock
  }
}

const codeOf = (error: unknown): string => {
  if (!(error instanceof Error)) return ''
  if ('code' in error && typeof error.code === 'string') return error.code
  // Happy eyeballs: one error per address that was tried.
  return error instanceof AggregateError ? codeOf(error.errors[0]) : ''
}

export function toUpstreamError(error: unknown): UpstreamHttpError {
  if (error instanceof UpstreamHttpError) return error
  const code = codeOf(error)
  if (code === 'UND_ERR_CONNECT_TIMEOUT') {
    return new UpstreamHttpError('timeout', 'no connection in time', 'connect', error)
  }
  if (error instanceof errors.HTTPParserError || code === 'UND_ERR_HEADERS_OVERFLOW') {
    return new UpstreamHttpError('malformed', 'the answer is not HTTP', null, error)
  }
  if (code === '' || code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code === 'EPIPE') {
    return new UpstreamHttpError('connection', 'the connection was lost', null, error)
  }
  return new UpstreamHttpError('connection', `no connection (${code})`, null, error)
}
