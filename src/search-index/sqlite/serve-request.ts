/** One request of a thread, done. */
import type { FileCache } from './file-cache.ts'
import { searchStores, toChunk } from './search-stores.ts'
import { deleteSetAside, deleteStoreFile, type StoreFile, setAsideStoreFile, textOf } from './store-file.ts'
import type { ReadRequest, ThreadRequest, WriteRequest } from './thread-request.ts'
import type { VectorCache } from './vector-cache.ts'
import { putDocument, removeDocument, setAttributes, setVectors, tidyStore } from './write-store.ts'

export type ThreadParts = { readonly directory: string; readonly files: FileCache; readonly vectors: VectorCache }

export function serve(request: ThreadRequest, { files, vectors, directory }: ThreadParts): unknown {
  switch (request.type) {
    case 'search': {
      const { storeIds } = request.query
      const opened = storeIds.flatMap((storeId) => {
        const file = files.get(storeId)
        return file === null ? [] : [{ storeId, file, revision: request.revisions.get(storeId) ?? 0 }]
      })
      return searchStores(opened, request.query, vectors)
    }
    case 'forget':
      return files.forget(request.storeId)
    case 'drop':
      files.forget(request.storeId)
      return deleteStoreFile(directory, request.storeId)
    case 'set-aside':
      files.forget(request.storeId)
      return setAsideStoreFile(directory, request.storeId)
    case 'delete-set-aside':
      return deleteSetAside(directory, request.storeId)
    default: {
      const file = files.get(request.storeId)
      return file === null ? [] : useFile(file, request)
    }
  }
}

type OfOneFile = Exclude<
  ReadRequest | WriteRequest,
  { type: 'search' | 'forget' | 'drop' | 'set-aside' | 'delete-set-aside' }
>

function useFile(file: StoreFile, request: OfOneFile): unknown {
  switch (request.type) {
    case 'put':
      return putDocument(file, request.document, request.chunks)
    case 'set-vectors':
      return setVectors(file, request.documentId, request.vectors)
    case 'set-attributes':
      return setAttributes(file, request.documentId, request.attributes)
    case 'remove':
      return removeDocument(file, request.documentId)
    case 'tidy':
      return tidyStore(file)
    case 'read':
      return file.all(READ, request.documentId, request.from, request.limit).map(toChunk)
    case 'without-vectors':
      return file.all(WITHOUT_VECTORS, request.model, request.limit).map(({ id }) => textOf(id))
    case 'known':
      return file.all(KNOWN, JSON.stringify(request.documentIds)).map(({ id }) => textOf(id))
    default:
      return request satisfies never
  }
}

const READ = `SELECT chunks.text, chunks.start, chunks."end", chunks.page FROM documents JOIN chunks
  ON chunks.seq BETWEEN documents.first_chunk + ?2 AND documents.first_chunk + documents.chunks - 1
  WHERE documents.id = ?1 ORDER BY chunks.seq LIMIT ?3`

const WITHOUT_VECTORS = `SELECT documents.id FROM documents LEFT JOIN vectors ON vectors.document = documents.seq
  WHERE vectors.model IS NOT ? AND documents.chunks > 0 ORDER BY documents.seq LIMIT ?`

const KNOWN = 'SELECT id FROM documents WHERE id IN (SELECT value FROM json_each(?))'
