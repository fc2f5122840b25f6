/** One small JSON document from a provider or a local engine: bounded in time and size, no redirects. */
import type { Dispatcher } from 'undici'
import type { Clock } from '../lib/clock.ts'
import { callUpstream, UpstreamHttpError } from '../lib/upstream-http.ts'
import { ModelError } from './model.ts'

export type JsonRequest = {
  readonly url: string
  readonly clock: Clock
  readonly timeoutMs: number
  readonly maxBytes: number
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON by POST; without it the request is a GET. */
  readonly body?: unknown
  readonly dispatcher: Dispatcher
}

/** Throws `ModelError`; its message names neither the address nor the reply. */
export async function fetchJson(options: JsonRequest): Promise<unknown> {
  const abort = new AbortController()
  try {
    return await readJson(options, abort.signal)
  } catch (error) {
    if (error instanceof ModelError) throw error
    const isLate = error instanceof UpstreamHttpError && error.kind === 'timeout'
    if (isLate) throw new ModelError('timeout', `No answer within ${options.timeoutMs} ms.`, { cause: error })
    throw new ModelError('connection', 'No connection.', { cause: error })
  } finally {
    // Closes a reply that was left half read; after a whole one it does nothing.
    abort.abort()
  }
}

async function readJson(options: JsonRequest, signal: AbortSignal): Promise<unknown> {
  const { dispatcher, clock, timeoutMs, maxBytes } = options
  const body = options.body === undefined ? null : JSON.stringify(options.body)
  const reply = await callUpstream({
    url: new URL(options.url),
    headers: { accept: 'application/json', ...(body !== null && JSON_BODY), ...options.headers },
    clocks: { connectMs: timeoutMs, firstByteMs: timeoutMs, idleMs: timeoutMs, wholeMs: timeoutMs },
    ...{ dispatcher, body, signal, clock },
  })
  if (reply.status !== 200) throw statusError(reply.status)
  const { text, complete } = await reply.readText(maxBytes)
  if (!complete) throw new ModelError('malformed', `The answer is above ${maxBytes} bytes.`)
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new ModelError('malformed', 'The answer is not JSON.', { cause })
  }
}

const JSON_BODY = { 'content-type': 'application/json' }

function statusError(status: number): ModelError {
  if (status === 401 || status === 403) return new ModelError('auth', 'The key was refused, or is missing.', { status })
  return new ModelError('unavailable', `The provider answered with status ${status}.`, { status })
}
