/** Use case: `POST /v1/vector_stores/{id}/search`. */
import { readFilter } from '../../protocol/search-filters.ts'
import { DEFAULT_SEARCH_RESULTS, type SearchPage, type SearchVectorStoreRequest } from '../../protocol/vector-stores.ts'
import type { FoundChunk } from '../../tools/file-searcher.ts'
import type { Caller } from '../engine.ts'
import { rewriteQuery } from './rewrite-query.ts'
import { catalogOf, type VectorStoreDeps } from './vector-store-deps.ts'
import { vectorStoreExpired, vectorStoreNotFound } from './vector-store-objects.ts'

export async function searchOneStore(
  id: string,
  request: SearchVectorStoreRequest,
  caller: Caller,
  deps: VectorStoreDeps,
): Promise<SearchPage> {
  const store = await catalogOf(caller, deps).get(id)
  if (!store) throw vectorStoreNotFound(id)
  if (store.expired) throw vectorStoreExpired(id)
  const asked = typeof request.query === 'string' ? [request.query] : request.query
  const queries = request.rewrite_query ? asked.map(rewriteQuery) : asked
  const hits = await deps.searcher.search({
    projectId: caller.principal.projectId,
    keyId: caller.principal.keyId,
    requestId: caller.requestId,
    storeIds: [id],
    queries,
    filter: request.filters ? readFilter(request.filters, 'filters') : null,
    limit: request.max_num_results ?? DEFAULT_SEARCH_RESULTS,
    ranking: request.ranking_options ?? null,
    signal: caller.signal,
  })
  return {
    object: 'vector_store.search_results.page',
    search_query: [...queries],
    data: hits.map(toResult),
    has_more: false,
    next_page: null,
  }
}

const toResult = ({ fileId, filename, score, attributes, chunk }: FoundChunk) => ({
  file_id: fileId,
  filename,
  score,
  attributes,
  content: [{ type: 'text' as const, text: chunk.text }],
})
