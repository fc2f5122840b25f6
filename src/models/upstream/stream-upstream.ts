/**
 * One call of a provider over HTTP, always streamed: what every adapter does alike. An adapter says how a turn is
 * written and how the reply is read; the clocks, the cuts, the abort, the errors and the ledger's row are made here.
 *
 * One attempt per call: retrying and falling back is a wrapper's work.
 */
import type { Dispatcher } from 'undici'
import type { Clock } from '../../lib/clock.ts'
import { createSseDecoder, DEFAULT_SSE_LIMITS, SseError, type SseLimits } from '../../lib/sse-decode.ts'
import { callUpstream, type UpstreamClocks, type UpstreamReply } from '../../lib/upstream-http.ts'
import type { Usage } from '../../protocol/response.ts'
import { type ModelBatch, type ModelContext, ModelError, type ModelEvent, type ModelTurn } from '../model.ts'
import { assertAccepted } from './assert-accepted.ts'
import type { ParamNames, UpstreamErrorContext } from './map-error.ts'
import { startAttempt } from './start-attempt.ts'
import { aborted, toModelError } from './to-model-error.ts'

/** A turn as the provider wants it. */
export type UpstreamCall = {
  readonly url: URL
  /** With everything it takes to be let in. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Reads one reply. Invariant: `finish` is written once, and nothing after it. */
export interface ReplyDecoder {
  finished(): boolean
  /** What the provider has reported so far. */
  usage(): Usage | null
  /** The data of one server-sent event, or a whole JSON reply. Throws `ModelError`. */
  data(data: string, event: string | undefined, out: ModelEvent[]): void
  /** The reply is over. Throws `ModelError` when it ended in the middle. */
  end(out: ModelEvent[]): void
}

export type UpstreamOptions = {
  /** The name of the connection, for errors and the ledger. */
  readonly provider: string
  /** Texts that must not come out in messages and ids: the key and the values of configured headers. */
  readonly secrets: readonly string[]
  /** The provider's names of request fields -> ours, for the errors that blame one. */
  readonly params: ParamNames
  /** Throws `ModelError` for a turn this provider cannot be asked. */
  encode(turn: ModelTurn): UpstreamCall | Promise<UpstreamCall>
  decoder(turn: ModelTurn, error: UpstreamErrorContext): ReplyDecoder
  readonly clock: Clock
  readonly clocks: UpstreamClocks
  readonly dispatcher: Dispatcher
  readonly limits?: SseLimits
}

export async function* streamUpstream(
  options: UpstreamOptions,
  turn: ModelTurn,
  context: ModelContext,
): AsyncGenerator<ModelBatch> {
  const { provider, secrets, params, clock, clocks, dispatcher, limits = DEFAULT_SSE_LIMITS } = options
  const error: UpstreamErrorContext = { provider, model: turn.model, secrets, params }
  const call = await options.encode(turn)
  if (context.signal.aborted) throw aborted(provider)
  const decoder = options.decoder(turn, error)
  const attempt = startAttempt({ provider, clock, secrets }, turn.model, decoder, context)
  let reply: UpstreamReply | null = null
  try {
    reply = await callUpstream({ dispatcher, ...call, signal: context.signal, clock, clocks })
    attempt.replied(reply)
    await assertAccepted(reply, error, clock)
    const nextBatch = createBatchReader(reply, decoder, limits)
    for (let batch = await nextBatch(); batch !== null; batch = await nextBatch()) {
      attempt.yielding()
      yield batch
      if (context.signal.aborted && !decoder.finished()) throw aborted(provider)
    }
    reply.release()
    attempt.end('completed')
  } catch (cause) {
    const failure = toModelError(cause, provider, reply?.status ?? null)
    attempt.end(failure instanceof ModelError && failure.kind === 'aborted' ? 'aborted' : 'failed')
    throw failure
  } finally {
    // Reached without an outcome only when the reader stopped early.
    reply?.destroy()
    attempt.end(decoder.finished() ? 'completed' : 'aborted')
  }
}

/** Reads a reply batch by batch: what came with one read, or with a few that completed nothing; null at the end. */
function createBatchReader(
  reply: UpstreamReply,
  decoder: ReplyDecoder,
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
      // In this order: what comes behind the end changes nothing, however the network cut it.
      if (decoder.finished()) return null
      if (fault) throw fault.error
      await readOn()
    }
    const batch = out
    out = []
    return batch
  }
}

async function readCompletion(reply: UpstreamReply, decoder: ReplyDecoder, limits: SseLimits) {
  if (decoder.finished()) return null
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
