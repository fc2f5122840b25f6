/** Embeddings by a local model. */
import type { Clock } from '../../lib/clock.ts'
import { plainUsage } from '../../protocol/usage.ts'
import type { Embedded, Embedder, EmbedderLimits, EmbedRequest } from '../embedder.ts'
import { type ModelContext, ModelError } from '../model.ts'
import { startAttempt } from '../upstream/start-attempt.ts'
import { abortedError } from './aborted.ts'
import type { ModelPool } from './model-pool.ts'
import type { OpenModel } from './open-model.ts'

const MAX_INPUTS = 2048

export type LocalEmbedderOptions = {
  /** The name of the provider. */
  readonly provider: string
  readonly pool: ModelPool<OpenModel>
  readonly limits: Pick<EmbedderLimits, 'dimensions' | 'maxInputTokens'>
  readonly clock: Clock
}

export function createLocalEmbedder({ provider, pool, limits, clock }: LocalEmbedderOptions): Embedder {
  return {
    limits: { ...limits, maxInputs: MAX_INPUTS },
    async embed(request, context) {
      let usage: Embedded['usage'] = null
      const attempt = startAttempt({ provider, clock, secrets: [] }, request.model, { usage: () => usage }, context)
      try {
        const lease = await pool.acquire(request.model, context.signal)
        try {
          const embedded = await embedAll(lease.model, request, context)
          usage = embedded.usage
          attempt.yielding()
          attempt.end('completed')
          return embedded
        } finally {
          lease.release()
        }
      } catch (error) {
        attempt.end(context.signal.aborted ? 'aborted' : 'failed')
        if (context.signal.aborted) throw abortedError()
        if (error instanceof ModelError) throw error
        throw new ModelError('unavailable', 'The local model failed.', { status: 503, provider, cause: error })
      }
    },
  }
}

async function embedAll(open: OpenModel, request: EmbedRequest, { signal }: ModelContext): Promise<Embedded> {
  const vectors: (readonly number[])[] = []
  let tokens = 0
  for (const [index, input] of request.inputs.entries()) {
    if (signal.aborted) throw abortedError()
    const ids = typeof input === 'string' ? open.model.tokenize(input) : input
    if (ids.length >= open.contextSize) throw tooLong(index, ids.length, open.contextSize)
    tokens += ids.length
    vectors.push(shorten(await open.embed(input, signal), request.dimensions))
  }
  return { vectors, usage: plainUsage(tokens, 0) }
}

/**
 * A shorter vector is the beginning of the whole one, of length 1 again: right for models that were trained for it, and
 * what other engines do.
 */
function shorten(vector: readonly number[], dimensions: number | null): readonly number[] {
  if (dimensions !== null && dimensions > vector.length) {
    const message = `This model makes embeddings of ${vector.length} dimensions, not ${dimensions}.`
    throw new ModelError('invalid_request', message, { status: 400, param: 'dimensions' })
  }
  const kept = vector.slice(0, dimensions ?? vector.length)
  const size = Math.hypot(...kept)
  return size === 0 ? kept : kept.map((value) => value / size)
}

const tooLong = (index: number, tokens: number, most: number) =>
  new ModelError('context_length', `Input ${index} has ${tokens} tokens; this model takes fewer than ${most}.`, {
    status: 400,
    param: 'input',
  })
