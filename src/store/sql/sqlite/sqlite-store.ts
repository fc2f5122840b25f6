/** The store of one node: a SQLite database in write-ahead mode, every commit on disk before it is acknowledged. */
import type { Clock } from '../../../lib/clock.ts'
import { createLruMap } from '../../../lib/lru-map.ts'
import { createWakeUps } from '../../../lib/wake-ups.ts'
import type { ResponseError } from '../../../protocol/response.ts'
import type { ProjectStore, Store } from '../../store.ts'
import { countExpired, countExpiredFiles } from '../prune-queries.ts'
import { queries } from '../queries.ts'
import { withError } from '../response-codec.ts'
import { fromUsageRow, fromUsageSum } from '../row-codec.ts'
import { sumUsage, usageOfResponse } from '../usage-queries.ts'
import type { Connection } from './connection.ts'
import { eraseLog } from './erase.ts'
import { purgeEventLogs } from './event-log.ts'
import { createBlobLedger } from './file-store.ts'
import { createGroupCommit, type GroupCommitOptions } from './group-commit.ts'
import { createIngestQueue } from './ingest-queue.ts'
import { createJobStore } from './job-store.ts'
import { createKeyStore } from './key-store.ts'
import { migrate } from './migrate.ts'
import { openReader, openWriter } from './open.ts'
import { createProjectStore, type StoreParts } from './project-store.ts'
import { purgeConversations } from './purge-conversations.ts'
import { purgeExpired } from './remove-responses.ts'
import { createWebhookQueue } from './webhook-store.ts'
import { purgeFiles } from './write-file.ts'

export type SqliteStoreOptions = {
  /** The database file; made when there is none. Its directory must exist. */
  readonly path: string
  readonly clock: Clock
} & Partial<GroupCommitOptions>

const BUSY_TIMEOUT_MS = 5_000
/** A read waits for nobody but another process that repairs the log after a crash; it keeps the event loop meanwhile. */
const READER_WAIT_MS = 50
/** How long a write that nobody waits for may wait for others to share its commit. */
const LATE_WRITE_MS = 250
/** Projects whose handles are kept: one is made of some forty functions, and a request asks for it several times. */
const MAX_PROJECT_HANDLES = 1_000
/** Rows healed in one transaction. */
const ORPHAN_BATCH = 500

/** While it opens it waits on the thread, later never. Throws `SchemaTooNew`, `StorageUnusable`, `StorageFull` or `StorageBusy` when the database cannot be used. */
export async function createSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const { path, clock, busyTimeoutMs = BUSY_TIMEOUT_MS } = options
  const writer = openWriter(path, busyTimeoutMs)
  try {
    migrate(writer, path)
    const reader = openReader(path, busyTimeoutMs)
    writer.waitForLocks(0)
    reader.waitForLocks(READER_WAIT_MS)
    return assemble(writer, reader, { ...options, clock, busyTimeoutMs })
  } catch (error) {
    writer.close()
    throw error
  }
}

type AssembleOptions = SqliteStoreOptions & Pick<GroupCommitOptions, 'busyTimeoutMs'>

function assemble(writer: Connection, reader: Connection, options: AssembleOptions): Store {
  const { clock, busyTimeoutMs, schedule = setImmediate, onCommit } = options
  const scheduleLate = options.scheduleLate ?? ((flush) => clock.after(LATE_WRITE_MS, flush))
  const commits = createGroupCommit(writer, { clock, busyTimeoutMs, schedule, scheduleLate, onCommit })
  const parts: StoreParts = { writer, reader, commits, clock, wakeUps: createWakeUps() }
  const handles = createLruMap<string, ProjectStore>(MAX_PROJECT_HANDLES)
  let closed = false
  return {
    forProject(projectId) {
      const known = handles.get(projectId)
      if (known !== undefined) return known
      const handle = createProjectStore(parts, projectId)
      handles.set(projectId, handle)
      return handle
    },
    keys: createKeyStore(parts),
    jobs: createJobStore(parts),
    webhooks: createWebhookQueue(parts),
    blobs: createBlobLedger(parts),
    ingestion: createIngestQueue(parts),
    failOrphans: (error) => failOrphans(parts, error),
    async purgeExpired(now, limit) {
      const deleted = await commits.write(() =>
        Math.max(
          purgeExpired(writer, now, limit),
          purgeConversations(writer, now, limit),
          purgeFiles(writer, now, limit),
          writer.run(queries.purgeKeyUses, { now, limit }),
          purgeEventLogs(writer, now, limit),
          writer.run(queries.purgeDeliveries, { now, limit }),
        ),
      )
      if (deleted < limit) eraseLog(options.path)
      return deleted
    },
    async countExpired(now, createdBefore) {
      const counted = reader.get(countExpired, { now, createdBefore: createdBefore ?? 0 })
      const { files = 0, bytes: fileBytes = 0 } = reader.get(countExpiredFiles, { now }) ?? {}
      return { responses: 0, items: 0, bytes: 0, ...counted, files, fileBytes }
    },
    expireOlder: (createdBefore, expiresAt, { after, limit }) =>
      commits.write(() => {
        const end = writer.get(queries.stepEnd, { after, skip: limit - 1 })?.seq ?? null
        const upTo = end ?? Number.MAX_SAFE_INTEGER
        writer.run(queries.expireOlder, { after, upTo, createdBefore, expiresAt })
        return end
      }),
    sumUsage: async (since) => reader.all(sumUsage, { since }).map(fromUsageSum),
    usageOf: async (responseId) => reader.all(usageOfResponse, { responseId }).map(fromUsageRow),
    async ping() {
      await commits.write(() => writer.run(queries.touchProbe, {}))
      reader.get(queries.readProbe, {})
    },
    async close() {
      if (closed) return
      closed = true
      commits.close()
      reader.close()
      writer.close()
    },
  }
}

async function failOrphans({ writer, commits }: StoreParts, error: ResponseError): Promise<number> {
  await commits.write(() => {
    writer.run(queries.unlockAllConversations, {})
    writer.run(queries.endAllLeases, {})
    writer.run(queries.abandonAllKeyUses, {})
    writer.run(queries.interruptUsage, {})
    writer.run(queries.giveUpAllBlobs, {})
  })
  let total = 0
  for (;;) {
    const healed = await commits.write(() => failBatch(writer, error))
    total += healed
    if (healed < ORPHAN_BATCH) return total
  }
}

function failBatch(writer: Connection, error: ResponseError): number {
  const rows = writer.all(queries.findUnfinished, { limit: ORPHAN_BATCH })
  for (const { seq, body } of rows) writer.run(queries.failResponse, { seq, body: withError(body, error) })
  return rows.length
}
