import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { NO_POSTGRES, openSchema, TEST_POSTGRES } from '../../../../test/support/postgres.ts'
import { systemClock } from '../../../lib/clock.ts'
import { readAddress } from './address.ts'
import { openDatabase } from './database.ts'
import { createPostgresWakeUps } from './postgres-wake-ups.ts'

const LIMITS = { clock: systemClock, maxConnections: 4, connectTimeoutMs: 5_000, queryTimeoutMs: 5_000 }

async function openOne(url: string) {
  const address = readAddress(url)
  const database = await openDatabase({ ...LIMITS, address })
  const wakeUps = createPostgresWakeUps(database, systemClock, address.schema)
  return { ...wakeUps, close: () => wakeUps.close().then(() => database.close()) }
}

/** Announces again and again, as it may take a moment until the other side listens. */
async function untilWoken(woken: Promise<void>, wake: () => void): Promise<void> {
  let isWoken = false
  void woken.then(() => {
    isWoken = true
  })
  while (!isWoken) {
    wake()
    await delay(20)
  }
}

describe('wake-ups of replicas', { skip: NO_POSTGRES }, () => {
  test('what one announces wakes who waits at the other, and nobody who waits for something else', async () => {
    const { url } = await openSchema()
    const [here, there] = [await openOne(url), await openOne(url)]
    let wasWoken = false
    void there.next('resp_2').then(() => {
      wasWoken = true
    })
    await untilWoken(there.next('resp_1'), () => here.wake('resp_1'))
    const waiting = here.next('resp_3')
    here.wake('resp_3')
    await waiting
    assert.equal(wasWoken, false)
    await here.close()
    await there.close()
  })

  test('a listener that is cut is replaced by a new one', async () => {
    const { url } = await openSchema()
    const [here, there] = [await openOne(url), await openOne(url)]
    await untilWoken(there.next('resp_1'), () => here.wake('resp_1'))
    const killer = await openDatabase({ ...LIMITS, address: readAddress(TEST_POSTGRES ?? '') })
    await killer.exec(`select pg_terminate_backend(pid) from pg_stat_activity where query like 'LISTEN%'`)
    await killer.close()
    await untilWoken(there.next('resp_2'), () => here.wake('resp_2'))
    await here.close()
    await there.close()
  })
})
