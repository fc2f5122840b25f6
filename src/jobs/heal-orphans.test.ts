import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createManualClock } from '../../test/support/manual-clock.ts'
import { HEAL_INTERVAL_MS, startHealing } from './heal-orphans.ts'

const LEASE_MS = 15_000
const settle = () => new Promise((resolve) => setImmediate(resolve))

test('it judges only after the store has answered for a whole lease without a break', async () => {
  const { clock, advance } = createManualClock()
  const told: unknown[] = []
  let isThere = true
  let judged = 0
  const healing = startHealing({
    clock,
    leaseMs: LEASE_MS,
    telemetry: { failed: ({ where }) => told.push(where) },
    store: {
      async ping() {
        if (!isThere) throw new Error('away')
      },
      async failOrphans() {
        judged += 1
        return 0
      },
    },
  })
  /** Answers how often it judged in so many looks. */
  const look = async (times: number) => {
    const before = judged
    for (let n = 0; n < times; n++) {
      advance(HEAL_INTERVAL_MS)
      await settle()
    }
    return judged - before
  }
  assert.equal(await look(3), 0, 'the lease of a first look is not over')
  assert.equal(await look(2), 2)
  isThere = false
  assert.equal(await look(3), 0)
  isThere = true
  assert.equal(await look(3), 0, 'after an outage the others come back first')
  assert.equal(await look(1), 1)
  advance(10 * HEAL_INTERVAL_MS)
  await settle()
  assert.equal(await look(2), 0, 'a process that stood still starts anew')
  assert.deepEqual(told, ['heal-orphans'], 'an outage is told once')
  await healing[Symbol.asyncDispose]()
})
