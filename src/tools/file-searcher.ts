/** PORT: a search over vector stores of one project, by one or several queries; for the API and for the tool. */
import type { SearchFilter } from '../protocol/search-filters.ts'
import type { SearchRanking } from '../protocol/vector-stores.ts'
import type { Hit } from '../search-index/search-index.ts'

export interface FileSearcher {
  /** Which of these stores of the project there are and are not expired. */
  usable(projectId: string, storeIds: readonly string[]): Promise<ReadonlySet<string>>
  /** Best first. Throws what the embedding model throws, `IndexBusy`, or the reason of its signal. */
  search(search: FileSearch): Promise<readonly FoundChunk[]>
}

export type FileSearch = {
  readonly projectId: string
  readonly keyId: string
  /** What the calls of models are made for. */
  readonly requestId: string
  /** All of them usable. */
  readonly storeIds: readonly string[]
  readonly queries: readonly string[]
  readonly filter: SearchFilter | null
  readonly limit: number
  readonly ranking: SearchRanking | null
  readonly signal: AbortSignal
}

export type FoundChunk = Pick<Hit, 'fileId' | 'filename' | 'attributes' | 'score' | 'chunk'>
