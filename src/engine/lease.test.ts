import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Clock } from '../lib/clock.ts'
import { holdLease, LEASE_MS } from './lease.ts'

/** A clock that runs its timers when it is turned. */
function createTurnedClock(): Clock & { advance(ms: number): void; readonly waiting: number } {
  let now = 0
  let timers: { at: number; fn: () => void }[] = []
  return {
    now: () => now,
    monotonic: () => now,
    after(ms, fn) {
      const timer = { at: now + ms, fn }
      timers.push(timer)
      return () => {
        timers = timers.filter((other) => other !== timer)
      }
    },
    advance(ms) {
      now += ms
      const due = timers.filter(({ at }) => at <= now)
      timers = timers.filter(({ at }) => at > now)
      for (const { fn } of due) fn()
    },
    get waiting() {
      return timers.length
    },
  }
}

function hold(fail: Error | null = null) {
  const clock = createTurnedClock()
  const seen = { renewed: 0, released: 0, failures: [] as unknown[] }
  const lease = holdLease({
    token: 'lock_1',
    clock,
    async renew() {
      seen.renewed += 1
      if (fail) throw fail
    },
    async release() {
      seen.released += 1
      if (fail) throw fail
    },
    onFailure: (error) => seen.failures.push(error),
  })
  return { clock, seen, lease }
}

test('a lease is renewed well before it ends, for as long as it is held', async () => {
  const { clock, seen, lease } = hold()
  for (let time = 0; time < 4 * LEASE_MS; time += LEASE_MS / 3) clock.advance(LEASE_MS / 3)
  assert.equal(seen.renewed, 12)
  await lease[Symbol.asyncDispose]()
  clock.advance(LEASE_MS)
  assert.equal(seen.renewed, 12)
  assert.equal(clock.waiting, 0)
})

test('a lease is given back once, and not at all when its end is on disk', async () => {
  const given = hold()
  await given.lease[Symbol.asyncDispose]()
  await given.lease[Symbol.asyncDispose]()
  assert.equal(given.seen.released, 1)
  const settled = hold()
  settled.lease.settle()
  await settled.lease[Symbol.asyncDispose]()
  assert.equal(settled.seen.released, 0)
  assert.equal(settled.clock.waiting, 0)
})

test('a store that fails is told of, and neither renewing nor giving back throws', async () => {
  const broken = new Error('disk full')
  const { clock, seen, lease } = hold(broken)
  clock.advance(LEASE_MS)
  clock.advance(LEASE_MS)
  await lease[Symbol.asyncDispose]()
  assert.deepEqual(seen.failures, [broken, broken, broken])
})
