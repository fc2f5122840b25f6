import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createManualClock } from '../../test/support/manual-clock.ts'
import type { SharedCounts } from '../lib/shared-counts.ts'
import { ApiError } from '../protocol/errors.ts'
import { createSharedRateLimiter, SHARE_INTERVAL_MS } from './shared-rate-limiter.ts'

const principal = (keyId: string) => ({ projectId: 'p', keyId, scopes: new Set<never>() })
const MINUTE_MS = 60_000

/** What the replicas share, and whether it can be reached. */
function createShared() {
  const windows = new Map<number, Map<string, number>>()
  const shared = { isDown: false, adds: 0 }
  const counts: SharedCounts = {
    async add({ index }, news) {
      shared.adds += 1
      if (shared.isDown) throw new Error('unreachable')
      const window = windows.get(index) ?? new Map<string, number>()
      windows.set(index, window)
      for (const [key, count] of news) window.set(key, (window.get(key) ?? 0) + count)
      return new Map([...news.keys()].map((key) => [key, window.get(key) ?? 0]))
    },
    async close() {},
  }
  return { shared, counts }
}

function replicas(number: number, requestsPerMinute: number) {
  const time = createManualClock()
  const { shared, counts } = createShared()
  const lost: unknown[] = []
  const onLost = (error: unknown) => lost.push(error)
  const limiters = Array.from({ length: number }, () =>
    createSharedRateLimiter({ clock: time.clock, counts, requestsPerMinute, onLost }),
  )
  const take = (replica: number, key = 'a'): boolean => {
    try {
      limiters[replica]?.take(principal(key))
      return true
    } catch (error) {
      assert.ok(error instanceof ApiError && error.status === 429)
      return false
    }
  }
  /** Time enough for everyone to tell. */
  const share = async () => {
    time.advance(SHARE_INTERVAL_MS)
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { time, shared, lost, limiters, take, share }
}

test('replicas that tell each other let through the limit together, and a key has its own count', async () => {
  const { take, share } = replicas(3, 30)
  let passed = 0
  for (let n = 0; n < 60; n++) {
    if (take(n % 3)) passed += 1
    await share()
  }
  // A replica learns of the others when it tells, so each may let through one more than it would have.
  assert.ok(passed >= 30 && passed <= 32, `${passed} of 30 passed`)
  assert.equal(take(0, 'b'), true)
})

test('between two tellings each replica knows only what it counted, and no more than the limit', () => {
  const { take, shared } = replicas(2, 5)
  const passed = Array.from({ length: 20 }, (_, n) => take(n % 2)).filter(Boolean)
  assert.equal(passed.length, 10)
  assert.equal(shared.adds, 0, 'no request waits for the shared counts')
})

test('a new minute begins at nothing, also for what was told in the last one', async () => {
  const { take, share, time } = replicas(2, 2)
  assert.deepEqual([take(0), take(0), take(0)], [true, true, false])
  await share()
  time.advance(MINUTE_MS)
  assert.deepEqual([take(0), take(1)], [true, true])
  await share()
  assert.equal(take(1), false, 'the second to tell has heard of both')
})

test('shared counts that cannot be reached are told of once, and what was counted meanwhile is not lost', async () => {
  const { take, share, shared, lost } = replicas(2, 4)
  shared.isDown = true
  assert.deepEqual([take(0), take(0)], [true, true])
  await share()
  assert.equal(take(0), true)
  await share()
  assert.equal(lost.length, 1)
  shared.isDown = false
  assert.equal(take(0), true)
  await share()
  assert.equal(take(1), true)
  await share()
  assert.equal(take(1), false, 'it learned of the four of the other')
  shared.isDown = true
  assert.equal(take(1, 'b'), true)
  await share()
  assert.equal(lost.length, 2)
})

test('the state says what is left and when the count starts anew', () => {
  const { limiters, time } = replicas(1, 3)
  time.advance(15_000)
  assert.deepEqual(limiters[0]?.take(principal('a')), { limit: 3, remaining: 2, resetMs: 45_000 })
})
