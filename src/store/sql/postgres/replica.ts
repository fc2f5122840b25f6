/**
 * This process as one of several on a database. Whatever it runs carries its number, and its number a lease that it
 * renews; what the number of a dead process stands on, the others end.
 *
 * Invariant: only who writes something that has to be ended takes a number. A command that only reads, or makes a key,
 * never appears among the replicas.
 */
import type { Clock } from '../../../lib/clock.ts'
import type { Database } from './database.ts'
import { replicas } from './replica-queries.ts'

export const REPLICA_LEASE_MS = 15_000
const RENEW_EVERY_MS = 5_000

export interface Replica {
  /** Registers this process the first time it is asked. */
  owner(): Promise<number>
  /** Puts the end of the lease off, if there is one. */
  renew(): Promise<void>
  /** What it still runs is nobody's from then on. */
  close(): Promise<void>
}

export function createReplica(database: Database, clock: Clock): Replica {
  let registered: Promise<number> | null = null
  let isClosed = false
  let cancel = () => {}

  const renew = async () => {
    const seq = await registered
    if (seq !== null) await database.run(replicas.renewReplica, { seq, until: clock.now() + REPLICA_LEASE_MS })
  }
  function beat() {
    if (isClosed) return
    // A renewal that fails is followed by the next one; until then the requests themselves meet the failure.
    renew().catch(() => {})
    cancel = clock.after(RENEW_EVERY_MS, beat)
  }
  const register = async () => {
    const row = await database.get(replicas.addReplica, { until: clock.now() + REPLICA_LEASE_MS })
    cancel = clock.after(RENEW_EVERY_MS, beat)
    return row?.seq ?? 0
  }
  return {
    renew,
    owner() {
      registered ??= register().catch((error) => {
        registered = null
        throw error
      })
      return registered
    },
    async close() {
      isClosed = true
      cancel()
      const seq = await registered?.catch(() => null)
      // It ends by its time when the server cannot be told.
      if (seq != null) await database.run(replicas.removeReplica, { seq }).catch(() => {})
    },
  }
}
