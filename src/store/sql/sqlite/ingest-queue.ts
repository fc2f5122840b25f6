/** What is to be ingested, of all projects, and what the index has to be told. */
import type { IngestQueue } from '../../vector-store-catalog.ts'
import { queries } from '../queries.ts'
import { toChange, toEndValues, toJob } from '../vector-store-codec.ts'
import type { Connection } from './connection.ts'
import type { GroupCommit } from './group-commit.ts'

type Parts = { readonly writer: Connection; readonly reader: Connection; readonly commits: GroupCommit }

export function createIngestQueue({ writer, reader, commits }: Parts): IngestQueue {
  return {
    take: (now, except) =>
      commits.write(() => {
        const taken = writer.get(queries.takeIngestion, { now, except: JSON.stringify(except) })
        const row = taken && writer.get(queries.getIngestion, { documentId: taken.document_id })
        return row ? toJob(row) : null
      }),
    finish: (documentId, end) =>
      commits.write(() => {
        const isFinished = writer.run(queries.finishIngestion, toEndValues(documentId, end)) > 0
        if (isFinished && end.status === 'completed')
          writer.run(queries.addChangedAttributes, { documentId, attributes: JSON.stringify(end.attributes) })
        return isFinished
      }),
    async postpone(documentId, notBefore) {
      await commits.write(() => writer.run(queries.postponeIngestion, { documentId, notBefore }))
    },
    changes: async (limit) => reader.all(queries.listIndexChanges, { limit }).map(toChange),
    async forget(seqs) {
      await commits.write(() => {
        for (const seq of seqs) writer.run(queries.deleteIndexChange, { seq })
      })
    },
    stores: async (after, limit) =>
      reader
        .all(queries.listSearchableStores, { after, limit })
        .map((row) => ({ projectId: row.project_id, storeId: row.store_id })),
    documents: async (storeId, after, limit) =>
      reader.all(queries.listCompleteDocuments, { storeId, after, limit }).map((row) => row.document_id),
    requeue: (documentIds) =>
      commits.write(() => writer.run(queries.requeueIngestion, { ids: JSON.stringify(documentIds) })),
    expire: (now, limit) =>
      commits.write(() => {
        const expired = writer.all(queries.findExpiredVectorStores, { now, limit })
        for (const { seq, id } of expired) {
          writer.run(queries.deleteAttachmentsOf, { storeSeq: seq })
          writer.run(queries.expireVectorStore, { seq })
          writer.run(queries.addIndexChange, { storeId: id, kind: 'drop', documentId: null, body: null })
        }
        return expired.length
      }),
  }
}
