/**
 * PORT: what can be found in vector stores. A store holds documents, a document its chunks: texts, and vectors where an
 * embedding model made some. Which stores and documents there ought to be is written elsewhere (`VectorStoreCatalog`);
 * whatever is asked here can be asked again without harm.
 *
 * The laws, held by `search-index.contract.ts` for every adapter:
 * - A resolved write is on disk, and is seen by every search that is asked for from then on.
 * - A document is there with all its chunks or not at all, whenever a process dies: `put` takes the place of what was
 *   there under its id in one step.
 * - Each store stands alone: nothing in one changes what is found in another, or its score.
 * - Hits come best first, with scores from 0 to 1, the same for the same query as long as nothing is written.
 * - An unknown store, or one that was dropped, is an empty one.
 * - A search keeps nobody else's thread, and ends soon after its signal aborts.
 */
import { ApiError } from '../protocol/errors.ts'
import type { Attributes, SearchFilter } from '../protocol/search-filters.ts'

export interface SearchIndex {
  put(storeId: string, document: IndexedDocument, chunks: readonly Chunk[]): Promise<PutResult>
  /** Vectors of the chunks of a document that is there, in their order; replaces those there were. False when it is gone. */
  setVectors(storeId: string, documentId: string, vectors: ChunkVectors): Promise<boolean>
  /** Does nothing where the document is unknown. */
  setAttributes(storeId: string, documentId: string, attributes: Attributes): Promise<void>
  remove(storeId: string, documentId: string): Promise<void>
  /** Takes away everything of a store. */
  drop(storeId: string): Promise<void>
  search(query: IndexQuery, signal: AbortSignal): Promise<readonly Hit[]>
  /** The chunks of a document in their order from `from` on; empty when there are none. */
  read(storeId: string, documentId: string, page: { readonly from: number; readonly limit: number }): Promise<Chunk[]>
  /** Documents whose vectors are not of this model, at most `limit`. */
  withoutVectors(storeId: string, model: string, limit: number): Promise<readonly string[]>
  /** Of these documents those that are not there. */
  missing(storeId: string, documentIds: readonly string[]): Promise<readonly string[]>
  close(): Promise<void>
}

/**
 * What an index does that can lose a store by itself. Everything it lost can be made again from the files; until that is
 * done, a search in the store throws `IndexRebuilding`: neither nothing nor a part is passed off as all there is.
 */
export interface IndexRepairs {
  /** Stores whose index was set aside, also by an earlier process, and not yet said to be whole again. */
  rebuilding(): readonly string[]
  /** Takes what there is of the store out of the way: it is empty then, and rebuilding. */
  setAside(storeId: string): Promise<void>
  /** Its documents are there again: it is searched, and what was set aside is deleted. */
  rebuilt(storeId: string): Promise<void>
}

export type IndexedDocument = {
  readonly id: string
  readonly fileId: string
  readonly filename: string
  readonly attributes: Attributes
  /** Of all chunks, in their order; null: it is found by its words alone. */
  readonly vectors: ChunkVectors | null
}

export type ChunkVectors = {
  /** Who made them, and how long they are: vectors of others cannot be compared with them. */
  readonly model: string
  readonly vectors: readonly (readonly number[])[]
}

/** `start` and `end` count UTF-16 units of the text of the document. */
export type Chunk = {
  readonly text: string
  readonly start: number
  readonly end: number
  /** The page it begins on, counted from 1; null where there are no pages. */
  readonly page: number | null
}

/** `bytes`: of the texts and vectors. */
export type PutResult = { readonly bytes: number }

export type IndexQuery = {
  readonly storeIds: readonly string[]
  readonly text: string
  /** Null: by its words alone. */
  readonly vector: { readonly model: string; readonly values: readonly number[] } | null
  readonly filter: SearchFilter | null
  readonly limit: number
  readonly ranking: Ranking
}

/**
 * `fused`: it counts how far a chunk stands out in each of both lists, with these weights. `plain`: by likeness of the vectors alone,
 * or where there are none of the words.
 */
export type Ranking =
  | { readonly type: 'fused'; readonly vectorWeight: number; readonly textWeight: number }
  | { readonly type: 'plain' }

export type Hit = {
  readonly storeId: string
  readonly documentId: string
  readonly fileId: string
  readonly filename: string
  readonly attributes: Attributes
  readonly score: number
  readonly chunk: Chunk
}

/** More waits than the index will remember. */
export class IndexBusy extends ApiError {
  constructor() {
    super({
      status: 503,
      code: 'search_busy',
      message: 'Too many searches are waiting at the moment. Try again.',
      headers: { 'retry-after': '1', 'x-should-retry': 'true' },
    })
  }
}

/** There is no room for what is to be found. Nothing was written. */
export class IndexFull extends ApiError {
  constructor() {
    super({
      status: 503,
      code: 'storage_full',
      message:
        'The storage of this server is full, so nothing can be put into its search index. Free space in its data directory.',
      headers: { 'x-should-retry': 'false' },
    })
  }
}

/** The index of a store was lost or damaged. It is made again from the files of the store. */
export class IndexRebuilding extends ApiError {
  readonly storeId: string

  constructor(storeId: string) {
    super({
      status: 503,
      code: 'vector_store_rebuilding',
      message: `The search index of vector store '${storeId}' was lost or damaged, and is being rebuilt from its files. Try again; 'file_counts' of the store tell how far it is.`,
      headers: { 'retry-after': '2', 'x-should-retry': 'true' },
    })
    this.storeId = storeId
  }
}
