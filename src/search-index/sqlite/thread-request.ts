/** What is asked of a thread of the index. */
import type { Attributes } from '../../protocol/search-filters.ts'
import type { Chunk, ChunkVectors, IndexedDocument, IndexQuery } from '../search-index.ts'

type OfDocument = { readonly storeId: string; readonly documentId: string }

export type WriteRequest =
  | {
      readonly type: 'put'
      readonly storeId: string
      readonly document: IndexedDocument
      readonly chunks: readonly Chunk[]
    }
  | ({ readonly type: 'set-vectors'; readonly vectors: ChunkVectors } & OfDocument)
  | ({ readonly type: 'set-attributes'; readonly attributes: Attributes } & OfDocument)
  | ({ readonly type: 'remove' } & OfDocument)
  | { readonly type: 'drop'; readonly storeId: string }
  | { readonly type: 'tidy'; readonly storeId: string }
  /** Takes the file out of the way, and deletes it. */
  | { readonly type: 'set-aside' | 'delete-set-aside'; readonly storeId: string }

export type ReadRequest =
  /** `revisions`: how often vectors of a store were replaced; none where never. */
  | { readonly type: 'search'; readonly query: IndexQuery; readonly revisions: ReadonlyMap<string, number> }
  | ({ readonly type: 'read'; readonly from: number; readonly limit: number } & OfDocument)
  | { readonly type: 'without-vectors'; readonly storeId: string; readonly model: string; readonly limit: number }
  | { readonly type: 'known'; readonly storeId: string; readonly documentIds: readonly string[] }
  /** Lets go of a file that is about to be deleted. */
  | { readonly type: 'forget'; readonly storeId: string }

export type ThreadRequest = WriteRequest | ReadRequest

/** `damaged`: the store whose file could not be read. `full`: there is no room on the disk. */
export type ThreadAnswer = { readonly result: unknown } | { readonly damaged: string } | { readonly full: true }
