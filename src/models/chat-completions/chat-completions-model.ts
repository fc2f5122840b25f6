/**
 * The `Model` of every OpenAI-style `POST /chat/completions`. One attempt per call, always streamed: retrying and
 * falling back is a wrapper's work.
 */
import type { Dispatcher } from 'undici'
import type { Clock } from '../../lib/clock.ts'
import type { Ids } from '../../lib/ids.ts'
import { createSseDecoder, DEFAULT_SSE_LIMITS, SseError, type SseLimits } from '../../lib/sse-decode.ts'
import {
  createUpstreamAgent,
  postUpstream,
  type UpstreamClocks,
  UpstreamHttpError,
  type UpstreamReply,
} from '../../lib/upstream-http.ts'
import type {
  Model,
  ModelAttempt,
  ModelBatch,
  ModelCapabilities,
  ModelContext,
  ModelEvent,
  ModelTurn,
  NotCarried,
} from '../model.ts'
import { ModelError } from '../model.ts'
import { countRequestTokens } from './count-tokens.ts'
import { createStreamDecoder, type StreamDecoder } from './decode-stream.ts'
import { encodeRequest } from './encode-request.ts'
import { mapHttpError, type UpstreamErrorContext } from './map-error.ts'
import { notCarried } from './not-carried.ts'
import { type Quirks, withQuirks } from './quirks.ts'

export type ChatCompletionsOptions = {
  /** The name of the connection, for errors and the ledger. */
  readonly provider: string
  /** Up to and including the version segment, as `https://api.openai.com/v1`. Without user name and password. */
  readonly baseUrl: string
  /** Null: no `Authorization` header. */
  readonly apiKey: string | null
  /** The operator's own headers. */
  readonly headers?: Readonly<Record<string, string>>
  readonly quirks: Partial<Quirks>
  readonly capabilities: ModelCapabilities
  readonly clocks: UpstreamClocks
  readonly clock: Clock
  readonly ids: Ids
  readonly limits?: SseLimits
  /** Where connections come from; by default an own pool that `close` ends. */
  readonly dispatcher?: Dispatcher
}

export interface ChatCompletionsModel extends Model {
  /** What this provider will not see of a turn, for planning to refuse or report (law 17). */
  notCarried(turn: ModelTurn): readonly NotCarried[]
  /** Ends the connections, calls in flight included. */
  close(): Promise<void>
}

/** An error body is read no further than this. */
const MAX_ERROR_BYTES = 64 * 1024
const MAX_REQUEST_ID_CHARS = 128

/** Throws `TypeError` for a base URL or a header no request could be sent with. */
export function createChatCompletionsModel(options: ChatCompletionsOptions): ChatCompletionsModel {
  const { provider, capabilities, clocks, clock, ids } = options
  const quirks = withQuirks(options.quirks)
  const limits = options.limits ?? DEFAULT_SSE_LIMITS
  const url = endpoint(options.baseUrl)
  const headers = fixedHeaders(options)
  const secrets = secretsOf(options)
  const dispatcher = options.dispatcher ?? createUpstreamAgent(clocks)

  async function* stream(turn: ModelTurn, context: ModelContext): AsyncGenerator<ModelBatch> {
    const error: UpstreamErrorContext = { provider, model: turn.model, secrets }
    const body = JSON.stringify(encodeRequest(turn, quirks))
    if (context.signal.aborted) throw aborted(provider)
    const decoder = createStreamDecoder({ turn, quirks, error })
    const attempt = startAttempt({ provider, clock, secrets }, turn.model, decoder, context)
    let reply: UpstreamReply | null = null
    try {
      const call = { ...headers, 'x-client-request-id': ids.next('req') }
      reply = await postUpstream({ dispatcher, url, headers: call, body, signal: context.signal, clock, clocks })
      attempt.replied(reply)
      if (reply.status < 200 || reply.status > 299) {
        const { text } = await reply.readText(MAX_ERROR_BYTES)
        throw mapHttpError({ status: reply.status, body: text, header: reply.header, nowMs: clock.now() }, error)
      }
      const nextBatch = createBatchReader(reply, decoder, limits)
      for (let batch = await nextBatch(); batch !== null; batch = await nextBatch()) {
        attempt.yielding()
        yield batch
        if (context.signal.aborted && !decoder.finished) throw aborted(provider)
      }
      reply.release()
      attempt.end('completed')
    } catch (cause) {
      const failure = toModelError(cause, provider, reply)
      attempt.end(failure instanceof ModelError && failure.kind === 'aborted' ? 'aborted' : 'failed')
      throw failure
    } finally {
      // Reached without an outcome only when the reader stopped early.
      reply?.destroy()
      attempt.end(decoder.finished ? 'completed' : 'aborted')
    }
  }

  return {
    capabilities,
    stream,
    /**
     * An estimate: the encoded messages and tools through the `o200k_base` tokenizer, 3 tokens of frame per message
     * and 3 for the reply, images flat at 765 tokens (85 in low detail), files by their size.
     */
    countInputTokens: async (turn) => countRequestTokens(encodeRequest(turn, quirks)),
    notCarried: (turn) => notCarried(turn, quirks),
    async close() {
      if (!options.dispatcher) await dispatcher.destroy()
    },
  }
}

/** Reads a reply batch by batch: what came with one read, or with a few that completed nothing; null at the end. */
function createBatchReader(
  reply: UpstreamReply,
  decoder: StreamDecoder,
  limits: SseLimits,
): () => Promise<ModelEvent[] | null> {
  // Some servers answer `stream: true` with the whole completion.
  if (isPlainJson(reply)) return () => readCompletion(reply, decoder, limits)
  let out: ModelEvent[] = []
  let fault: { readonly error: unknown } | null = null
  const sse = createSseDecoder((data, event) => {
    if (data === '') return
    reply.progress()
    decoder.data(data, event, out)
  }, limits)
  const readOn = async () => {
    const chunk = await reply.read()
    if (chunk) {
      fault = feed(sse, chunk)
    } else {
      sse.end()
      decoder.end(out)
    }
  }
  return async () => {
    while (out.length === 0) {
      if (fault) throw fault.error
      if (decoder.finished) return null
      await readOn()
    }
    const batch = out
    out = []
    return batch
  }
}

async function readCompletion(reply: UpstreamReply, decoder: StreamDecoder, limits: SseLimits) {
  if (decoder.finished) return null
  const { text, complete, valid } = await reply.readText(limits.streamBytes)
  if (!complete) throw new SseError(`it is longer than ${limits.streamBytes} bytes`)
  if (!valid) throw new SseError('it is not valid UTF-8')
  const out: ModelEvent[] = []
  decoder.data(text, undefined, out)
  decoder.end(out)
  return out
}

/** What came before a fault in the same read is still delivered: batches must not decide what a reader sees. */
function feed(sse: { feed(chunk: Uint8Array): void }, chunk: Uint8Array): { readonly error: unknown } | null {
  try {
    sse.feed(chunk)
    return null
  } catch (error) {
    return { error }
  }
}

/** Throws for what is neither a stream nor JSON, an HTML page above all. Servers that forget the type mean a stream. */
function isPlainJson(reply: UpstreamReply): boolean {
  const type = (reply.header('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
  if (type === 'application/json') return true
  if (type === '' || type === 'text/event-stream' || type === 'text/plain') return false
  throw new SseError(`its content type is '${type.slice(0, 60)}'`)
}

/** Invariant: `onAttempt` is told exactly once, at the first `end`. */
function startAttempt(
  { provider, clock, secrets }: { provider: string; clock: Clock; secrets: readonly string[] },
  model: string,
  decoder: StreamDecoder,
  context: ModelContext,
) {
  const started = clock.monotonic()
  const elapsed = () => Math.max(0, clock.monotonic() - started)
  let status: number | null = null
  let upstreamRequestId: string | null = null
  let firstEventMs: number | null = null
  let told = false
  return {
    replied(reply: UpstreamReply) {
      status = reply.status
      upstreamRequestId = readRequestId(reply, secrets)
    },
    yielding() {
      firstEventMs ??= elapsed()
    },
    end(outcome: ModelAttempt['outcome']) {
      if (told) return
      told = true
      const { usage } = decoder
      context.onAttempt?.({
        provider,
        model,
        outcome,
        usage,
        status,
        durationMs: elapsed(),
        firstEventMs,
        upstreamRequestId,
      })
    },
  }
}

/** A shorter one would be found in innocent ids. */
const MIN_SECRET_CHARS = 8
const isIn = (id: string) => (secret: string) => secret.length >= MIN_SECRET_CHARS && id.includes(secret)

/** It is logged and passed on, so an id that holds one of our secrets is none. */
const readRequestId = (reply: UpstreamReply, secrets: readonly string[]): string | null => {
  const id = reply.header('x-request-id') ?? reply.header('request-id')
  if (!id || !/^[\w.:-]+$/.test(id) || secrets.some(isIn(id))) return null
  return id.slice(0, MAX_REQUEST_ID_CHARS)
}

const aborted = (provider: string, cause?: unknown) =>
  new ModelError('aborted', 'The call of the model was aborted.', { provider, cause })

/** What is none of these is a bug of ours and stays what it is. */
function toModelError(cause: unknown, provider: string, reply: UpstreamReply | null): unknown {
  const status = reply?.status ?? null
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

function endpoint(baseUrl: string): URL {
  const url = new URL(baseUrl)
  if (url.username || url.password) throw new TypeError('A base URL must not hold a user name or password: use apiKey.')
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/chat/completions`
  return url
}

function fixedHeaders({ apiKey, headers = {} }: ChatCompletionsOptions): Readonly<Record<string, string>> {
  const own: Record<string, string> = { 'user-agent': 'antiphon', ...lowerCased(headers) }
  own['content-type'] = 'application/json'
  own.accept = 'text/event-stream'
  if (apiKey !== null) own.authorization = `Bearer ${apiKey.trim()}`
  for (const [name, value] of Object.entries(own)) {
    if (!/^[!#$%&'*+.^_`|~\w-]+$/.test(name) || !/^[\t\x20-\x7e]*$/.test(value)) {
      throw new TypeError(`The header '${name}' holds characters that headers cannot hold.`)
    }
  }
  return own
}

const lowerCased = (headers: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

const secretsOf = ({ apiKey, headers = {} }: ChatCompletionsOptions): readonly string[] => [
  ...(apiKey === null ? [] : [apiKey.trim()]),
  ...Object.values(headers),
]
