/** What the use cases of vector stores have in common. */
import type { SearchIndex } from '../../search-index/search-index.ts'
import type { Store } from '../../store/store.ts'
import type { CatalogLimits, VectorStoreCatalog } from '../../store/vector-store-catalog.ts'
import type { FileSearcher } from '../../tools/file-searcher.ts'
import type { Caller } from '../engine.ts'
import type { IdempotencyDeps } from '../idempotency.ts'
import { refuseKeeping } from '../retention.ts'
import type { IndexTeller } from './index-teller.ts'

export type VectorStoreDeps = IdempotencyDeps & {
  readonly index: SearchIndex
  readonly teller: IndexTeller
  readonly searcher: FileSearcher
  readonly limits: CatalogLimits
  /** Something is to be ingested. */
  readonly onAttached: () => void
}

/** Of an attachment, and of its document in the index. */
export const DOCUMENT_PREFIX = 'vsd'

export const catalogOf = (
  { principal }: Pick<Caller, 'principal'>,
  { store }: { readonly store: Store },
): VectorStoreCatalog => store.forProject(principal.projectId).vectorStores

/** What cannot be kept cannot be searched either. */
export const refuseUnkept = (caller: Caller, deps: Pick<VectorStoreDeps, 'settings'>): void =>
  refuseKeeping('Vector stores', caller, deps.settings)
