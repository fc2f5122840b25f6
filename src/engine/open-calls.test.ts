import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NO_USAGE } from '../protocol/usage.ts'
import type { UsageRow } from '../store/store.ts'
import { createOpenCalls, OPEN_CALLS_MS } from './open-calls.ts'

/** A clock that is turned by hand. */
function createClock() {
  let now = 0
  let timers: { at: number; fn: () => void }[] = []
  return {
    now: () => now,
    monotonic: () => now,
    after(ms: number, fn: () => void) {
      const timer = { at: now + ms, fn }
      timers.push(timer)
      return () => void timers.splice(timers.indexOf(timer), 1)
    },
    advance(ms: number) {
      now += ms
      const due = timers.filter(({ at }) => at <= now)
      timers = timers.filter(({ at }) => at > now)
      for (const { fn } of due) fn()
    },
    pending: () => timers.length,
  }
}

function setUp() {
  const clock = createClock()
  const writes: string[][] = []
  const failures: unknown[] = []
  const calls = createOpenCalls(clock)
  const begin = (id: string, projectId = 'proj_a', fails = false) =>
    calls.add({
      store: {
        projectId,
        async openUsage(rows) {
          if (fails) throw new Error('disk full')
          writes.push(rows.map((row) => row.id))
        },
      },
      startedAt: clock.monotonic(),
      row: () => rowOf(id),
      onFailure: (error) => failures.push(error),
    })
  return { clock, writes, failures, begin }
}

const rowOf = (id: string): UsageRow => ({
  id,
  keyId: 'key',
  responseId: 'resp',
  provider: 'p',
  model: 'm',
  outcome: 'running',
  usage: NO_USAGE,
  estimated: true,
  durationMs: 0,
  createdAt: 0,
  cost: null,
})

test('a call that is over soon is never written, one that lasts is written once', () => {
  const { clock, writes, begin } = setUp()
  const hasEnded = begin('short')
  begin('long')
  clock.advance(OPEN_CALLS_MS - 1)
  hasEnded()
  assert.deepEqual(writes, [])
  clock.advance(1)
  assert.deepEqual(writes, [['long']])
  clock.advance(10 * OPEN_CALLS_MS)
  assert.deepEqual(writes, [['long']])
})

test('what runs at the same time is written together, by project', () => {
  const { clock, writes, begin } = setUp()
  for (const id of ['a', 'b', 'c']) begin(id)
  begin('d', 'proj_b')
  clock.advance(OPEN_CALLS_MS)
  assert.deepEqual(writes, [['a', 'b', 'c'], ['d']])
})

test('a call is in the ledger after two looks at the latest, and nobody looks when nothing runs', () => {
  const { clock, writes, begin } = setUp()
  begin('first')
  clock.advance(OPEN_CALLS_MS / 2)
  begin('second')
  clock.advance(OPEN_CALLS_MS / 2)
  assert.deepEqual(writes, [['first']])
  clock.advance(OPEN_CALLS_MS)
  assert.deepEqual(writes, [['first'], ['second']])
  assert.equal(clock.pending(), 0)
  begin('third')
  clock.advance(OPEN_CALLS_MS)
  assert.equal(writes.length, 3)
})

test('a row that cannot be written is reported, and does not stop the others', async () => {
  const { clock, writes, failures, begin } = setUp()
  begin('broken', 'proj_x', true)
  begin('fine')
  clock.advance(OPEN_CALLS_MS)
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(failures.length, 1)
  assert.deepEqual(writes, [['fine']])
})
