/** A search over vector stores of one project, by one or several queries; for the API and for the tool. */

import type { Clock } from '../../lib/clock.ts'
import { seconds } from '../../lib/clock.ts'
import type { SearchFilter } from '../../protocol/search-filters.ts'
import type { SearchRanking } from '../../protocol/vector-stores.ts'
import {
  type Hit,
  type IndexQuery,
  IndexRebuilding,
  type Ranking,
  type SearchIndex,
} from '../../search-index/search-index.ts'
import type { Store } from '../../store/store.ts'
import type { TextEmbedder } from './embed-texts.ts'
import type { IndexHealer } from './heal-index.ts'

export interface StoreSearcher {
  /** Which of these stores there are and are not expired. */
  usable(projectId: string, storeIds: readonly string[]): Promise<ReadonlySet<string>>
  /** Best first. Throws what the embedding model throws, `IndexBusy`, or the reason of its signal. */
  search(search: StoreSearch): Promise<readonly Hit[]>
}

export type StoreSearch = {
  readonly projectId: string
  readonly keyId: string
  /** What the calls of the embedding model are made for. */
  readonly requestId: string
  /** All of them usable. */
  readonly storeIds: readonly string[]
  readonly queries: readonly string[]
  readonly filter: SearchFilter | null
  readonly limit: number
  readonly ranking: SearchRanking | null
  readonly signal: AbortSignal
}

/** How much likeness in kind counts beside the same words, where the request does not say. */
export const DEFAULT_WEIGHTS = { vectorWeight: 1, textWeight: 1 } as const

type Deps = {
  readonly store: Store
  readonly index: SearchIndex
  readonly embedder: TextEmbedder | null
  readonly clock: Clock
  /** Of an index that can lose a store by itself. */
  readonly healer: Pick<IndexHealer, 'isWhole' | 'checkEmpty' | 'check'> | null
}

export function createStoreSearcher(deps: Deps): StoreSearcher {
  return {
    usable: (projectId, storeIds) => deps.store.forProject(projectId).vectorStores.usable(storeIds),
    async search(search) {
      const { projectId, storeIds, queries, signal } = search
      const catalog = deps.store.forProject(projectId).vectorStores
      // A store that is searched is in use, whatever is found.
      catalog.touch(storeIds, seconds(deps.clock)).catch(() => {})
      const vectors = await embedQueries(search, deps.embedder)
      const asked = queries.map((text, at) => {
        const vector = vectors?.at(at) ?? null
        const { filter, limit, ranking } = search
        const query = { storeIds, text, vector, filter, limit, ranking: toRanking(ranking) }
        return searchWhole(query, search, deps)
      })
      const hits = merge(await Promise.all(asked))
      if (hits.length === 0) await deps.healer?.checkEmpty(storeIds, signal)
      const complete = await catalog.complete(hits.map(({ documentId }) => documentId))
      // What was lost meanwhile is not complete any more, and is not passed over in silence.
      deps.healer?.check(storeIds)
      const threshold = search.ranking?.score_threshold ?? 0
      return hits
        .filter(({ documentId, score }) => complete.has(documentId) && score >= threshold)
        .slice(0, search.limit)
    },
  }
}

/** A store that was being rebuilt, and is whole by now, is searched like any other. */
async function searchWhole(query: IndexQuery, { projectId, signal }: StoreSearch, { index, healer }: Deps) {
  for (;;) {
    try {
      return await index.search(query, signal)
    } catch (error) {
      if (!(error instanceof IndexRebuilding) || healer === null) throw error
      if (!(await healer.isWhole({ projectId, storeId: error.storeId }, signal))) throw error
    }
  }
}

async function embedQueries({ queries, ranking, ...of }: StoreSearch, embedder: TextEmbedder | null) {
  if (embedder === null || ranking?.hybrid_search?.embedding_weight === 0) return null
  const { model, vectors } = await embedder.embed(queries, of)
  return vectors.map((values) => ({ model, values }))
}

function toRanking(ranking: SearchRanking | null): Ranking {
  if (ranking?.ranker === 'none') return { type: 'plain' }
  const weights = ranking?.hybrid_search
  if (!weights) return { type: 'fused', ...DEFAULT_WEIGHTS }
  return { type: 'fused', vectorWeight: weights.embedding_weight, textWeight: weights.text_weight }
}

/** A chunk that several queries find counts with the best of its scores. */
function merge(found: readonly (readonly Hit[])[]): readonly Hit[] {
  const best = new Map<string, Hit>()
  for (const hit of found.flat()) {
    const key = `${hit.documentId} ${hit.chunk.start}`
    if ((best.get(key)?.score ?? -1) < hit.score) best.set(key, hit)
  }
  return [...best.values()].sort((a, b) => b.score - a.score)
}
