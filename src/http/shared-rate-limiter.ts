/**
 * A limit that holds for all replicas together, without a request ever waiting for another machine.
 *
 * Each replica counts for itself, tells the shared counts a few times a second what it has counted since, and hears what
 * all have. Between two tellings the replicas know nothing of each other, so together they may let through what
 * they take in that time beyond the limit. While the shared counts cannot be reached each one goes on with what it knows.
 */
import type { Clock } from '../lib/clock.ts'
import type { SharedCounts } from '../lib/shared-counts.ts'
import { type RateLimiter, rateLimitExceeded, WINDOW_MS } from './rate-limiter.ts'

/** Between two tellings. */
export const SHARE_INTERVAL_MS = 100

export type SharedLimitParts = {
  readonly clock: Clock
  readonly counts: SharedCounts
  readonly requestsPerMinute: number
  /** Told once when the shared counts cannot be reached, and again only after they could be. */
  readonly onLost: (error: unknown) => void
}

type Count = {
  /** Of all replicas, as far as is known here. */
  total: number
  /** Counted here and not yet told. */
  untold: number
}

export function createSharedRateLimiter(parts: SharedLimitParts): RateLimiter & AsyncDisposable {
  const { clock, counts, requestsPerMinute: limit, onLost } = parts
  const indexNow = () => Math.floor(clock.now() / WINDOW_MS)
  let window = { index: indexNow(), keys: new Map<string, Count>() }
  let isLost = false
  let telling = Promise.resolve()
  let stopTimer: (() => void) | null = null

  const tell = async () => {
    const { index, keys } = window
    const told = [...keys].filter(([, { untold }]) => untold > 0)
    const news = new Map(told.map(([key, { untold }]) => [key, untold]))
    if (news.size === 0) return
    for (const [, count] of told) count.untold = 0
    try {
      const totals = await counts.add({ index, lengthMs: WINDOW_MS }, news)
      for (const [key, count] of told) count.total = Math.max(count.total, (totals.get(key) ?? 0) + count.untold)
      isLost = false
    } catch (error) {
      for (const [key, count] of told) count.untold += news.get(key) ?? 0
      if (!isLost) onLost(error)
      isLost = true
    }
  }
  const tellSoon = () => {
    stopTimer ??= clock.after(SHARE_INTERVAL_MS, () => {
      stopTimer = null
      telling = telling.then(tell)
    })
  }
  return {
    take({ keyId }) {
      const now = clock.now()
      const index = indexNow()
      if (index !== window.index) window = { index, keys: new Map() }
      const count = window.keys.get(keyId) ?? { total: 0, untold: 0 }
      window.keys.set(keyId, count)
      const resetMs = (index + 1) * WINDOW_MS - now
      if (count.total >= limit) throw rateLimitExceeded({ limit, remaining: 0, resetMs })
      count.total += 1
      count.untold += 1
      tellSoon()
      return { limit, remaining: limit - count.total, resetMs }
    },
    async [Symbol.asyncDispose]() {
      stopTimer?.()
      await telling
      await counts.close()
    },
  }
}
