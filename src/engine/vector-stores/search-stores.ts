/** Searches vector stores: each query by the index, what they find as one list, held against the catalogue. */
import type { Clock } from '../../lib/clock.ts'
import { seconds } from '../../lib/clock.ts'
import type { SearchRanking } from '../../protocol/vector-stores.ts'
import {
  type Hit,
  type IndexQuery,
  IndexRebuilding,
  type Ranking,
  type SearchIndex,
} from '../../search-index/search-index.ts'
import type { Store } from '../../store/store.ts'
import type { VectorStoreCatalog } from '../../store/vector-store-catalog.ts'
import type { FileSearch, FileSearcher } from '../../tools/file-searcher.ts'
import type { TextEmbedder } from './embed-texts.ts'
import type { IndexHealer } from './heal-index.ts'
import { RERANKED, type Reranking, rerankHits } from './rerank-hits.ts'

/** How much likeness in kind counts beside the same words, where the request does not say. */
export const DEFAULT_WEIGHTS = { vectorWeight: 1, textWeight: 1 } as const

type Deps = {
  readonly store: Store
  readonly index: SearchIndex
  readonly embedder: TextEmbedder | null
  /** Null: the order of the index is the order. */
  readonly reranking: Reranking | null
  readonly clock: Clock
  /** Of an index that can lose a store by itself. */
  readonly healer: Pick<IndexHealer, 'isWhole' | 'checkEmpty' | 'check'> | null
}

export function createFileSearcher(deps: Deps): FileSearcher {
  return {
    usable: (projectId, storeIds) => deps.store.forProject(projectId).vectorStores.usable(storeIds),
    async search(search) {
      const { projectId, storeIds, queries, signal } = search
      const catalog = deps.store.forProject(projectId).vectorStores
      // A store that is searched is in use, whatever is found.
      catalog.touch(storeIds, seconds(deps.clock)).catch(() => {})
      const vectors = await embedQueries(search, deps.embedder)
      const reranking = search.ranking?.ranker === 'none' ? null : deps.reranking
      const limit = reranking === null ? search.limit : Math.max(search.limit, RERANKED)
      const asked = queries.map((text, at) => {
        const vector = vectors?.at(at) ?? null
        const { filter, ranking } = search
        const query = { storeIds, text, vector, filter, limit, ranking: toRanking(ranking) }
        return searchWhole(query, search, deps)
      })
      const hits = await Promise.all(asked)
      if (hits.every(({ length }) => length === 0)) await deps.healer?.checkEmpty(storeIds, signal)
      const found = await onlyComplete(hits, catalog)
      // What was lost meanwhile is not complete any more, and is not passed over in silence.
      deps.healer?.check(storeIds)
      const ranked = reranking === null ? found : await rerankHits(found, search, reranking)
      const threshold = search.ranking?.score_threshold ?? 0
      return merge(ranked)
        .filter(({ score }) => score >= threshold)
        .slice(0, search.limit)
    },
  }
}

/** A store that was being rebuilt, and is whole by now, is searched like any other. */
async function searchWhole(query: IndexQuery, { projectId, signal }: FileSearch, { index, healer }: Deps) {
  for (;;) {
    try {
      return await index.search(query, signal)
    } catch (error) {
      if (!(error instanceof IndexRebuilding) || healer === null) throw error
      if (!(await healer.isWhole({ projectId, storeId: error.storeId }, signal))) throw error
    }
  }
}

/** What the catalogue does not know any more is shown to nobody, a reranker included. */
async function onlyComplete(found: readonly (readonly Hit[])[], catalog: VectorStoreCatalog) {
  const complete = await catalog.complete([...new Set(found.flat().map(({ documentId }) => documentId))])
  return found.map((hits) => hits.filter(({ documentId }) => complete.has(documentId)))
}

async function embedQueries({ queries, ranking, ...of }: FileSearch, embedder: TextEmbedder | null) {
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
