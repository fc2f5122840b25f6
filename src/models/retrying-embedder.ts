/** An embedder that goes on with the next target, or repeats, when a call failed that the upstream cannot have accepted. */
import { type Clock, sleep } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import { abortedError } from './aborted-error.ts'
import type { Embedded, Embedder, EmbedRequest } from './embedder.ts'
import type { ModelContext } from './model.ts'
import type { RetryBudget } from './retry-budget.ts'
import { isRetryable, retryDelay } from './retrying-model.ts'

export type EmbedTarget = { readonly embedder: Embedder; readonly upstreamModel: string }
export type RetryingEmbedderOptions = {
  readonly clock: Clock
  readonly ids: Ids
  readonly budget: RetryBudget
  /** Calls of one request, the first included. */
  readonly maxAttempts: number
}

/** `targets`: tried in turn; they must make the same embeddings. */
export function retryingEmbedder(
  targets: readonly [EmbedTarget, ...EmbedTarget[]],
  { clock, ids, budget, maxAttempts }: RetryingEmbedderOptions,
): Embedder {
  const [first] = targets
  const waitForNext = async (attempt: number, error: unknown, { signal }: ModelContext) => {
    if (signal.aborted || attempt + 1 >= maxAttempts || !isRetryable(error)) throw error
    // Another place can be asked at once; the same one wants a pause.
    const isElsewhere = targets.length > 1 && (attempt + 1) % targets.length !== 0
    const delayMs = isElsewhere ? 0 : retryDelay(error, attempt, ids.random())
    if (delayMs === null || !budget.take()) throw error
    if (!(await sleep(clock, delayMs, signal))) throw abortedError()
  }
  const embed = async (request: EmbedRequest, context: ModelContext): Promise<Embedded> => {
    budget.recordRequest()
    for (let attempt = 0; ; attempt++) {
      const { embedder, upstreamModel } = targets[attempt % targets.length] ?? first
      try {
        return await embedder.embed({ ...request, model: upstreamModel }, context)
      } catch (error) {
        await waitForNext(attempt, error, context)
      }
    }
  }
  return { limits: first.embedder.limits, embed }
}
