/** Reads of the vector stores of one project, by themselves or within a transaction. */
import { seconds } from '../../../lib/clock.ts'
import type {
  Listed,
  StoredAttachment,
  StoredBatch,
  StoredVectorStore,
  VectorStoreCatalog,
} from '../../vector-store-catalog.ts'
import { queries } from '../queries.ts'
import type { Sql } from '../query.ts'
import { rangeOf } from '../range-of-page.ts'
import { toAttachment, toCounts, toVectorStore } from '../vector-store-codec.ts'
import type { BatchRow, VectorStoreRow } from '../vector-store-queries.ts'
import type { StoreParts } from './parts.ts'
import { vectorStores } from './vector-store-queries.ts'

export const toStore = async (sql: Sql, row: VectorStoreRow): Promise<StoredVectorStore> =>
  toVectorStore(row, await sql.all(queries.countStoreFiles, { seq: row.seq }))

export const toBatch = async (sql: Sql, row: BatchRow, storeId: string): Promise<StoredBatch> => ({
  id: row.id,
  storeId,
  createdAt: row.created_at,
  cancelled: row.cancelled === 1,
  counts: toCounts(await sql.all(queries.countBatchFiles, { seq: row.seq })),
})

export function createStoreReads({ database, clock }: StoreParts, projectId: string) {
  const find = (storeId: string) => database.get(queries.getVectorStore, { projectId, storeId })
  return {
    async get(id) {
      const row = await find(id)
      return row ? toStore(database, row) : null
    },
    async usable(ids) {
      const rows = await database.all(vectorStores.findUsable, { projectId, ids: JSON.stringify(ids) })
      return new Set(rows.map(({ id }) => id))
    },
    async list({ limit, order, after, before }) {
      const range = await rangeOf({ order, after, before }, async (id) => (await find(id))?.seq)
      if (range === null) return 'unknown-cursor'
      const page = order === 'asc' ? queries.listVectorStoresUp : queries.listVectorStoresDown
      const rows = await database.all(page, { projectId, ...range, limit: limit + 1 })
      return Promise.all(rows.map((row) => toStore(database, row)))
    },
    async getAttachment(storeId, fileId) {
      const row = await find(storeId)
      const file = row && (await database.get(queries.getAttachment, { storeSeq: row.seq, fileId }))
      return file ? toAttachment(file, storeId) : null
    },
    async listAttachments(storeId, { limit, status, batchId, ...cursors }): Promise<Listed<StoredAttachment>> {
      const row = await find(storeId)
      if (!row) return []
      const batch = batchId === null ? null : await database.get(queries.getBatch, { projectId, storeId, id: batchId })
      if (batch === undefined) return []
      const key = async (fileId: string) =>
        (await database.get(queries.getAttachment, { storeSeq: row.seq, fileId }))?.seq
      const range = await rangeOf(cursors, key)
      if (range === null) return 'unknown-cursor'
      const page = cursors.order === 'asc' ? queries.listAttachmentsUp : queries.listAttachmentsDown
      const values = { storeSeq: row.seq, batchSeq: batch?.seq ?? null, status, ...range, limit: limit + 1 }
      return (await database.all(page, values)).map((file) => toAttachment(file, storeId))
    },
    async complete(documentIds) {
      const ids = JSON.stringify(documentIds)
      const rows = await database.all(vectorStores.findComplete, { projectId, ids, now: seconds(clock) })
      return new Set(rows.map((row) => row.document_id))
    },
    async getBatch(storeId, id) {
      const row = await database.get(queries.getBatch, { projectId, storeId, id })
      return row ? toBatch(database, row, storeId) : null
    },
  } satisfies Partial<VectorStoreCatalog>
}
