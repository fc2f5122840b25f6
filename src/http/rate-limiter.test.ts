import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Clock } from '../lib/clock.ts'
import { ApiError } from '../protocol/errors.ts'
import { createRateLimiter, rateHeaders } from './rate-limiter.ts'

const principal = (keyId: string) => ({ projectId: 'p', keyId, scopes: new Set<never>() })

test('each key has its own count, which starts anew every minute', () => {
  let now = 5_000
  const clock: Clock = { now: () => now, monotonic: () => now, after: () => () => {} }
  const limiter = createRateLimiter(clock, 2)
  assert.deepEqual(limiter.take(principal('a')), { limit: 2, remaining: 1, resetMs: 60_000 })
  now += 59_500
  assert.deepEqual(limiter.take(principal('a')), { limit: 2, remaining: 0, resetMs: 500 })
  assert.equal(limiter.take(principal('b')).remaining, 1)
  assert.throws(
    () => limiter.take(principal('a')),
    (error) => error instanceof ApiError && error.status === 429 && error.headers['retry-after'] === '1',
  )
  now += 500
  assert.equal(limiter.take(principal('a')).remaining, 1)
  now += 150_000
  assert.deepEqual(limiter.take(principal('a')), { limit: 2, remaining: 1, resetMs: 30_000 })
})

test('the time to the reset is written as OpenAI writes it', () => {
  const reset = (resetMs: number) => rateHeaders({ limit: 1, remaining: 0, resetMs })['x-ratelimit-reset-requests']
  assert.deepEqual([reset(250.2), reset(1000), reset(59_001), reset(59_000)], ['251ms', '1s', '1m0s', '59s'])
})
