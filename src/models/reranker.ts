/**
 * PORT: a model that reads a query beside each of several texts, and says how well each answers it.
 *
 * The laws, held by `reranker.contract.ts` for every adapter:
 * - Each text has at most one score, and every score is a finite number; a text that the model left out has none.
 * - Failure is a thrown `ModelError`, and an aborted signal ends the call within a second, by a throw.
 * - Every call is told to the context when it ended, however it ended.
 */
import type { ModelContext } from './model.ts'

export interface Reranker {
  /** One call; best first. */
  rerank(request: RerankRequest, context: ModelContext): Promise<readonly RankedText[]>
}

export type RerankRequest = { readonly query: string; readonly documents: readonly string[] }

/** `index`: of `documents`. `score`: the higher, the better; models mean different things by it. */
export type RankedText = { readonly index: number; readonly score: number }
