/** One call of a search engine. Engines are the operator's own configuration, so the outbound guard is not asked. */
import type { Dispatcher } from 'undici'
import type { Clock } from '../../../lib/clock.ts'
import { callUpstream, UpstreamHttpError } from '../../../lib/upstream-http.ts'
import { SearchError, type SearchFailure } from '../search-engine.ts'

/** What every engine is made of. */
export type EngineOptions = {
  /** Without a slash at its end. */
  readonly baseUrl: string
  readonly apiKey: string
  readonly dispatcher: Dispatcher
  readonly clock: Clock
  /** Milliseconds; of one whole call. */
  readonly timeoutMs: number
}

export type EngineCall = {
  readonly name: string
  readonly url: URL
  readonly headers?: Readonly<Record<string, string>>
  /** Absent: a GET. */
  readonly body?: object
  readonly signal: AbortSignal
}

const MAX_REPLY_BYTES = 4 * 1024 * 1024

/** The text of a reply of status 200. Throws `SearchError`. */
export async function askEngine(call: EngineCall, options: EngineOptions): Promise<string> {
  try {
    return await ask(call, options)
  } catch (error) {
    throw toSearchError(error, call.name)
  }
}

async function ask({ name, url, headers, body, signal }: EngineCall, options: EngineOptions): Promise<string> {
  const { dispatcher, clock, timeoutMs } = options
  const clocks = { connectMs: timeoutMs, firstByteMs: timeoutMs, idleMs: timeoutMs, wholeMs: timeoutMs }
  const reply = await callUpstream({
    dispatcher,
    url,
    headers: {
      accept: 'application/json',
      'user-agent': 'antiphon',
      ...(body && { 'content-type': 'application/json' }),
      ...headers,
    },
    body: body === undefined ? null : JSON.stringify(body),
    signal,
    clock,
    clocks,
  })
  try {
    if (reply.status !== 200) throw refusal(name, reply.status)
    const { text, complete } = await reply.readText(MAX_REPLY_BYTES)
    if (!complete) throw new SearchError('malformed', `${name} sent more than ${MAX_REPLY_BYTES} bytes`)
    return text
  } finally {
    reply.destroy()
  }
}

/** The same, read as JSON. */
export async function askForJson(call: EngineCall, options: EngineOptions): Promise<unknown> {
  const text = await askEngine(call, options)
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new SearchError('malformed', `${call.name} sent no JSON`, error)
  }
}

function refusal(name: string, status: number): SearchError {
  if (status === 401 || status === 403) return new SearchError('key', `${name} did not let us in (${status})`)
  if (status === 402 || status === 429 || status === 432 || status === 433)
    return new SearchError('limit', `${name} takes no more calls now (${status})`)
  if (status === 202) return new SearchError('blocked', `${name} asks for a proof that a person searches`)
  return new SearchError('unavailable', `${name} answered with status ${status}`)
}

const FAILURES: Readonly<Record<string, SearchFailure>> = { aborted: 'aborted', timeout: 'timeout' }

function toSearchError(error: unknown, name: string): SearchError {
  if (error instanceof SearchError) return error
  if (!(error instanceof UpstreamHttpError)) return new SearchError('unavailable', `${name} could not be asked`, error)
  const kind = FAILURES[error.kind] ?? 'unavailable'
  return new SearchError(kind, `${name} ${kind === 'timeout' ? 'took too long' : 'could not be reached'}`, error)
}
