/**
 * The search index of one node: a database file for each store, in one directory. All of it is read and written in
 * threads of their own, so that neither a search nor an ingestion is felt by anything else.
 *
 * A store that is being dropped is an empty one already: nobody may come back to its file between letting go of it and
 * its end.
 */
import { mkdirSync } from 'node:fs'
import type { Clock } from '../../lib/clock.ts'
import type { Chunk, Hit, IndexRepairs, PutResult, SearchIndex } from '../search-index.ts'
import { createIndexThreads } from './index-threads.ts'
import type { ReadRequest, WriteRequest } from './thread-request.ts'
import type { VectorsSet } from './write-store.ts'

export type SqliteIndexOptions = {
  /** Made when there is none. */
  readonly directory: string
  readonly clock: Clock
  /** Bytes of vectors that are kept in memory; more than that are read from disk for each search. */
  readonly vectorBytes: number
  /** The file of a store was damaged and set aside: what was in it is to be put in again. */
  readonly onDamaged?: (storeId: string) => void
}

const PRIVATE_DIR = 0o700
/** After the last deletion: long enough that a row of them is tidied once. */
export const TIDY_AFTER_MS = 2_000

export function createSqliteIndex(options: SqliteIndexOptions): SearchIndex & IndexRepairs {
  const { directory, clock, vectorBytes, onDamaged = () => {} } = options
  mkdirSync(directory, { recursive: true, mode: PRIVATE_DIR })
  const threads = createIndexThreads({ directory, vectorBytes, onDamaged })
  // An answer is what `serve-request.ts` gives for its request.
  const read = <T>(request: ReadRequest, signal?: AbortSignal) => threads.read(request, signal) as Promise<T>
  const write = <T>(request: WriteRequest) => threads.write(request) as Promise<T>

  const dropping = new Set<string>()
  /** How often vectors of a store were replaced: what the reader keeps of them is outdated then. */
  const revisions = new Map<string, number>()
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
    async setVectors(storeId, documentId, vectors) {
      const set = await write<VectorsSet>({ type: 'set-vectors', storeId, documentId, vectors })
      if (set === 'replaced') revisions.set(storeId, (revisions.get(storeId) ?? 0) + 1)
      return set !== 'unknown'
    },
    setAttributes: (storeId, documentId, attributes) =>
      write<void>({ type: 'set-attributes', storeId, documentId, attributes }),
    async remove(storeId, documentId) {
      await write<void>({ type: 'remove', storeId, documentId })
      tidyLater(storeId)
    },
    async drop(storeId) {
      untidy.delete(storeId)
      revisions.delete(storeId)
      dropping.add(storeId)
      try {
        await read<void>({ type: 'forget', storeId })
        await write<void>({ type: 'drop', storeId })
        threads.forget(storeId)
      } finally {
        dropping.delete(storeId)
      }
    },
    async search(query, signal) {
      const storeIds = query.storeIds.filter((id) => !dropping.has(id))
      const replaced = new Map(storeIds.flatMap((id) => (revisions.has(id) ? [[id, revisions.get(id) ?? 0]] : [])))
      return read<Hit[]>({ type: 'search', query: { ...query, storeIds }, revisions: replaced }, signal)
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
      await threads.close()
    },
    rebuilding: threads.rebuilding,
    setAside: threads.setAside,
    rebuilt: threads.rebuilt,
  }
}
