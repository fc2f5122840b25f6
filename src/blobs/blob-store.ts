/**
 * PORT: bytes under keys. A blob is written once, whole, and never changed.
 *
 * The laws, held by `blob-store.contract.ts` for every adapter:
 * - A resolved `write` is durable. Nobody sees a blob before that, and nobody ever sees a part of one: a write that fails,
 *   is aborted or dies with its process leaves nothing under its key.
 * - Neither way holds a blob in memory: a writer waits for the medium, a reader is waited for.
 * - `delete` takes away everything there may be under a key, also what a dead process left of an unfinished write, and
 *   does nothing the second time.
 *
 * A key is an id of ours, made of letters, digits and `_`; nothing a client says becomes part of one. Who needs which blob
 * is written in the store (`file-store.ts`), so a blob store is never listed.
 */
import { ApiError } from '../protocol/errors.ts'

export interface BlobStore {
  /** Answers how many bytes there were. Throws what `content` throws, `signal.reason`, or `BlobsFull`. */
  write(key: string, content: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<number>
  /** Nothing is opened before the first chunk is asked for. Throws `BlobMissing`, or what keeps it from its end. */
  read(key: string, signal: AbortSignal): AsyncIterable<Uint8Array>
  delete(key: string): Promise<void>
  close(): Promise<void>
}

const KEY = /^[A-Za-z0-9_]{8,128}$/

/** Throws for what is no key of ours: the last line between a mistake of ours and a path. */
export function checkBlobKey(key: string): string {
  if (KEY.test(key)) return key
  throw new Error('a blob key is letters, digits and _')
}

/** Nothing is under the key. */
export class BlobMissing extends Error {
  override readonly name = 'BlobMissing'
  constructor(cause?: unknown) {
    super('there is no such blob', { cause })
  }
}

/** There is no room left. */
export class BlobsFull extends ApiError {
  constructor(cause: unknown) {
    super({
      status: 503,
      code: 'storage_full',
      message: 'The storage of this server is full, so nothing can be stored. Delete files, or tell the operator.',
      headers: { 'x-should-retry': 'false' },
      cause,
    })
  }
}

/** The medium fails, or does not answer. Nothing was kept. */
export class BlobsUnavailable extends ApiError {
  constructor(cause: unknown) {
    super({
      status: 503,
      code: 'storage_unavailable',
      message: 'The file storage of this server cannot be reached at the moment. Nothing was kept; try again.',
      headers: { 'x-should-retry': 'true', 'retry-after': '2' },
      cause,
    })
  }
}
