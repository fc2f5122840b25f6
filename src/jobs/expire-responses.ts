/** Deletes what has outlived its retention, in small steps, for as long as the process runs. */
import { type Clock, seconds, sleep } from '../lib/clock.ts'
import type { Store } from '../store/store.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'

export const EXPIRY_INTERVAL_MS = 10 * 60_000
/** An expired response is hidden at once, but stays this long for a run that was planned on it just before. */
export const EXPIRY_GRACE_SECONDS = 3_600
/** Rows of one step: small enough that no request waits for it noticeably. */
export const EXPIRY_BATCH = 200

export function startExpiry(parts: { store: Store; clock: Clock; telemetry: Telemetry }): AsyncDisposable {
  const stop = new AbortController()
  const running = run(parts, stop.signal)
  return {
    async [Symbol.asyncDispose]() {
      stop.abort()
      await running
    },
  }
}

async function run({ store, clock, telemetry }: Parameters<typeof startExpiry>[0], signal: AbortSignal): Promise<void> {
  while (await sleep(clock, EXPIRY_INTERVAL_MS, signal)) {
    try {
      let removed = EXPIRY_BATCH
      while (removed === EXPIRY_BATCH && !signal.aborted)
        removed = await store.purgeExpired(seconds(clock) - EXPIRY_GRACE_SECONDS, EXPIRY_BATCH)
    } catch (error) {
      telemetry.failed({ requestId: null, where: 'expire-responses', error })
    }
  }
}
