/**
 * The one place where a model stream may be exchanged for another (law 10), used by retry and fallback.
 *
 * Invariant: after the first batch nothing is exchanged any more; what the stream throws then goes out as it is.
 * From there on the inner iterator is handed out directly: a generator around it would cost a promise per batch and
 * layer on the hot path.
 */
import type { ModelBatch } from './model.ts'

type BatchIterator = AsyncIterator<ModelBatch>

export interface StreamSource {
  /** The stream of attempt 0, 1, 2, ... */
  open(attempt: number): AsyncIterable<ModelBatch>
  /** The attempt delivered its first batch, or ended without any. */
  onAccepted?(attempt: number): void
  /** The attempt failed before its first batch: resolve to go on with the next one, throw to end. */
  onFailed(attempt: number, error: unknown): Promise<void>
}

export function switchUntilFirst(source: StreamSource): AsyncIterable<ModelBatch> {
  return { [Symbol.asyncIterator]: () => createSwitchingIterator(source) }
}

function createSwitchingIterator(source: StreamSource): BatchIterator {
  let accepted: BatchIterator | null = null
  let ended = false

  const first = async (): Promise<IteratorResult<ModelBatch>> => {
    for (let attempt = 0; !ended; attempt += 1) {
      try {
        const candidate = source.open(attempt)[Symbol.asyncIterator]()
        const result = await candidate.next()
        accepted = candidate
        // Left while it was being opened: nobody else will close it.
        if (ended) await candidate.return?.()
        source.onAccepted?.(attempt)
        return result
      } catch (error) {
        await source.onFailed(attempt, error)
      }
    }
    return { done: true, value: undefined }
  }
  return {
    next() {
      if (ended) return Promise.resolve({ done: true, value: undefined })
      if (accepted !== null) return accepted.next()
      return first().catch((error: unknown) => {
        ended = true
        throw error
      })
    },
    async return() {
      ended = true
      await accepted?.return?.()
      return { done: true, value: undefined }
    },
  }
}
