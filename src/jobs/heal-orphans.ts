/**
 * Ends what replicas that died had begun, on a store that several share.
 *
 * Invariant: it judges only after the store has answered for a whole lease without a break. After an outage all leases
 * are over, also of those who live; this gives them the time to come back first.
 */
import { type Clock, sleep } from '../lib/clock.ts'
import type { Store } from '../store/store.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'

/** Between two looks; with the lease it bounds how long a response of a dead replica looks as if it ran. */
export const HEAL_INTERVAL_MS = 5_000

export type HealingParts = {
  readonly store: Pick<Store, 'ping' | 'failOrphans'>
  readonly clock: Clock
  readonly telemetry: Pick<Telemetry, 'failed'>
  /** How long a replica lives that nobody hears of. */
  readonly leaseMs: number
}

export const ORPHANED = {
  code: 'server_error',
  message: 'The server stopped while this response ran.',
} as const

export function startHealing(parts: HealingParts): AsyncDisposable {
  const stop = new AbortController()
  const running = run(parts, stop.signal)
  return {
    async [Symbol.asyncDispose]() {
      stop.abort()
      await running
    },
  }
}

async function run({ store, clock, telemetry, leaseMs }: HealingParts, signal: AbortSignal): Promise<void> {
  /** Since when every look found the store there; null: the last one did not. */
  let steadySince: number | null = null
  let lookedAt = clock.monotonic()
  while (await sleep(clock, HEAL_INTERVAL_MS, signal)) {
    const now = clock.monotonic()
    // A process that stood still does not know what it missed.
    if (now - lookedAt > 2 * HEAL_INTERVAL_MS) steadySince = null
    lookedAt = now
    try {
      await store.ping()
      steadySince ??= now
      if (now - steadySince >= leaseMs) await store.failOrphans(ORPHANED)
    } catch (error) {
      if (steadySince !== null) telemetry.failed({ requestId: null, where: 'heal-orphans', error })
      steadySince = null
    }
  }
}
