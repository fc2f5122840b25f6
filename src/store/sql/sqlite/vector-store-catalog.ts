/** The vector stores of one project. Reads see what is committed; writes resolve once they are. */
import { type Clock, seconds } from '../../../lib/clock.ts'
import type {
  Attached,
  CatalogLimits,
  Listed,
  NewAttachment,
  StoredAttachment,
  StoredBatch,
  StoredVectorStore,
  VectorStoreCatalog,
} from '../../vector-store-catalog.ts'
import { queries } from '../queries.ts'
import { rangeOf } from '../range-of-page.ts'
import { toAttachment, toCounts, toVectorStore } from '../vector-store-codec.ts'
import type { BatchRow, VectorStoreRow } from '../vector-store-queries.ts'
import type { Connection } from './connection.ts'
import type { GroupCommit } from './group-commit.ts'
import { claimEnder } from './idempotency-store.ts'

type Parts = {
  readonly writer: Connection
  readonly reader: Connection
  readonly commits: GroupCommit
  readonly clock: Clock
}

export function createVectorStoreCatalog(parts: Parts, projectId: string): VectorStoreCatalog {
  const { writer, reader, commits, clock } = parts
  const endClaimWith = claimEnder(writer, projectId)
  const find = (connection: Connection, storeId: string) =>
    connection.get(queries.getVectorStore, { projectId, storeId })
  const toStore = (connection: Connection, row: VectorStoreRow) =>
    toVectorStore(row, connection.all(queries.countStoreFiles, { seq: row.seq }))
  const findBatch = (connection: Connection, storeId: string, id: string) =>
    connection.get(queries.getBatch, { projectId, storeId, id })
  const toBatch = (connection: Connection, row: BatchRow, storeId: string): StoredBatch => ({
    id: row.id,
    storeId,
    createdAt: row.created_at,
    cancelled: row.cancelled === 1,
    counts: toCounts(connection.all(queries.countBatchFiles, { seq: row.seq })),
  })
  /** What is there is written anew: the index is told to give up what it knew. */
  const insertFiles = (
    store: VectorStoreRow,
    files: readonly NewAttachment[],
    at: { readonly now: number; readonly batchSeq: number | null },
    { filesPerStore }: CatalogLimits,
  ): Attached => {
    if (store.expired === 1) return { type: 'expired' }
    const now = seconds(clock)
    const index = files.findIndex(({ fileId }) => !writer.get(queries.getFile, { projectId, id: fileId, now }))
    if (index !== -1) return { type: 'unknown-file', index }
    for (const file of files) {
      const key = { storeSeq: store.seq, fileId: file.fileId }
      writer.run(queries.deleteAttachment, key)
      writer.run(queries.insertAttachment, {
        ...key,
        batchSeq: at.batchSeq,
        documentId: file.documentId,
        createdAt: at.now,
        attributes: JSON.stringify(file.attributes),
        chunkTokens: file.chunking.max_chunk_size_tokens,
        overlapTokens: file.chunking.chunk_overlap_tokens,
      })
    }
    return toStore(writer, store).counts.total > filesPerStore ? { type: 'full' } : { type: 'attached' }
  }
  return {
    ...storeReads(parts, projectId, { find, toStore }),
    create: (store, files, limits, endClaim) =>
      allOrNothing(commits, () => {
        writer.run(queries.addProject, { projectId })
        if ((writer.get(queries.countVectorStores, { projectId })?.stores ?? 0) >= limits.stores)
          return { type: 'too-many-stores' as const }
        const { id, createdAt, name, description, lastActiveAt } = store
        const metadata = JSON.stringify(store.metadata)
        const expiresDays = store.expiresAfterDays
        const values = { projectId, id, createdAt, name, description, metadata, expiresDays, lastActiveAt }
        writer.run(queries.insertVectorStore, values)
        const row = find(writer, id)
        if (!row) throw new Error('the store has no row')
        const attached = insertFiles(row, files, { now: createdAt, batchSeq: null }, limits)
        if (attached.type === 'attached') endClaimWith<StoredVectorStore>(toStore(writer, row), endClaim)
        return attached
      }),
    update: (id, changes, now, endClaim) =>
      commits.write(() => {
        const row = find(writer, id)
        if (!row) return 'unknown'
        if (row.expired === 1) return 'expired'
        const expiresDays = changes.expiresAfterDays === undefined ? row.expires_days : changes.expiresAfterDays
        const metadata = changes.metadata === undefined ? row.metadata : JSON.stringify(changes.metadata)
        writer.run(queries.updateVectorStore, {
          seq: row.seq,
          name: changes.name ?? row.name,
          metadata,
          expiresDays,
          now,
        })
        return endClaimWith(toStore(writer, find(writer, id) ?? row), endClaim)
      }),
    delete: (id) =>
      commits.write(() => {
        const row = find(writer, id)
        if (row) writer.run(queries.deleteVectorStore, { seq: row.seq })
        return row !== undefined
      }),
    touch: (ids, now) =>
      commits.writeLate(() => {
        for (const storeId of ids) writer.run(queries.touchVectorStore, { projectId, storeId, now })
      }),
    attach: (storeId, files, { now, batchId }, limits, endClaim) =>
      allOrNothing(commits, () => {
        const row = find(writer, storeId)
        if (!row) return { type: 'unknown' as const }
        if (batchId !== null) writer.run(queries.insertBatch, { storeSeq: row.seq, id: batchId, createdAt: now })
        const batch = batchId === null ? undefined : findBatch(writer, storeId, batchId)
        const attached = insertFiles(row, files, { now, batchSeq: batch?.seq ?? null }, limits)
        if (attached.type !== 'attached') return attached
        writer.run(queries.touchVectorStore, { projectId, storeId, now })
        const [first] = files
        const file = first && writer.get(queries.getAttachment, { storeSeq: row.seq, fileId: first.fileId })
        const made = batch ? toBatch(writer, batch, storeId) : file && toAttachment(file, storeId)
        if (made) endClaimWith<StoredAttachment | StoredBatch>(made, endClaim)
        return attached
      }),
    setAttributes: (storeId, fileId, attributes) =>
      commits.write(() => {
        const row = find(writer, storeId)
        const key = row && { storeSeq: row.seq, fileId }
        const body = JSON.stringify(attributes)
        if (!key || writer.run(queries.setAttachmentAttributes, { ...key, attributes: body }) === 0) return null
        const file = writer.get(queries.getAttachment, key)
        if (!file) return null
        writer.run(queries.addIndexChange, { storeId, kind: 'attributes', documentId: file.document_id, body })
        return toAttachment(file, storeId)
      }),
    detach: (storeId, fileId) =>
      commits.write(() => {
        const row = find(writer, storeId)
        return row !== undefined && writer.run(queries.deleteAttachment, { storeSeq: row.seq, fileId }) > 0
      }),
    async complete(documentIds) {
      const ids = JSON.stringify(documentIds)
      const rows = reader.all(queries.findCompleteDocuments, { projectId, ids, now: seconds(clock) })
      return new Set(rows.map((row) => row.document_id))
    },
    async getBatch(storeId, id) {
      const row = findBatch(reader, storeId, id)
      return row ? toBatch(reader, row, storeId) : null
    },
    cancelBatch: (storeId, id) =>
      commits.write(() => {
        const row = findBatch(writer, storeId, id)
        if (!row) return null
        if (writer.run(queries.cancelBatchFiles, { seq: row.seq }) > 0)
          writer.run(queries.cancelBatch, { seq: row.seq })
        return toBatch(writer, { ...row, ...findBatch(writer, storeId, id) }, storeId)
      }),
  }
}

type Reads = {
  find(connection: Connection, storeId: string): VectorStoreRow | undefined
  toStore(connection: Connection, row: VectorStoreRow): StoredVectorStore
}

function storeReads({ reader }: Parts, projectId: string, { find, toStore }: Reads) {
  return {
    async get(id) {
      const row = find(reader, id)
      return row ? toStore(reader, row) : null
    },
    async usable(ids) {
      return new Set(ids.filter((id) => find(reader, id)?.expired === 0))
    },
    async list({ limit, order, after, before }) {
      const range = await rangeOf({ order, after, before }, (id) => find(reader, id)?.seq)
      if (range === null) return 'unknown-cursor'
      const page = order === 'asc' ? queries.listVectorStoresUp : queries.listVectorStoresDown
      return reader.all(page, { projectId, ...range, limit: limit + 1 }).map((row) => toStore(reader, row))
    },
    async getAttachment(storeId, fileId) {
      const row = find(reader, storeId)
      const file = row && reader.get(queries.getAttachment, { storeSeq: row.seq, fileId })
      return file ? toAttachment(file, storeId) : null
    },
    async listAttachments(
      storeId,
      { limit, order, after, before, status, batchId },
    ): Promise<Listed<StoredAttachment>> {
      const row = find(reader, storeId)
      if (!row) return []
      const batch = batchId === null ? null : reader.get(queries.getBatch, { projectId, storeId, id: batchId })
      if (batch === undefined) return []
      const key = (fileId: string) => reader.get(queries.getAttachment, { storeSeq: row.seq, fileId })?.seq
      const range = await rangeOf({ order, after, before }, key)
      if (range === null) return 'unknown-cursor'
      const page = order === 'asc' ? queries.listAttachmentsUp : queries.listAttachmentsDown
      const values = { storeSeq: row.seq, batchSeq: batch?.seq ?? null, status, ...range, limit: limit + 1 }
      return reader.all(page, values).map((file) => toAttachment(file, storeId))
    },
  } satisfies Partial<VectorStoreCatalog>
}

/** What is not attached has left nothing: the transaction goes back to where it began. */
class Refused extends Error {}

async function allOrNothing<T extends { readonly type: string }>(commits: GroupCommit, work: () => T): Promise<T> {
  let refused: T | null = null
  try {
    return await commits.write(() => {
      refused = null
      const answer = work()
      if (answer.type === 'attached') return answer
      refused = answer
      throw new Refused(answer.type)
    })
  } catch (error) {
    if (error instanceof Refused && refused !== null) return refused
    throw error
  }
}
