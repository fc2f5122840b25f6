import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createManualClock } from '../../../test/support/manual-clock.ts'
import { ModelError } from '../model.ts'
import { createModelPool, MAX_WAITING } from './model-pool.ts'

const IDLE_MS = 1000
const live = () => new AbortController().signal

function setUp(maxLoaded = 1) {
  const { clock, advance } = createManualClock()
  const told: string[] = []
  const pool = createModelPool({
    load: async (name) => {
      told.push(`load ${name}`)
      if (name === 'broken') throw new Error('broken')
      return { close: async () => void told.push(`close ${name}`) }
    },
    maxLoaded,
    idleMs: IDLE_MS,
    clock,
  })
  return { pool, told, advance }
}

describe('the models in memory', () => {
  it('are loaded once, used by one at a time, and closed when nobody came for a while', async () => {
    const { pool, told, advance } = setUp()
    const first = await pool.acquire('a', live())
    const second = pool.acquire('a', live())
    first.release()
    const lease = await second
    assert.deepEqual(told, ['load a'])
    advance(IDLE_MS)
    assert.deepEqual(told, ['load a'])
    lease.release()
    lease.release()
    advance(IDLE_MS)
    assert.deepEqual(told, ['load a', 'close a'])
    assert.equal(pool.peek('a'), null)
  })

  it('make place for another one that waited, before those who came later', async () => {
    const { pool, told } = setUp()
    const first = await pool.acquire('a', live())
    const other = pool.acquire('b', live())
    const again = pool.acquire('a', live())
    first.release()
    const lease = await other
    lease.release()
    ;(await again).release()
    assert.deepEqual(told, ['load a', 'close a', 'load b', 'close b', 'load a'])
  })

  it('stay side by side where there is place', async () => {
    const { pool, told } = setUp(2)
    await pool.acquire('a', live())
    await pool.acquire('b', live())
    assert.deepEqual(told, ['load a', 'load b'])
  })

  it('let go of who no longer waits, and refuse those who would wait behind too many', async () => {
    const { pool } = setUp()
    const first = await pool.acquire('a', live())
    const controller = new AbortController()
    const waiting = Array.from({ length: MAX_WAITING }, () => pool.acquire('a', controller.signal))
    await assert.rejects(pool.acquire('a', live()), (error) => error instanceof ModelError && error.status === 429)
    const gone = Promise.allSettled(waiting)
    controller.abort()
    for (const result of await gone) assert.equal(result.status, 'rejected')
    const next = pool.acquire('a', live())
    first.release()
    ;(await next).release()
  })

  it('are tried again after one that could not be loaded', async () => {
    const { pool, told } = setUp()
    await assert.rejects(pool.acquire('broken', live()), /broken/)
    ;(await pool.acquire('a', live())).release()
    assert.deepEqual(told, ['load broken', 'load a'])
  })

  it('are closed with the pool, also those in use when they are released', async () => {
    const { pool, told } = setUp(2)
    const used = await pool.acquire('a', live())
    ;(await pool.acquire('b', live())).release()
    await pool.close()
    assert.deepEqual(told, ['load a', 'load b', 'close b'])
    used.release()
    assert.deepEqual(told.at(-1), 'close a')
    await assert.rejects(pool.acquire('a', live()), ModelError)
  })
})
