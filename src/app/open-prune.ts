/** Composition for `antiphon prune`: the store alone, without the lock that only servers take. */
import type { PruneAdmin } from '../cli/app-interface.ts'
import type { ResolvedConfig } from '../config/resolved-config.ts'
import { EXPIRY_BATCH, EXPIRY_GRACE_SECONDS } from '../jobs/expire-responses.ts'
import { seconds, systemClock } from '../lib/clock.ts'
import type { Store } from '../store/store.ts'
import { openStore } from './open-store.ts'

/** Between two batches, so that a server beside it gets its turn to write. */
const PAUSE_MS = 20

export async function openPrune(
  { storage }: Pick<ResolvedConfig, 'storage'>,
  { olderMs }: { readonly olderMs: number | null },
): Promise<PruneAdmin> {
  const { store } = await openStore(storage)
  const now = seconds(systemClock) - EXPIRY_GRACE_SECONDS
  const createdBefore = olderMs === null ? null : seconds(systemClock) - Math.floor(olderMs / 1000)
  return {
    count: () => store.countExpired(now, createdBefore),
    async prune() {
      if (createdBefore !== null) await expireOlder(store, createdBefore, now - 1)
      return deleteExpired(store, now)
    },
    [Symbol.asyncDispose]: () => store.close(),
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
