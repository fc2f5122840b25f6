/** The store of several nodes: one PostgreSQL database that all of them read and write. */

import { createLruMap } from '../../../lib/lru-map.ts'
import type { ProjectStore, Store } from '../../store.ts'
import { countExpired, countExpiredFiles } from '../prune-queries.ts'
import { queries } from '../queries.ts'
import { query } from '../query.ts'
import { fromUsageRow, fromUsageSum } from '../row-codec.ts'
import { sumUsage, usageOfResponse } from '../usage-queries.ts'
import { readAddress } from './address.ts'
import { type Database, type DatabaseOptions, openDatabase } from './database.ts'
import { purgeEventLogs } from './event-log.ts'
import { failOrphans } from './fail-orphans.ts'
import { createBlobLedger } from './file-store.ts'
import { createIngestQueue } from './ingest-queue.ts'
import { createJobStore } from './job-store.ts'
import { createKeyStore } from './key-store.ts'
import { migrate } from './migrate.ts'
import type { StoreParts } from './parts.ts'
import { createPostgresWakeUps } from './postgres-wake-ups.ts'
import { createProjectStore } from './project-store.ts'
import { purgeConversations } from './purge-conversations.ts'
import { purgeExpired } from './remove-responses.ts'
import { createReplica, REPLICA_LEASE_MS } from './replica.ts'
import { replicas } from './replica-queries.ts'
import { createWebhookQueue } from './webhook-store.ts'
import { purgeFiles } from './write-file.ts'

export type PostgresStoreOptions = Omit<DatabaseOptions, 'address'> & {
  /** As `postgres://user:password@host:5432/database?schema=antiphon`. */
  readonly url: string
}

export interface PostgresStore extends Store {
  /** How far this machine's clock is from the server's, in milliseconds. Leases are times that all replicas compare. */
  clockSkewMs(): Promise<number>
  /** For what keeps tables of its own in the same schema. */
  readonly database: Database
  /** After so long without a renewal a replica is dead. */
  readonly replicaLeaseMs: number
  /** Keeps `value` under `name`, unless one is kept already. Answers the one that is kept. */
  rememberFact(name: string, value: string): Promise<string>
}

/** Projects whose handles are kept: one is made of some forty functions, and a request asks for it several times. */
const MAX_PROJECT_HANDLES = 1_000

/** Throws `SchemaTooNew`, `StorageUnusable` or `StorageUnavailable` when the database cannot be used. */
export async function createPostgresStore(options: PostgresStoreOptions): Promise<PostgresStore> {
  const address = readAddress(options.url)
  const database = await openDatabase({ ...options, address })
  try {
    await migrate(database, address)
    return assemble(database, address.schema, options)
  } catch (error) {
    await database.close()
    throw error
  }
}

const facts = {
  addFact: query<{ name: string; value: string }, object>(
    'insert into facts (name, value) values (:name, :value) on conflict (name) do nothing',
  ),
  findFact: query<{ name: string }, { value: string }>('select value from facts where name = :name'),
}

function assemble(database: Database, schema: string, { clock }: PostgresStoreOptions): PostgresStore {
  const replica = createReplica(database, clock)
  const wakeUps = createPostgresWakeUps(database, clock, schema)
  const unfinished = new Set<Promise<unknown>>()
  const parts: StoreParts = {
    database,
    clock,
    wakeUps,
    owner: replica.owner,
    ensureProject: projectMaker(database),
    outlast(write) {
      unfinished.add(write)
      const forget = () => void unfinished.delete(write)
      write.then(forget, forget)
      return write
    },
  }
  const handles = createLruMap<string, ProjectStore>(MAX_PROJECT_HANDLES)
  let closing: Promise<void> | null = null
  return {
    forProject(projectId) {
      const known = handles.get(projectId)
      if (known !== undefined) return known
      const handle = createProjectStore(parts, projectId)
      handles.set(projectId, handle)
      return handle
    },
    keys: createKeyStore(database),
    ingestion: createIngestQueue(parts),
    jobs: createJobStore(parts),
    webhooks: createWebhookQueue(parts),
    blobs: createBlobLedger(parts),
    async failOrphans(error) {
      await replica.renew()
      return failOrphans(database, clock, error)
    },
    purgeExpired: async (now, limit) =>
      Math.max(
        await purgeExpired(database, now, limit),
        await purgeConversations(database, now, limit),
        await purgeFiles(database, now, limit),
        await purgeEventLogs(database, now, limit),
        await database.run(queries.purgeKeyUses, { now, limit }),
        await database.run(queries.purgeDeliveries, { now, limit }),
      ),
    async countExpired(now, createdBefore) {
      const values = { now, createdBefore: createdBefore ?? 0 }
      const counted = await database.patiently((sql) => sql.get(countExpired, values))
      const { files = 0, bytes: fileBytes = 0 } = (await database.get(countExpiredFiles, { now })) ?? {}
      return { responses: 0, items: 0, bytes: 0, ...counted, files, fileBytes }
    },
    expireOlder: (createdBefore, expiresAt, { after, limit }) =>
      database.transaction(async (sql) => {
        const end = (await sql.get(queries.stepEnd, { after, skip: limit - 1 }))?.seq ?? null
        const upTo = end ?? Number.MAX_SAFE_INTEGER
        await sql.run(queries.expireOlder, { after, upTo, createdBefore, expiresAt })
        return end
      }),
    sumUsage: async (since) => (await database.patiently((sql) => sql.all(sumUsage, { since }))).map(fromUsageSum),
    usageOf: async (responseId) =>
      (await database.patiently((sql) => sql.all(usageOfResponse, { responseId }))).map(fromUsageRow),
    async ping() {
      await database.run(queries.touchProbe, {})
    },
    async clockSkewMs() {
      const before = clock.now()
      const server = (await database.get(replicas.readTime, {}))?.now ?? before
      return server - (before + clock.now()) / 2
    },
    database,
    replicaLeaseMs: REPLICA_LEASE_MS,
    async rememberFact(name, value) {
      await database.run(facts.addFact, { name, value })
      return (await database.get(facts.findFact, { name }))?.value ?? value
    },
    close() {
      closing ??= Promise.allSettled(unfinished).then(() => closeAll([wakeUps, replica, database]))
      return closing
    },
  }
}

async function closeAll(parts: readonly { close(): Promise<void> }[]): Promise<void> {
  for (const part of parts) await part.close()
}

/** The row of a project is never deleted, so a process asks once for each. */
function projectMaker(database: Database): StoreParts['ensureProject'] {
  const made = createLruMap<string, true>(MAX_PROJECT_HANDLES)
  return async (projectId) => {
    if (made.get(projectId)) return
    await database.run(queries.addProject, { projectId })
    made.set(projectId, true)
  }
}
