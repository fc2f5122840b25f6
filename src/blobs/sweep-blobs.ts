/** Removes the bytes that nobody owns. */
import type { BlobLedger } from '../store/file-store.ts'
import type { BlobStore } from './blob-store.ts'

export type SweepParts = { readonly store: { readonly blobs: BlobLedger }; readonly blobs: BlobStore }

/** Keys of one step. */
const BATCH = 100

/**
 * `begunBefore`: whose writing began earlier than that (seconds) is dead. First the bytes go, then the row, so that what
 * stops in between is done again. Two at once may remove the same blob; the second finds nothing to do. Answers how many.
 */
export async function sweepBlobs({ store, blobs }: SweepParts, begunBefore: number): Promise<number> {
  for (let swept = 0; ; ) {
    const keys = await store.blobs.findUnowned(begunBefore, BATCH)
    for (const key of keys) await blobs.delete(key)
    await store.blobs.forget(keys)
    swept += keys.length
    if (keys.length < BATCH) return swept
  }
}
