import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Clock } from '../lib/clock.ts'
import { ApiError } from '../protocol/errors.ts'
import { createLateWrites, LATE_WRITE_RETRY_MS, MAX_LATE_WRITES } from './late-writes.ts'

/** A clock whose timers are fired by hand. */
function start() {
  const timers: (() => void)[] = []
  const dropped: unknown[] = []
  const clock: Clock = {
    now: () => 0,
    monotonic: () => 0,
    after(ms, fn) {
      assert.equal(ms, LATE_WRITE_RETRY_MS)
      timers.push(fn)
      return () => {}
    },
  }
  const writes = createLateWrites({ clock, onDropped: (error) => dropped.push(error) })
  const tick = async () => {
    timers.shift()?.()
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { writes, tick, dropped, timers }
}

const full = () => Promise.reject(new ApiError({ status: 503, message: 'full' }))

test('a write waits, is tried until the storage takes it, and then no more', async () => {
  const { writes, tick, dropped, timers } = start()
  let tries = 0
  writes.add(() => (++tries < 3 ? full() : Promise.resolve()))
  assert.equal(tries, 0)
  for (let round = 0; round < 5; round++) await tick()
  assert.equal(tries, 3)
  assert.deepEqual([timers.length, dropped.length], [0, 0])
})

test('writes keep their order, and a full storage is asked once a round', async () => {
  const { writes, tick } = start()
  const done: number[] = []
  let isFull = true
  let tries = 0
  for (const id of [1, 2, 3]) {
    writes.add(() => {
      tries++
      return isFull ? full() : Promise.resolve(void done.push(id))
    })
  }
  await tick()
  assert.equal(tries, 1)
  isFull = false
  await tick()
  assert.deepEqual(done, [1, 2, 3])
})

test('what fails for another reason, or is one too many, is dropped and told', async () => {
  const { writes, tick, dropped } = start()
  writes.add(() => Promise.reject(new Error('closed')))
  await tick()
  assert.match(String(dropped[0]), /closed/)
  for (let index = 0; index < MAX_LATE_WRITES; index++) writes.add(full)
  assert.equal(dropped.length, 1)
  writes.add(full)
  assert.equal(dropped.length, 2)
})
