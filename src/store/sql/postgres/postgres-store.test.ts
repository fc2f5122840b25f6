/** The laws of the store over a real PostgreSQL, and once more over one whose every call is slow. */
import { test } from 'node:test'
import { NO_POSTGRES, openSchema } from '../../../../test/support/postgres.ts'
import { type Clock, systemClock } from '../../../lib/clock.ts'
import { storeContract } from '../../store.contract.ts'
import { type OpenStore, slowStore } from '../../store-fixtures.contract.ts'
import { createPostgresStore } from './postgres-store.ts'

const SEED = 20_261_127
const LIMITS = { maxConnections: 8, connectTimeoutMs: 5_000, queryTimeoutMs: 10_000 }

/** The time of leases is turned by the test; the beat of a replica goes by the real one. */
const beating = (clock: Clock): Clock => ({ ...clock, after: systemClock.after })

const openPostgres: OpenStore = async (clock) => {
  const schema = await openSchema()
  const open = () => createPostgresStore({ ...LIMITS, url: schema.url, clock: beating(clock) })
  const [store, peer] = await Promise.all([open(), open()])
  return {
    store,
    peer,
    async heir() {
      await schema.query('update replicas set lease_until = 0')
      return peer
    },
    async usageIds(projectId) {
      const rows = await schema.query(
        'select usage.id from usage join projects on seq = project where projects.id = $1 order by 1',
        [projectId],
      )
      return rows.map((row) => String(row.id))
    },
    async close() {
      await store.close()
      await peer.close()
      await schema.drop()
    },
  }
}

if (NO_POSTGRES) {
  test('the laws of the store on PostgreSQL', { skip: NO_POSTGRES }, () => {})
} else {
  const openSlow: OpenStore = async (clock) => {
    const opened = await openPostgres(clock)
    return { ...opened, store: slowStore(opened.store, SEED), peer: slowStore(opened.peer, SEED + 1) }
  }
  storeContract('postgres', openPostgres)
  storeContract('slow postgres', openSlow)
}
