/**
 * The search index of several nodes: tables beside those of the store, in the same PostgreSQL. What is written is seen by
 * all of them from its commit on.
 *
 * Words are looked up in postings of our own, because the ranking of PostgreSQL's text search counts neither how rare a
 * word is nor how long a text. Vectors need the extension `vector`; without an embedding model nobody asks for it.
 */
import type { SearchIndex } from '../search-index.ts'
import type { IndexDatabase } from './database.ts'
import { reads, writes } from './index-queries.ts'
import { searchDocuments, toChunk } from './search-documents.ts'
import { openVectors } from './vectors.ts'
import { type Parts, putDocument, setVectors } from './write-documents.ts'

export type PostgresIndexOptions = {
  /** With the schema of the store; it stays open. */
  readonly database: IndexDatabase
  /** Whether there will be vectors. */
  readonly withVectors: boolean
}

/** Throws `NoVectors` when they are wanted and the database has none. */
export async function createPostgresIndex({ database, withVectors }: PostgresIndexOptions): Promise<SearchIndex> {
  const parts: Parts = { database, vectors: withVectors ? await openVectors(database) : null }
  return {
    put: (storeId, document, chunks) => putDocument(parts, storeId, document, chunks),
    setVectors: (storeId, documentId, vectors) => setVectors(parts, storeId, documentId, vectors),
    async setAttributes(storeId, documentId, attributes) {
      await database.run(writes.setAttributes, { storeId, documentId, attributes: JSON.stringify(attributes) })
    },
    async remove(storeId, documentId) {
      await database.patiently(async (sql) => {
        await sql.get(writes.lockDocument, { storeId, documentId })
        await sql.run(writes.deleteDocument, { storeId, documentId })
      })
    },
    async drop(id) {
      await database.patiently((sql) => sql.run(writes.dropStore, { id }))
    },
    search: (query, signal) => untilAborted(searchDocuments(parts, query, signal), signal),
    async read(storeId, documentId, { from, limit }) {
      return (await database.all(reads.getChunks, { storeId, documentId, from, limit })).map(toChunk)
    },
    async withoutVectors(storeId, model, limit) {
      return (await database.all(reads.listWithoutVectors, { storeId, model, limit })).map(({ id }) => id)
    },
    async missing(storeId, documentIds) {
      const rows = await database.all(reads.findDocuments, { storeId, ids: JSON.stringify(documentIds) })
      const there = new Set(rows.map(({ id }) => id))
      return documentIds.filter((id) => !there.has(id))
    },
    async close() {},
  }
}

/** A statement that runs is left to its end, which the time limit of the store bounds; nobody waits for it. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
