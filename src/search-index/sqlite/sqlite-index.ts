/**
 * The search index of one node: a database file for each store, in one directory. All of it is read and written in
 * threads of their own, so that neither a search nor an ingestion is felt by anything else.
 *
 * A store that is being dropped is an empty one already: nobody may come back to its file between letting go of it and
 * its end.
 */
import { mkdirSync } from 'node:fs'
import { createCallThread, ThreadBusy } from '../../lib/call-thread.ts'
import type { Clock } from '../../lib/clock.ts'
import { ownModule } from '../../lib/own-files.ts'
import { type Chunk, type Hit, IndexBusy, type PutResult, type SearchIndex } from '../search-index.ts'
import type { ReadRequest, WriteRequest } from './thread-request.ts'

export type SqliteIndexOptions = {
  /** Made when there is none. */
  readonly directory: string
  readonly clock: Clock
}

const PRIVATE_DIR = 0o700
/** Requests that wait for a thread. */
export const MAX_WAITING = 1_000
const MEMORY_MB = 1_024
/** After the last deletion: long enough that a row of them is tidied once. */
export const TIDY_AFTER_MS = 2_000

const THREAD_FILE = ownModule('index-thread', import.meta.url)

export function createSqliteIndex({ directory, clock }: SqliteIndexOptions): SearchIndex {
  mkdirSync(directory, { recursive: true, mode: PRIVATE_DIR })
  const thread = (role: 'reader' | 'writer') =>
    createCallThread({ file: THREAD_FILE, data: { directory, role }, maxWaiting: MAX_WAITING, memoryMb: MEMORY_MB })
  const reader = thread('reader')
  const writer = thread('writer')
  // An answer is what `serve-request.ts` gives for its request.
  const read = <T>(request: ReadRequest, signal?: AbortSignal) =>
    reader.call(request, signal).catch(toBusy) as Promise<T>
  const write = <T>(request: WriteRequest) => writer.call(request).catch(toBusy) as Promise<T>

  const dropping = new Set<string>()
  const untidy = new Set<string>()
  let cancelTidy = () => {}
  const tidyLater = (storeId: string) => {
    untidy.add(storeId)
    cancelTidy()
    cancelTidy = clock.after(TIDY_AFTER_MS, () => {
      // What fails now is tidied after the next deletion.
      for (const id of untidy) write({ type: 'tidy', storeId: id }).catch(() => {})
      untidy.clear()
    })
  }
  return {
    put: (storeId, document, chunks) => write<PutResult>({ type: 'put', storeId, document, chunks }),
    setVectors: (storeId, documentId, vectors) => write<boolean>({ type: 'set-vectors', storeId, documentId, vectors }),
    setAttributes: (storeId, documentId, attributes) =>
      write<void>({ type: 'set-attributes', storeId, documentId, attributes }),
    async remove(storeId, documentId) {
      await write<void>({ type: 'remove', storeId, documentId })
      tidyLater(storeId)
    },
    async drop(storeId) {
      untidy.delete(storeId)
      dropping.add(storeId)
      try {
        await read<void>({ type: 'forget', storeId })
        await write<void>({ type: 'drop', storeId })
      } finally {
        dropping.delete(storeId)
      }
    },
    search(query, signal) {
      const storeIds = query.storeIds.filter((id) => !dropping.has(id))
      return read<Hit[]>({ type: 'search', query: { ...query, storeIds } }, signal)
    },
    async read(storeId, documentId, page) {
      return dropping.has(storeId) ? [] : read<Chunk[]>({ type: 'read', storeId, documentId, ...page })
    },
    async withoutVectors(storeId, model, limit) {
      return dropping.has(storeId) ? [] : read<string[]>({ type: 'without-vectors', storeId, model, limit })
    },
    async missing(storeId, documentIds) {
      if (dropping.has(storeId)) return documentIds
      const there = new Set(await read<string[]>({ type: 'known', storeId, documentIds }))
      return documentIds.filter((id) => !there.has(id))
    },
    async close() {
      cancelTidy()
      await Promise.all([reader.close(), writer.close()])
    },
  }
}

function toBusy(error: unknown): never {
  throw error instanceof ThreadBusy ? new IndexBusy() : error
}
