/** What the index has found for each query, in the order of a reranker; or as it was, where that fails. */
import { ModelError } from '../../models/model.ts'
import type { RankedText, Reranker } from '../../models/reranker.ts'
import type { Hit } from '../../search-index/search-index.ts'
import type { Telemetry } from '../../telemetry/telemetry.ts'
import type { FileSearch } from '../../tools/file-searcher.ts'

/** Chunks of each query that it reads, at least as many as are wanted. */
export const RERANKED = 50

export type Reranking = { readonly reranker: Reranker; readonly telemetry: Pick<Telemetry, 'modelAttempted'> }

/**
 * One call for each query that found anything, side by side. All of them or none: scores of the index and of a reranker
 * cannot stand in one list. That one has failed is in the log and the metrics, as every call of a model.
 */
export async function rerankHits(
  found: readonly (readonly Hit[])[],
  { queries, requestId, signal }: Pick<FileSearch, 'queries' | 'requestId' | 'signal'>,
  { reranker, telemetry }: Reranking,
): Promise<readonly (readonly Hit[])[]> {
  try {
    return await Promise.all(
      found.map(async (hits, at) => {
        if (hits.length === 0) return hits
        const request = { query: queries[at] ?? '', documents: hits.map(({ chunk }) => chunk.text.toWellFormed()) }
        const context = {
          signal,
          onAttempt: (attempt: Parameters<Telemetry['modelAttempted']>[0]['attempt']) =>
            telemetry.modelAttempted({ requestId, attempt }),
        }
        return inOrder(hits, await reranker.rerank(request, context))
      }),
    )
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof ModelError) return found
    throw error
  }
}

/** Scores outside of 0 to 1 are cut, and keep their order. What was left out comes last, with 0. */
function inOrder(hits: readonly Hit[], ranked: readonly RankedText[]): readonly Hit[] {
  const scored = ranked.flatMap(({ index, score }) => {
    const hit = hits[index]
    return hit === undefined ? [] : [{ ...hit, score: Math.min(1, Math.max(0, score)) }]
  })
  const known = new Set(ranked.map(({ index }) => index))
  return [...scored, ...hits.filter((_, at) => !known.has(at)).map((hit) => ({ ...hit, score: 0 }))]
}
