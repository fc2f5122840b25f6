/**
 * How many upstream calls may be repeated in the last minute: a share of the calls made, so that a failing upstream
 * gets little more load than a healthy one. One budget is shared by all models of a process.
 */
import type { Clock } from '../lib/clock.ts'

export const RETRY_RATIO = 0.1
/** Retries a minute that are always allowed, so that a quiet server retries at all. */
export const MIN_RETRIES = 3
export const BUDGET_WINDOW_MS = 60_000
const BUCKET_MS = 1000

export interface RetryBudget {
  /** A call that is not a retry. */
  recordRequest(): void
  /** Takes one retry; false when there is none left. */
  take(): boolean
}

type Bucket = { readonly second: number; requests: number; retries: number }

/** Counts in buckets of one second: bounded memory, and the window slides in steps of a second. */
export function createRetryBudget(options: {
  readonly clock: Clock
  readonly ratio?: number
  readonly minimum?: number
}): RetryBudget {
  const { clock, ratio = RETRY_RATIO, minimum = MIN_RETRIES } = options
  let buckets: Bucket[] = []

  const current = (): Bucket => {
    const second = Math.floor(clock.monotonic() / BUCKET_MS)
    const last = buckets.at(-1)
    if (last?.second === second) return last
    const bucket: Bucket = { second, requests: 0, retries: 0 }
    buckets = [...buckets.filter((old) => old.second > second - BUDGET_WINDOW_MS / BUCKET_MS), bucket]
    return bucket
  }
  const sum = (field: 'requests' | 'retries') => buckets.reduce((total, bucket) => total + bucket[field], 0)

  return {
    recordRequest() {
      current().requests += 1
    },
    take() {
      const bucket = current()
      if (sum('retries') >= Math.max(minimum, Math.floor(sum('requests') * ratio))) return false
      bucket.retries += 1
      return true
    },
  }
}
