/**
 * What is to be ingested, of all projects, and what the index has to be told. Whoever takes something, takes it for its
 * own number: nobody else has it while this process lives.
 *
 * Changes are told by one process at a time, because the newer of two of the same document has to be told last.
 */
import type { IngestQueue } from '../../vector-store-catalog.ts'
import { queries } from '../queries.ts'
import { toChange, toEndValues, toJob } from '../vector-store-codec.ts'
import type { StoreParts } from './parts.ts'
import { ingestion, vectorStores } from './vector-store-queries.ts'
import { rowNumbers } from './wanted-items.ts'

export function createIngestQueue({ database, clock, owner }: StoreParts): IngestQueue {
  return {
    async take(due, except) {
      const mine = { owner: await owner(), now: clock.now() }
      const taken = await database.get(ingestion.takeIngestion, { ...mine, due, ids: JSON.stringify(except) })
      const row = taken && (await database.get(queries.getIngestion, { documentId: taken.document_id }))
      return row ? toJob(row) : null
    },
    finish: (documentId, end) =>
      database.transaction(async (sql) => {
        const isFinished = (await sql.run(queries.finishIngestion, toEndValues(documentId, end))) > 0
        if (isFinished && end.status === 'completed')
          await sql.run(queries.addChangedAttributes, { documentId, attributes: JSON.stringify(end.attributes) })
        return isFinished
      }),
    async postpone(documentId, notBefore) {
      await database.run(ingestion.postponeIngestion, { documentId, notBefore })
    },
    async changes(limit) {
      const [first] = await database.all(queries.listIndexChanges, { limit: 1 })
      if (first === undefined) return []
      const mine = { owner: await owner(), now: clock.now() }
      return database.transaction(async (sql) => {
        await sql.get(ingestion.lockChanges, {})
        if ((await sql.get(ingestion.findTeller, mine))?.told === true) return []
        await sql.run(ingestion.takeChanges, { owner: mine.owner, limit })
        return (await sql.all(queries.listIndexChanges, { limit })).map(toChange)
      })
    },
    async forget(seqs) {
      await database.run(ingestion.forgetChanges, { seqs: rowNumbers(seqs) })
    },
    stores: async (after, limit) =>
      (await database.all(queries.listSearchableStores, { after, limit })).map((row) => ({
        projectId: row.project_id,
        storeId: row.store_id,
      })),
    documents: async (storeId, after, limit) =>
      (await database.all(queries.listCompleteDocuments, { storeId, after, limit })).map((row) => row.document_id),
    requeue: (documentIds) => database.run(ingestion.requeueIngestion, { ids: JSON.stringify(documentIds) }),
    expire: (now, limit) =>
      database.transaction(async (sql) => {
        const expired = await sql.all(vectorStores.holdExpiredVectorStores, { now, limit })
        for (const { seq, id } of expired) {
          await sql.run(queries.deleteAttachmentsOf, { storeSeq: seq })
          await sql.run(queries.expireVectorStore, { seq })
          await sql.run(queries.addIndexChange, { storeId: id, kind: 'drop', documentId: null, body: null })
        }
        return expired.length
      }),
  }
}
