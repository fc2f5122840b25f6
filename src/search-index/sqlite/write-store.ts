/** What is written into the file of one store; each function is one transaction. */
import type { Attributes } from '../../protocol/search-filters.ts'
import { analyzeText } from '../ranking/analyze-text.ts'
import type { Chunk, ChunkVectors, IndexedDocument, PutResult } from '../search-index.ts'
import { packVectors } from './scan-vectors.ts'
import { numberOf, type StoreFile } from './store-file.ts'

export function putDocument(file: StoreFile, document: IndexedDocument, chunks: readonly Chunk[]): PutResult {
  return file.transaction(() => {
    deleteDocument(file, document.id)
    const first = numberOf(file.get('SELECT next_chunk FROM totals')?.next_chunk)
    const { id, fileId, filename, attributes } = document
    file.run(
      'INSERT INTO documents (id, file_id, filename, attributes, first_chunk, chunks) VALUES (?, ?, ?, ?, ?, ?)',
      ...[id, fileId, filename, JSON.stringify(attributes), first, chunks.length],
    )
    const seq = numberOf(file.get('SELECT seq FROM documents WHERE id = ?', id)?.seq)
    let terms = 0
    let bytes = 0
    chunks.forEach((chunk, at) => {
      const found = analyzeText(chunk.text)
      terms += found.length
      bytes += Buffer.byteLength(chunk.text)
      file.run('INSERT INTO terms (rowid, text) VALUES (?, ?)', first + at, found.join(' '))
      file.run(
        'INSERT INTO chunks (seq, document, start, "end", page, term_count, text) VALUES (?, ?, ?, ?, ?, ?, ?)',
        ...[first + at, seq, chunk.start, chunk.end, chunk.page, found.length, chunk.text],
      )
    })
    file.run(
      'UPDATE totals SET chunks = chunks + ?, term_count = term_count + ?, next_chunk = next_chunk + ?',
      ...[chunks.length, terms, chunks.length],
    )
    if (document.vectors) bytes += writeVectors(file, seq, document.vectors)
    return { bytes }
  })
}

/** `unknown`: the document is gone, or another one. `replaced`: it had vectors before. */
export type VectorsSet = 'unknown' | 'added' | 'replaced'

export function setVectors(file: StoreFile, documentId: string, vectors: ChunkVectors): VectorsSet {
  return file.transaction(() => {
    const row = file.get('SELECT seq, chunks FROM documents WHERE id = ?', documentId)
    if (row === undefined || row.chunks !== vectors.vectors.length) return 'unknown'
    const seq = numberOf(row.seq)
    const before = file.get('SELECT dimensions FROM vectors WHERE document = ?', seq)
    writeVectors(file, seq, vectors)
    return before === undefined ? 'added' : 'replaced'
  })
}

export function setAttributes(file: StoreFile, documentId: string, attributes: Attributes): void {
  file.run('UPDATE documents SET attributes = ? WHERE id = ?', JSON.stringify(attributes), documentId)
}

export const removeDocument = (file: StoreFile, documentId: string): void =>
  file.transaction(() => deleteDocument(file, documentId))

/**
 * A deleted chunk is overwritten at once, its terms are only marked. This takes them out for good, also from the log.
 * It reads the whole index of the store, so it waits until nothing else is to be written.
 */
export function tidyStore(file: StoreFile): void {
  if (file.get('SELECT untidy FROM totals')?.untidy === 0) return
  file.transaction(() => {
    file.run("INSERT INTO terms (terms) VALUES ('optimize')")
    file.run('UPDATE totals SET untidy = 0')
  })
  file.all('PRAGMA wal_checkpoint(TRUNCATE)')
}

function deleteDocument(file: StoreFile, documentId: string): void {
  const row = file.get('SELECT seq, first_chunk, chunks FROM documents WHERE id = ?', documentId)
  if (row === undefined) return
  const first = numberOf(row.first_chunk)
  const last = first + numberOf(row.chunks) - 1
  const terms = file.get(
    'SELECT coalesce(sum(term_count), 0) AS terms FROM chunks WHERE seq BETWEEN ? AND ?',
    first,
    last,
  )
  file.run('DELETE FROM terms WHERE rowid BETWEEN ? AND ?', first, last)
  file.run('DELETE FROM chunks WHERE seq BETWEEN ? AND ?', first, last)
  file.run('DELETE FROM vectors WHERE document = ?', numberOf(row.seq))
  file.run('DELETE FROM documents WHERE seq = ?', numberOf(row.seq))
  file.run(
    'UPDATE totals SET chunks = chunks - ?, term_count = term_count - ?, untidy = 1',
    ...[numberOf(row.chunks), numberOf(terms?.terms)],
  )
}

function writeVectors(file: StoreFile, document: number, { model, vectors }: ChunkVectors): number {
  const block = packVectors(vectors)
  const dimensions = vectors[0]?.length ?? 0
  file.run('INSERT OR REPLACE INTO vectors VALUES (?, ?, ?, ?)', document, model, dimensions, block)
  return block.byteLength
}
