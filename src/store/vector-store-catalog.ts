/**
 * PORT: which vector stores there are, which files are in them, and how far each has come. What can be found in them is in
 * a `SearchIndex`, which is told of changes afterwards.
 *
 * A file in a store is an attachment with an id of its own, which is the id of its document in the index. The laws, held
 * by `store-vector-stores.contract.ts` for every adapter:
 * - The attachments that are `in_progress` are the queue of what is to be ingested. A row leaves that status once, and
 *   comes back to it only when the index has lost its document.
 * - Whatever the index has to be told is written down in the transaction that makes it true, and stays written until it
 *   was told. So the two may differ for a moment, but never for good.
 * - A file that is deleted is in no store from the same transaction on.
 * - Another project's id answers like one that never existed.
 */
import type { Metadata } from '../protocol/options.ts'
import type { Attributes } from '../protocol/search-filters.ts'
import type { ChunkingStrategy, FileCounts, IngestErrorCode, StoreFileStatus } from '../protocol/vector-stores.ts'
import type { EndClaim } from './idempotency-store.ts'

export type StoredVectorStore = {
  readonly id: string
  /** Seconds since the epoch. */
  readonly createdAt: number
  readonly name: string
  readonly description: string | null
  readonly metadata: Metadata
  /** Days after `lastActiveAt`; null keeps it. */
  readonly expiresAfterDays: number | null
  readonly lastActiveAt: number
  /** It has outlived that, and holds no files any more. */
  readonly expired: boolean
  readonly counts: FileCounts
  readonly usageBytes: number
}

export type NewVectorStore = Omit<StoredVectorStore, 'expired' | 'counts' | 'usageBytes'>

export type NewAttachment = {
  /** Of its document in the index. */
  readonly documentId: string
  readonly fileId: string
  readonly attributes: Attributes
  readonly chunking: ChunkingStrategy
}

export type StoredAttachment = NewAttachment & {
  readonly storeId: string
  readonly createdAt: number
  readonly status: StoreFileStatus
  readonly usageBytes: number
  readonly error: IngestError | null
}

export type IngestError = { readonly code: IngestErrorCode; readonly message: string }

export type StoredBatch = {
  readonly id: string
  readonly storeId: string
  readonly createdAt: number
  readonly cancelled: boolean
  readonly counts: FileCounts
}

export type StorePage = {
  readonly limit: number
  readonly order: 'asc' | 'desc'
  /** The id that the page follows, in the order of the page. */
  readonly after: string | null
  /** The id that the page stands before. */
  readonly before: string | null
}
export type AttachmentPage = StorePage & { readonly status: StoreFileStatus | null; readonly batchId: string | null }

/** One more than `limit` where there are more. */
export type Listed<T> = readonly T[] | 'unknown-cursor'

export type StoreChanges = {
  readonly name?: string
  readonly metadata?: Metadata
  readonly expiresAfterDays?: number | null
}

export type CatalogLimits = { readonly stores: number; readonly filesPerStore: number }

/** `unknown-file`: the first of them that is no file of the project. */
export type Attached =
  | { readonly type: 'attached' }
  | { readonly type: 'unknown' | 'expired' | 'full' }
  | { readonly type: 'unknown-file'; readonly index: number }

export interface VectorStoreCatalog {
  create(
    store: NewVectorStore,
    files: readonly NewAttachment[],
    limits: CatalogLimits,
    endClaim?: EndClaim<StoredVectorStore>,
  ): Promise<Attached | { readonly type: 'too-many-stores' }>
  get(id: string): Promise<StoredVectorStore | null>
  /** Which of these there are and are not expired. */
  usable(ids: readonly string[]): Promise<ReadonlySet<string>>
  list(page: StorePage): Promise<Listed<StoredVectorStore>>
  update(
    id: string,
    changes: StoreChanges,
    now: number,
    endClaim?: EndClaim<StoredVectorStore>,
  ): Promise<StoredVectorStore | 'unknown' | 'expired'>
  /** False when unknown. */
  delete(id: string): Promise<boolean>
  /** They are in use. Nobody waits for it. */
  touch(ids: readonly string[], now: number): Promise<void>
  /** A file that is there already is attached anew. `batch`: what they belong to from now on. */
  attach(
    storeId: string,
    files: readonly NewAttachment[],
    at: { readonly now: number; readonly batchId: string | null },
    limits: CatalogLimits,
    endClaim?: EndClaim<StoredAttachment | StoredBatch>,
  ): Promise<Attached>
  getAttachment(storeId: string, fileId: string): Promise<StoredAttachment | null>
  listAttachments(storeId: string, page: AttachmentPage): Promise<Listed<StoredAttachment>>
  /** Null when unknown. */
  setAttributes(storeId: string, fileId: string, attributes: Attributes): Promise<StoredAttachment | null>
  /** False when unknown. */
  detach(storeId: string, fileId: string): Promise<boolean>
  /** Of these documents those whose attachments are complete and whose files there are. */
  complete(documentIds: readonly string[]): Promise<ReadonlySet<string>>
  getBatch(storeId: string, id: string): Promise<StoredBatch | null>
  /** What is in progress is cancelled; what is over stays. Null when unknown. */
  cancelBatch(storeId: string, id: string): Promise<StoredBatch | null>
}

/** The work of all projects. */
export interface IngestQueue {
  /**
   * Writes down that the oldest attachment that is due is tried once more, and answers it. It stays in the queue until its
   * end is written, so one that dies with its process is taken again. `except`: those that are being worked on.
   */
  take(now: number, except: readonly string[]): Promise<IngestJob | null>
  /**
   * False when it is not in progress any more: it was detached, replaced or cancelled. Attributes that were set while it was
   * ingested are a change that the index has to be told.
   */
  finish(documentId: string, end: IngestEnd): Promise<boolean>
  /** It failed, and is tried again from then on. */
  postpone(documentId: string, notBefore: number): Promise<void>
  /** What the index has to be told, oldest first. */
  changes(limit: number): Promise<readonly IndexChange[]>
  /** It was told. */
  forget(seqs: readonly number[]): Promise<void>
  /** Stores that are not expired and have something to be found, after that id in the order of ids. */
  stores(after: string, limit: number): Promise<readonly { readonly projectId: string; readonly storeId: string }[]>
  /** Documents of a store that are complete, after that id in the order of ids. */
  documents(storeId: string, after: string, limit: number): Promise<readonly string[]>
  /** The index has lost them: those of them that are complete are to be ingested again. Answers how many. */
  requeue(documentIds: readonly string[]): Promise<number>
  /** Empties stores that expired before `now`. Answers how many, at most `limit`. */
  expire(now: number, limit: number): Promise<number>
}

export type IngestJob = Pick<StoredAttachment, 'storeId' | 'documentId' | 'fileId' | 'attributes' | 'chunking'> & {
  readonly projectId: string
  /** How often it was tried, this time included. */
  readonly attempts: number
}

export type IngestEnd =
  /** `attributes`: those it is in the index with. */
  | { readonly status: 'completed'; readonly usageBytes: number; readonly attributes: Attributes }
  | { readonly status: 'failed'; readonly error: IngestError }

export type IndexChange = { readonly seq: number; readonly storeId: string } & (
  | { readonly type: 'drop' }
  | { readonly type: 'remove'; readonly documentId: string }
  | { readonly type: 'attributes'; readonly documentId: string; readonly attributes: Attributes }
)
