import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Clock } from '../lib/clock.ts'
import { createBadKeyLimit } from './bad-key-limit.ts'

function createTestClock() {
  let now = 0
  const clock: Clock = { now: () => now, monotonic: () => now, after: () => () => {} }
  return { clock, pass: (ms: number) => (now += ms) }
}

test('an address is blocked by its last allowed wrong key, until its minute is over', () => {
  const { clock, pass } = createTestClock()
  const limit = createBadKeyLimit(clock, 3)
  for (let i = 0; i < 2; i += 1) limit.record('10.0.0.1')
  assert.equal(limit.blockedForMs('10.0.0.1'), 0)
  pass(20_000)
  limit.record('10.0.0.1')
  assert.equal(limit.blockedForMs('10.0.0.1'), 40_000)
  assert.equal(limit.blockedForMs('10.0.0.2'), 0)
  pass(40_000)
  assert.equal(limit.blockedForMs('10.0.0.1'), 0)
})

test('a /64 of IPv6 is one address, and a mapped IPv4 address is that address', () => {
  const limit = createBadKeyLimit(createTestClock().clock, 2)
  limit.record('2001:db8:0:1::1')
  limit.record('2001:db8::1:ffff:0:0:2')
  assert.ok(limit.blockedForMs('2001:0db8:0000:0001:a:b:c:d') > 0)
  assert.equal(limit.blockedForMs('2001:db8:0:2::1'), 0)
  limit.record('::ffff:10.0.0.9')
  limit.record('10.0.0.9')
  assert.ok(limit.blockedForMs('10.0.0.9') > 0)
  limit.record('fe80::1%eth0')
  limit.record('fe80::2%eth1')
  assert.ok(limit.blockedForMs('fe80::3') > 0)
})

test('the memory is bounded, and the oldest address is forgotten first', () => {
  const { clock, pass } = createTestClock()
  const limit = createBadKeyLimit(clock, 1)
  limit.record('first')
  pass(1)
  for (let i = 0; i < 10_000; i += 1) limit.record(`address-${i}`)
  assert.equal(limit.blockedForMs('first'), 0)
  assert.ok(limit.blockedForMs('address-9999') > 0)
})
