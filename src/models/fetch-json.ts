/** One small JSON document from a provider or a local engine: bounded in time and size, no redirects. */
import { type Dispatcher, request } from 'undici'
import type { Clock } from '../lib/clock.ts'
import { ModelError } from './model.ts'

export type JsonRequest = {
  readonly url: string
  readonly clock: Clock
  readonly timeoutMs: number
  readonly maxBytes: number
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON by POST; without it the request is a GET. */
  readonly body?: unknown
  readonly dispatcher?: Dispatcher
}

/** Throws `ModelError`; its message names neither the address nor the reply. */
export async function fetchJson(options: JsonRequest): Promise<unknown> {
  const controller = new AbortController()
  let late = false
  const cancel = options.clock.after(options.timeoutMs, () => {
    late = true
    controller.abort()
  })
  try {
    return await readJson(options, controller.signal)
  } catch (error) {
    if (late) throw new ModelError('timeout', `No answer within ${options.timeoutMs} ms.`, { cause: error })
    if (error instanceof ModelError) throw error
    throw new ModelError('connection', 'No connection.', { cause: error })
  } finally {
    cancel()
    // Closes a reply that was left half read; after a whole one it does nothing.
    controller.abort()
  }
}

async function readJson(options: JsonRequest, signal: AbortSignal): Promise<unknown> {
  const sent =
    options.body === undefined
      ? { method: 'GET' as const }
      : { method: 'POST' as const, body: JSON.stringify(options.body), headers: { 'content-type': 'application/json' } }
  const reply = await request(options.url, {
    ...sent,
    headers: { accept: 'application/json', ...sent.headers, ...options.headers },
    signal,
    ...(options.dispatcher ? { dispatcher: options.dispatcher } : {}),
  })
  // A body that is dropped half read reports that as an error of its own.
  reply.body.on('error', () => {})
  if (reply.statusCode !== 200) throw statusError(reply.statusCode)
  const parts: Buffer[] = []
  let size = 0
  for await (const part of reply.body) {
    const bytes = Buffer.from(part)
    size += bytes.byteLength
    if (size > options.maxBytes) throw new ModelError('malformed', `The answer is above ${options.maxBytes} bytes.`)
    parts.push(bytes)
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString('utf8'))
  } catch (cause) {
    throw new ModelError('malformed', 'The answer is not JSON.', { cause })
  }
}

function statusError(status: number): ModelError {
  if (status === 401 || status === 403) return new ModelError('auth', 'The key was refused, or is missing.', { status })
  return new ModelError('unavailable', `The provider answered with status ${status}.`, { status })
}
