/** What the tool needs of vector stores. */
import type { Attributes, SearchFilter } from '../../protocol/search-filters.ts'
import type { SearchRanking } from '../../protocol/vector-stores.ts'

export interface FileSearcher {
  /** Which of these stores of the project there are and are not expired. */
  usable(projectId: string, storeIds: readonly string[]): Promise<ReadonlySet<string>>
  /** Best first. */
  search(search: FileSearch): Promise<readonly FoundChunk[]>
}

export type FileSearch = {
  readonly projectId: string
  readonly keyId: string
  readonly requestId: string
  readonly storeIds: readonly string[]
  readonly queries: readonly string[]
  readonly filter: SearchFilter | null
  readonly limit: number
  readonly ranking: SearchRanking | null
  readonly signal: AbortSignal
}

export type FoundChunk = {
  readonly fileId: string
  readonly filename: string
  readonly attributes: Attributes
  readonly score: number
  readonly chunk: { readonly text: string; readonly page: number | null }
}
