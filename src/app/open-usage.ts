/** Composition for `antiphon usage`: the store alone, without the lock that only servers take. */
import type { UsageAdmin } from '../cli/app-interface.ts'
import type { ResolvedConfig } from '../config/resolved-config.ts'
import { systemClock } from '../lib/clock.ts'
import { openStore } from './open-store.ts'

export async function openUsage({ storage }: Pick<ResolvedConfig, 'storage'>): Promise<UsageAdmin> {
  const { store } = await openStore(storage)
  return {
    nowMs: () => systemClock.now(),
    sumUsage: (since) => store.sumUsage(since),
    usageOf: (responseId) => store.usageOf(responseId),
    [Symbol.asyncDispose]: () => store.close(),
  }
}
