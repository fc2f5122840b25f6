/**
 * One call of a package's model: the clocks, the abort, the errors and the ledger's row around it. They hold whether
 * the package uses our `fetch` or none at all.
 *
 * One attempt per call: retrying and falling back is a wrapper's work.
 */
import type { LanguageModelV4, LanguageModelV4StreamPart } from '@ai-sdk/provider'
import type { Clock } from '../../lib/clock.ts'
import { type UpstreamClocks, UpstreamHttpError, type UpstreamReply } from '../../lib/upstream-http.ts'
import { watchUpstream } from '../../lib/upstream-watch.ts'
import { type ModelBatch, type ModelContext, ModelError, type ModelEvent, type ModelTurn } from '../model.ts'
import type { UpstreamErrorContext } from '../upstream/map-error.ts'
import { startAttempt } from '../upstream/start-attempt.ts'
import { aborted, toModelError } from '../upstream/to-model-error.ts'
import type { BridgeFetch } from './bridge-fetch.ts'
import { createPartDecoder } from './decode-stream.ts'
import type { Dialect } from './dialect.ts'
import { encodeCall } from './encode-call.ts'
import { mapFailure } from './map-failure.ts'

export type PartStreamOptions = {
  readonly provider: string
  readonly secrets: readonly string[]
  readonly dialect: Dialect
  readonly headers: Readonly<Record<string, string>>
  readonly bridge: BridgeFetch
  readonly clock: Clock
  readonly clocks: UpstreamClocks
  /** Throws what the package throws. */
  model(name: string): LanguageModelV4
}

export async function* streamParts(
  options: PartStreamOptions,
  turn: ModelTurn,
  context: ModelContext,
): AsyncGenerator<ModelBatch> {
  const { provider, secrets, dialect, clock } = options
  const error: UpstreamErrorContext = { provider, model: turn.model, secrets, params: {} }
  const call = encodeCall(turn, dialect)
  if (context.signal.aborted) throw aborted(provider)
  const decoder = createPartDecoder({ turn, dialect, error, now: () => clock.now() })
  const attempt = startAttempt({ provider, clock, secrets }, turn.model, decoder, context)
  const ending = createEnding(options, context.signal)
  let status: number | null = null
  let reply: UpstreamReply | null = null
  let reader: ReadableStreamDefaultReader<LanguageModelV4StreamPart> | null = null
  const exchange = {
    signal: ending.signal,
    failed: ending.fail,
    replied(next: UpstreamReply) {
      reply = next
      status = next.status
      attempt.replied(next)
    },
  }
  try {
    const abortSignal = ending.signal
    const open = async () =>
      options.model(turn.model).doStream({ ...call, headers: { ...options.headers }, abortSignal })
    const { stream } = await ending.before(options.bridge.within(exchange, open))
    reader = stream.getReader()
    while (!decoder.finished()) {
      const { done, value } = await ending.before(reader.read())
      const out: ModelEvent[] = []
      if (done) decoder.end()
      else {
        if (isAlive(value)) ending.progress()
        decoder.part(value, out)
      }
      if (out.length === 0) continue
      attempt.yielding()
      yield out
      if (context.signal.aborted && !decoder.finished()) throw aborted(provider)
    }
    release(reply)
    attempt.end('completed')
  } catch (cause) {
    const failure = toFailure(ending.failure() ?? cause, status)
    attempt.end(failure instanceof ModelError && failure.kind === 'aborted' ? 'aborted' : 'failed')
    throw failure
  } finally {
    // Reached without an outcome only when the reader stopped early.
    ending.stop()
    void reader?.cancel().catch(() => {})
    attempt.end(decoder.finished() ? 'completed' : 'aborted')
  }

  /** What our own side ended comes first: packages wrap it, or answer with an error of their own. */
  function toFailure(cause: unknown, upstreamStatus: number | null): unknown {
    const known = toModelError(cause, provider, upstreamStatus)
    if (known instanceof ModelError) return known
    const failure = mapFailure(cause, { ...error, packageName: dialect.packageName, nowMs: clock.now() })
    return toModelError(failure, provider, upstreamStatus)
  }
}

const release = (reply: UpstreamReply | null) => reply?.release()

/** What is told before the provider has begun to answer is no sign of life. */
const isAlive = ({ type }: LanguageModelV4StreamPart) =>
  type !== 'stream-start' && type !== 'response-metadata' && type !== 'ping'

/** Ends a call: when the caller leaves, when a clock runs out, when the connection fails. The first reason counts. */
function createEnding({ clock, clocks }: PartStreamOptions, caller: AbortSignal) {
  const controller = new AbortController()
  let failure: unknown = null
  let wake: ((error: unknown) => void) | null = null
  const fail = (error: unknown) => {
    failure ??= error
    controller.abort(failure)
    wake?.(failure)
  }
  const watch = watchUpstream({ clock, clocks }, fail)
  const onAbort = () => fail(new UpstreamHttpError('aborted', 'The call was aborted.'))
  caller.addEventListener('abort', onAbort)
  return {
    signal: controller.signal,
    fail,
    failure: () => failure,
    progress: watch.progress,
    /** What `work` comes to, unless the call ends first. */
    async before<T>(work: PromiseLike<T>): Promise<T> {
      watch.waiting(true)
      try {
        return await new Promise<T>((resolve, reject) => {
          wake = reject
          work.then(resolve, reject)
          if (failure !== null) reject(failure)
        })
      } finally {
        wake = null
        watch.waiting(false)
      }
    },
    stop() {
      watch.stop()
      caller.removeEventListener('abort', onAbort)
      controller.abort()
    },
  }
}
