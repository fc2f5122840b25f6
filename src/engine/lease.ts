/**
 * Something of the store that a run holds while it lives: the lock of a conversation, the claim of an idempotency key.
 * It is renewed for as long as the process is alive, so a dead owner loses it within `LEASE_MS`.
 *
 * Invariant: the end of a lease is written once. Either the transaction that ends the response does it (`settle`), or
 * disposing gives it back.
 */
import type { Clock } from '../lib/clock.ts'

export const LEASE_MS = 15_000
const RENEW_EVERY_MS = 5_000

export type Lease = AsyncDisposable & {
  /** Unguessable, and never used by another lease. */
  readonly token: string
  /** The end is on disk: nothing is left to give back. */
  settle(): void
}

export type LeaseParts = {
  readonly token: string
  readonly clock: Clock
  renew(): Promise<void>
  release(): Promise<void>
  /** Told of a renewal or a release that failed; the lease then ends by its time. */
  onFailure(error: unknown): void
}

export function holdLease({ token, clock, renew, release, onFailure }: LeaseParts): Lease {
  let isOver = false
  let cancel = clock.after(RENEW_EVERY_MS, beat)
  function beat() {
    if (isOver) return
    renew().catch(onFailure)
    cancel = clock.after(RENEW_EVERY_MS, beat)
  }
  const settle = () => {
    isOver = true
    cancel()
  }
  return {
    token,
    settle,
    async [Symbol.asyncDispose]() {
      if (isOver) return
      settle()
      await release().catch(onFailure)
    },
  }
}
