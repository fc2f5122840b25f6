/** Composition for `antiphon prune`: the store and the bytes of files, without the lock that only servers take. */
import { sweepBlobs } from '../blobs/sweep-blobs.ts'
import type { PruneAdmin } from '../cli/app-interface.ts'
import type { ResolvedConfig } from '../config/resolved-config.ts'
import { EXPIRY_BATCH, EXPIRY_GRACE_SECONDS } from '../jobs/expire-responses.ts'
import { deadBefore } from '../jobs/sweep-files.ts'
import { seconds, systemClock } from '../lib/clock.ts'
import type { Store } from '../store/store.ts'
import { openBlobs } from './open-blobs.ts'
import { openStore } from './open-store.ts'

/** Between two batches, so that a server beside it gets its turn to write. */
const PAUSE_MS = 20

export async function openPrune(
  config: Pick<ResolvedConfig, 'storage' | 'fileStorage'> & {
    readonly limits: Pick<ResolvedConfig['limits'], 'uploadTimeMs'>
  },
  { olderMs }: { readonly olderMs: number | null },
): Promise<PruneAdmin> {
  const { store } = await openStore(config.storage)
  const blobs = openBlobs(config, systemClock)
  const now = seconds(systemClock) - EXPIRY_GRACE_SECONDS
  const createdBefore = olderMs === null ? null : seconds(systemClock) - Math.floor(olderMs / 1000)
  return {
    count: () => store.countExpired(now, createdBefore),
    async prune() {
      if (createdBefore !== null) await expireOlder(store, createdBefore, now - 1)
      const deleted = await deleteExpired(store, now)
      await sweepBlobs({ store, blobs }, deadBefore(systemClock, config.limits.uploadTimeMs))
      return deleted
    },
    async [Symbol.asyncDispose]() {
      await blobs.close()
      await store.close()
    },
  }
}

async function expireOlder(store: Store, createdBefore: number, expiresAt: number): Promise<void> {
  let after: number | null = 0
  while (after !== null) {
    after = await store.expireOlder(createdBefore, expiresAt, { after, limit: EXPIRY_BATCH })
    await wait()
  }
}

/** A batch may find only responses that others stand on, and then deletes nothing: it is over when two in a row do. */
async function deleteExpired(store: Store, now: number): Promise<number> {
  let total = 0
  for (let empty = 0; empty < 2; ) {
    const deleted = await store.purgeExpired(now, EXPIRY_BATCH)
    total += deleted
    empty = deleted === 0 ? empty + 1 : 0
    await wait()
  }
  return total
}

/** The system clock's timers do not hold a process open, so this one is its own. */
const wait = () => new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
