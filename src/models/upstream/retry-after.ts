/** When the provider says to come back, in milliseconds. */

/** Nobody waits longer than a day for a reply. */
export const MAX_RETRY_AFTER_MS = 86_400_000

export type RetryHeaders = (name: string) => string | null

/** `retry-after-ms`, or `retry-after` as seconds or as an HTTP date. Null when absent or unreadable. */
export function readRetryAfter(header: RetryHeaders, nowMs: number): number | null {
  const ms = number(header('retry-after-ms'))
  if (ms !== null) return clamp(ms)
  const value = header('retry-after')
  const seconds = number(value)
  if (seconds !== null) return clamp(seconds * 1000)
  const date = value ? Date.parse(value) : Number.NaN
  return Number.isNaN(date) ? null : clamp(date - nowMs)
}

const number = (value: string | null): number | null => {
  const trimmed = value?.trim()
  return trimmed && /^\d+(\.\d+)?$/.test(trimmed) ? Number(trimmed) : null
}

const clamp = (ms: number) => Math.min(MAX_RETRY_AFTER_MS, Math.max(0, Math.round(ms)))
