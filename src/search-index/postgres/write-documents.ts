/** What is written into the index; each function is one transaction. */

import type { Sql } from '../../lib/query.ts'
import { query } from '../../lib/query.ts'
import type { Chunk, ChunkVectors, IndexedDocument, PutResult } from '../search-index.ts'
import type { IndexDatabase } from './database.ts'
import { writes } from './index-queries.ts'
import { BLOCK, toBlocks } from './postings.ts'
import { NoVectors, type VectorTable } from './vectors.ts'

/** A store may be dropped between the try to make its row and the look at it. */
const MAX_TRIES = 5

export type Parts = { readonly database: IndexDatabase; readonly vectors: VectorTable | null }

export const putDocument = (
  { database, vectors }: Parts,
  storeId: string,
  document: IndexedDocument,
  chunks: readonly Chunk[],
): Promise<PutResult> =>
  database.patiently(async (sql) => {
    const store = await holdStore(sql, storeId)
    const { id, fileId, filename, attributes } = document
    const key = { storeId, documentId: id }
    await sql.get(writes.lockDocument, key)
    await sql.run(writes.deleteDocument, key)
    const values = { store, id, fileId, filename, attributes: JSON.stringify(attributes), chunks: chunks.length }
    const seq = (await sql.get(writes.addDocument, values))?.seq
    if (seq === undefined) throw new Error('the document has no row')
    let terms = 0
    for await (const part of toBlocks(chunks)) {
      terms += part.terms
      await sql.run(writes.addChunks, { document: seq, chunks: toRows(part.chunks, part.block * BLOCK) })
      const postings = JSON.stringify(part.postings)
      await sql.run(writes.addPostings, { store, document: seq, block: part.block, postings })
    }
    await sql.run(writes.countTerms, { seq, terms })
    const bytes = chunks.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0)
    if (document.vectors === null || chunks.length === 0) return { bytes }
    return { bytes: bytes + (await requireVectors(vectors).write(sql, seq, document.vectors)) }
  })

/** Its row is there until the transaction ends. */
async function holdStore(sql: Sql, id: string): Promise<number> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const row = await sql.get(writes.holdStore, { id })
    if (row) return row.seq
    await sql.run(writes.addStore, { id })
  }
  throw new Error('the store is dropped again and again')
}

const toRows = (chunks: readonly Chunk[], from: number): string =>
  JSON.stringify(
    chunks.map(({ text, start, end, page }, at) => ({
      ...{ position: from + at, starts: start, ends: end, page },
      body: JSON.stringify(text),
    })),
  )

const holdDocument = query<{ storeId: string; documentId: string }, { seq: number; chunks: number }>(`
  select seq, chunks from search_documents
  where store = (select seq from search_stores where id = :storeId) and id = :documentId for no key update`)

export const setVectors = (
  { database, vectors }: Parts,
  storeId: string,
  documentId: string,
  made: ChunkVectors,
): Promise<boolean> =>
  database.patiently(async (sql) => {
    const row = await sql.get(holdDocument, { storeId, documentId })
    if (row === undefined || row.chunks !== made.vectors.length) return false
    const table = requireVectors(vectors)
    await table.clear(sql, row.seq)
    await table.write(sql, row.seq, made)
    return true
  })

export function requireVectors(vectors: VectorTable | null): VectorTable {
  if (vectors === null) throw new NoVectors('the index was opened without vectors')
  return vectors
}
