/**
 * PORT: what is known of files, of uploads in parts, and of which blobs are needed. The bytes are in a `BlobStore`.
 *
 * A file is a list of blobs in order, so that an upload becomes a file without its bytes being copied.
 *
 * The life of a blob is a row: `writing` from before its first byte, `kept` from the transaction that gives it an owner,
 * `dropped` from the one that takes the owner away, and no row once its bytes are gone. So no byte is ever without a row,
 * and whatever a crash leaves behind is found by its row. The laws, held by `store-files.contract.ts`:
 * - A blob gets an owner only from `writing`: what was given up cannot come back.
 * - A file and its blobs appear together, and go together.
 * - The files and parts of a project never hold more than its quota, however many enter at once.
 * - Another project's id, an expired file's and a deleted one's are unknown.
 */
import type { FilePurpose } from '../protocol/files.ts'

export type StoredFile = {
  readonly id: string
  readonly filename: string
  readonly bytes: number
  readonly purpose: FilePurpose
  /** As its sender said, or by its name. */
  readonly mediaType: string
  /** Seconds since the epoch. */
  readonly createdAt: number
  /** Null: it is kept until it is deleted. */
  readonly expiresAt: number | null
  /** The same for the same bytes sent the same way; a name for caches. */
  readonly digest: string
}

export type StoredBlob = { readonly key: string; readonly bytes: number; readonly sha256: string }

/** What a project may hold: of files and of pending parts together. */
export type FileQuota = { readonly bytes: number; readonly files: number }

export type FilePage = {
  readonly limit: number
  readonly order: 'asc' | 'desc'
  /** The id of the last file of the page before. */
  readonly after: string | null
  readonly purpose: string | null
}

export type NewFile = Omit<StoredFile, 'bytes' | 'digest'>

export interface FileStore {
  /** Gives a written blob to a new file. `lost`: the blob was given up meanwhile. */
  create(file: NewFile, blob: StoredBlob, quota: FileQuota): Promise<StoredFile | 'full' | 'too-many' | 'lost'>
  get(id: string): Promise<StoredFile | null>
  /** The blobs of a file, in order; null when it is unknown. */
  blobsOf(id: string): Promise<readonly StoredBlob[] | null>
  /** One more than `limit` where there are more. `unknown-after`: no such file. */
  list(page: FilePage): Promise<readonly StoredFile[] | 'unknown-after'>
  /** False when unknown. */
  delete(id: string): Promise<boolean>
  /** Bytes of files and pending parts. */
  usedBytes(): Promise<number>
  readonly uploads: UploadStore
}

export type UploadStatus = 'pending' | 'completed' | 'cancelled' | 'expired'

export type StoredUpload = {
  readonly id: string
  readonly filename: string
  /** As declared; the parts have to add up to it. */
  readonly bytes: number
  readonly purpose: FilePurpose
  readonly mediaType: string
  readonly createdAt: number
  /** From then on it is `expired`, if it is pending. */
  readonly expiresAt: number
  /** How long its file will be kept, counted from its completion; null: until it is deleted. */
  readonly fileTtlSeconds: number | null
  readonly status: UploadStatus
}

export type UploadLimits = FileQuota & {
  /** Pending uploads of a project. */
  readonly uploads: number
  /** Parts of one upload. */
  readonly parts: number
}

/** `closed`: it is not pending any more. `too-large`: more than was declared. */
export type AddedPart = 'added' | 'unknown' | 'closed' | 'too-large' | 'full' | 'too-many' | 'lost'

export type CompletedUpload =
  | { readonly type: 'completed'; readonly upload: StoredUpload; readonly file: StoredFile }
  | { readonly type: 'unknown' | 'too-many' | 'no-parts' }
  | { readonly type: 'closed'; readonly status: UploadStatus }
  /** `index`: of the part that is not of this upload, or named before. */
  | { readonly type: 'unknown-part' | 'repeated-part'; readonly index: number }
  | { readonly type: 'wrong-size'; readonly bytes: number; readonly declared: number }

export interface UploadStore {
  create(upload: Omit<StoredUpload, 'status'>, limits: UploadLimits): Promise<StoredUpload | 'too-many'>
  get(id: string): Promise<StoredUpload | null>
  addPart(
    id: string,
    part: { id: string; createdAt: number },
    blob: StoredBlob,
    limits: UploadLimits,
  ): Promise<AddedPart>
  /** The blobs of those parts in that order; null when the upload or a part is unknown. */
  blobsOf(id: string, partIds: readonly string[]): Promise<readonly StoredBlob[] | null>
  /** The parts become a file in the order of their ids; other parts of the upload are dropped. */
  complete(
    id: string,
    partIds: readonly string[],
    file: { readonly id: string; readonly createdAt: number },
    quota: FileQuota,
  ): Promise<CompletedUpload>
  /** Drops its parts. A string: what it is already, or that it is unknown. */
  cancel(id: string): Promise<StoredUpload | Exclude<UploadStatus, 'pending'> | 'unknown'>
}

/** The rows of blobs that nobody owns, of all projects. */
export interface BlobLedger {
  /** Before a byte is written. */
  begin(key: string, at: number): Promise<void>
  /** Nobody wants it any more: only of a blob that is still `writing`. */
  giveUp(key: string): Promise<void>
  /** Blobs without an owner: dropped, or `writing` since before `begunBefore`, which then counts as dropped. */
  findUnowned(begunBefore: number, limit: number): Promise<readonly string[]>
  /** Their bytes are gone. */
  forget(keys: readonly string[]): Promise<void>
}
