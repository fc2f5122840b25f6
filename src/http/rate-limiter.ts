/** PORT and the in-memory adapter: how many requests a key may make per minute. */
import type { Principal } from '../auth/principal.ts'
import type { Clock } from '../lib/clock.ts'
import { ApiError } from '../protocol/errors.ts'

export interface RateLimiter {
  /** Counts one request of this key. Throws `ApiError` 429 when it has none left. */
  take(principal: Principal): RateState
}

export type RateState = {
  readonly limit: number
  readonly remaining: number
  /** Until the count starts anew. */
  readonly resetMs: number
}

export const WINDOW_MS = 60_000

/**
 * A fixed window of one minute, the same for all keys, so that one clear at its end bounds the memory by the number
 * of keys in use. Counts are per process; `shared-rate-limiter.ts` has those of several replicas.
 */
export function createRateLimiter(clock: Clock, requestsPerMinute: number): RateLimiter {
  const counts = new Map<string, number>()
  let windowStart = clock.monotonic()
  const roll = () => {
    const elapsed = clock.monotonic() - windowStart
    if (elapsed < WINDOW_MS) return WINDOW_MS - elapsed
    counts.clear()
    windowStart += elapsed - (elapsed % WINDOW_MS)
    return WINDOW_MS - (elapsed % WINDOW_MS)
  }
  return {
    take(principal) {
      const resetMs = roll()
      const used = (counts.get(principal.keyId) ?? 0) + 1
      const state = { limit: requestsPerMinute, remaining: Math.max(0, requestsPerMinute - used), resetMs }
      if (used > requestsPerMinute) throw rateLimitExceeded(state)
      counts.set(principal.keyId, used)
      return state
    },
  }
}

export const rateHeaders = (state: RateState): Record<string, string> => ({
  'x-ratelimit-limit-requests': String(state.limit),
  'x-ratelimit-remaining-requests': String(state.remaining),
  'x-ratelimit-reset-requests': toDuration(state.resetMs),
})

/** OpenAI's notation: `250ms`, `1s`, `6m0s`. */
function toDuration(ms: number): string {
  if (ms < 1000) return `${Math.ceil(ms)}ms`
  const seconds = Math.ceil(ms / 1000)
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`
}

export function rateLimitExceeded(state: RateState): ApiError {
  const wait = Math.max(1, Math.ceil(state.resetMs / 1000))
  return new ApiError({
    status: 429,
    type: 'requests',
    code: 'rate_limit_exceeded',
    message: `Rate limit reached for requests: limit ${state.limit} per minute. Please try again in ${wait}s.`,
    headers: { ...rateHeaders(state), 'retry-after': String(wait) },
  })
}
