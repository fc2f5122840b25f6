/** What a database can refuse, as errors the edge understands. */
import { ApiError } from '../../protocol/errors.ts'

/** The disk, or the quota of the database, is full. Reads and deletes go on; a retry helps only after there is space. */
export class StorageFull extends ApiError {
  constructor(cause: unknown) {
    super({
      status: 503,
      code: 'storage_full',
      message: 'The storage of this server is full, so nothing can be stored. Free space in its data directory.',
      headers: { 'x-should-retry': 'false' },
      cause,
    })
  }
}

/** Another process held the database for longer than the busy timeout, or too many writes are waiting. */
export class StorageBusy extends ApiError {
  constructor(cause?: unknown) {
    super({
      status: 503,
      code: 'storage_busy',
      message: 'The storage of this server is busy. Nothing was written; try again.',
      headers: { 'x-should-retry': 'true', 'retry-after-ms': '1000' },
      cause,
    })
  }
}

/** The database server cannot be reached, or answers too slowly. It is asked anew by each request. */
export class StorageUnavailable extends ApiError {
  constructor(cause?: unknown) {
    super({
      status: 503,
      code: 'storage_unavailable',
      message: 'The database of this server cannot be reached at the moment. Try again.',
      headers: { 'x-should-retry': 'true', 'retry-after': '2' },
      cause,
    })
  }
}

/** The lease of a conversation ran out while its run was stalled, and another run took the conversation over. */
export class ConversationLost extends ApiError {
  constructor() {
    super({
      status: 409,
      param: 'conversation',
      code: 'conversation_locked',
      message:
        'Another process took over this conversation while the response ran. Nothing of this response was added to ' +
        'it; send the request again.',
      headers: { 'retry-after': '1' },
    })
  }
}

/** The database was written by a newer version. */
export class SchemaTooNew extends Error {
  override readonly name = 'SchemaTooNew'
  readonly found: number
  readonly known: number

  constructor(path: string, found: { version: number; name: string }, known: { version: number; name: string }) {
    super(
      `${path} has schema ${found.version} '${found.name}', written by a newer version of Antiphon; this one knows ` +
        `schemas up to ${known.version} '${known.name}'. Start the newer version, or restore the copy made before ` +
        'the upgrade.',
    )
    this.found = found.version
    this.known = known.version
  }
}

/** The file is a database, but not ours, or the engine is one we must not use. */
export class StorageUnusable extends Error {
  override readonly name = 'StorageUnusable'
}
