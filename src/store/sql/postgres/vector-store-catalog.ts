/** The vector stores of one project. A write holds the row of the store before it looks at what is in it. */
import { seconds } from '../../../lib/clock.ts'
import type {
  Attached,
  CatalogLimits,
  NewAttachment,
  NewVectorStore,
  StoreChanges,
  StoredAttachment,
  StoredBatch,
  StoredVectorStore,
  VectorStoreCatalog,
} from '../../vector-store-catalog.ts'
import { queries } from '../queries.ts'
import type { Sql } from '../query.ts'
import { toAttachment } from '../vector-store-codec.ts'
import type { VectorStoreRow } from '../vector-store-queries.ts'
import type { Database } from './database.ts'
import { holdProject } from './hold-project.ts'
import { claimEnder } from './idempotency-store.ts'
import type { StoreParts } from './parts.ts'
import { vectorStores } from './vector-store-queries.ts'
import { createStoreReads, toBatch, toStore } from './vector-store-reads.ts'

export function createVectorStoreCatalog(parts: StoreParts, projectId: string): VectorStoreCatalog {
  const { database, clock, ensureProject } = parts
  const endClaimWith = claimEnder(projectId)
  const hold = (sql: Sql, storeId: string) => sql.get(vectorStores.holdVectorStore, { projectId, storeId })
  const find = (sql: Sql, storeId: string) => sql.get(queries.getVectorStore, { projectId, storeId })
  const insert = (sql: Sql, row: VectorStoreRow, files: readonly NewAttachment[], at: InsertAt) =>
    insertFiles(sql, { projectId, now: seconds(clock) }, row, files, at)
  return {
    ...createStoreReads(parts, projectId),
    async create(store, files, limits, endClaim) {
      await ensureProject(projectId)
      return allOrNothing(database, async (sql) => {
        await sql.get(holdProject, { projectId })
        if (((await sql.get(queries.countVectorStores, { projectId }))?.stores ?? 0) >= limits.stores)
          return { type: 'too-many-stores' as const }
        await sql.run(queries.insertVectorStore, { projectId, ...toValues(store) })
        const row = await hold(sql, store.id)
        if (!row) throw new Error('the store has no row')
        const attached = await insert(sql, row, files, { now: store.createdAt, batchSeq: null, limits })
        if (attached.type === 'attached') await endClaimWith<StoredVectorStore>(sql, await toStore(sql, row), endClaim)
        return attached
      })
    },
    update: (id, changes, now, endClaim) =>
      database.transaction(async (sql) => {
        const row = await hold(sql, id)
        if (!row) return 'unknown'
        if (row.expired === 1) return 'expired'
        await sql.run(queries.updateVectorStore, { seq: row.seq, ...changed(row, changes), now })
        return endClaimWith(sql, await toStore(sql, (await find(sql, id)) ?? row), endClaim)
      }),
    delete: (id) =>
      database.transaction(async (sql) => {
        const row = await find(sql, id)
        return row !== undefined && (await sql.run(queries.deleteVectorStore, { seq: row.seq })) > 0
      }),
    touch: (ids, now) =>
      parts.outlast(
        database.transaction(async (sql) => {
          // In one order, so that two searches of the same stores do not wait for each other.
          for (const storeId of [...ids].sort()) await sql.run(queries.touchVectorStore, { projectId, storeId, now })
        }),
      ),
    attach: (storeId, files, { now, batchId }, limits, endClaim) =>
      allOrNothing(database, async (sql) => {
        const row = await hold(sql, storeId)
        if (!row) return { type: 'unknown' as const }
        if (batchId !== null) await sql.run(queries.insertBatch, { storeSeq: row.seq, id: batchId, createdAt: now })
        const batch =
          batchId === null ? undefined : await sql.get(queries.getBatch, { projectId, storeId, id: batchId })
        const attached = await insert(sql, row, files, { now, batchSeq: batch?.seq ?? null, limits })
        if (attached.type !== 'attached') return attached
        await sql.run(queries.touchVectorStore, { projectId, storeId, now })
        const [first] = files
        const file = first && (await sql.get(queries.getAttachment, { storeSeq: row.seq, fileId: first.fileId }))
        const made = batch ? await toBatch(sql, batch, storeId) : file && toAttachment(file, storeId)
        if (made) await endClaimWith<StoredAttachment | StoredBatch>(sql, made, endClaim)
        return attached
      }),
    setAttributes: (storeId, fileId, attributes) =>
      database.transaction(async (sql) => {
        const row = await hold(sql, storeId)
        const key = row && { storeSeq: row.seq, fileId }
        const body = JSON.stringify(attributes)
        if (!key || (await sql.run(queries.setAttachmentAttributes, { ...key, attributes: body })) === 0) return null
        const file = await sql.get(queries.getAttachment, key)
        if (!file) return null
        await sql.run(queries.addIndexChange, { storeId, kind: 'attributes', documentId: file.document_id, body })
        return toAttachment(file, storeId)
      }),
    async detach(storeId, fileId) {
      const row = await find(database, storeId)
      return row !== undefined && (await database.run(queries.deleteAttachment, { storeSeq: row.seq, fileId })) > 0
    },
    cancelBatch: (storeId, id) =>
      database.transaction(async (sql) => {
        const row = await sql.get(vectorStores.holdBatch, { projectId, storeId, id })
        if (!row) return null
        if ((await sql.run(queries.cancelBatchFiles, { seq: row.seq })) > 0)
          await sql.run(queries.cancelBatch, { seq: row.seq })
        return toBatch(sql, { ...row, ...(await sql.get(queries.getBatch, { projectId, storeId, id })) }, storeId)
      }),
  }
}

function toValues({ id, createdAt, name, description, metadata, expiresAfterDays, lastActiveAt }: NewVectorStore) {
  const expiresDays = expiresAfterDays
  return { id, createdAt, name, description, metadata: JSON.stringify(metadata), expiresDays, lastActiveAt }
}

const changed = (row: VectorStoreRow, { name, metadata, expiresAfterDays }: StoreChanges) => ({
  name: name ?? row.name,
  metadata: metadata === undefined ? row.metadata : JSON.stringify(metadata),
  expiresDays: expiresAfterDays === undefined ? row.expires_days : expiresAfterDays,
})

type InsertAt = { readonly now: number; readonly batchSeq: number | null; readonly limits: CatalogLimits }

/** The row of the store is held. What is there is written anew: the index is told to give up what it knew. */
async function insertFiles(
  sql: Sql,
  scope: { readonly projectId: string; readonly now: number },
  store: VectorStoreRow,
  files: readonly NewAttachment[],
  { now, batchSeq, limits }: InsertAt,
): Promise<Attached> {
  if (store.expired === 1) return { type: 'expired' }
  const ids = JSON.stringify(files.map(({ fileId }) => fileId))
  const known = new Set((await sql.all(vectorStores.holdFiles, { ...scope, ids })).map(({ id }) => id))
  const index = files.findIndex(({ fileId }) => !known.has(fileId))
  if (index !== -1) return { type: 'unknown-file', index }
  for (const { fileId, documentId, attributes, chunking } of files) {
    const key = { storeSeq: store.seq, fileId }
    await sql.run(queries.deleteAttachment, key)
    await sql.run(queries.insertAttachment, {
      ...{ ...key, batchSeq, documentId, createdAt: now, attributes: JSON.stringify(attributes) },
      ...{ chunkTokens: chunking.max_chunk_size_tokens, overlapTokens: chunking.chunk_overlap_tokens },
    })
  }
  const { total } = (await toStore(sql, store)).counts
  return total > limits.filesPerStore ? { type: 'full' } : { type: 'attached' }
}

/** What is not attached has left nothing: the transaction is taken back. */
class Refused extends Error {}

async function allOrNothing<T extends { readonly type: string }>(
  database: Database,
  work: (sql: Sql) => Promise<T>,
): Promise<T> {
  let refused: T | null = null
  try {
    return await database.transaction(async (sql) => {
      refused = null
      const answer = await work(sql)
      if (answer.type === 'attached') return answer
      refused = answer
      throw new Refused(answer.type)
    })
  } catch (error) {
    if (error instanceof Refused && refused !== null) return refused
    throw error
  }
}
