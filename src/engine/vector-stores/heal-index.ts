/**
 * An index that has lost a store is filled again from the files of the store, by the jobs that ingested them. Until
 * the last of them is done a search is refused, for a part would look like all there is.
 *
 * Invariant: what is to be done follows from the catalogue and the index alone, so that it is taken up wherever a process
 * died: what is complete in one and missing in the other is put back into the queue, and a store is whole when nothing is
 * missing and nothing waits.
 */
import { IndexRebuilding, type IndexRepairs, type SearchIndex } from '../../search-index/search-index.ts'
import type { Store } from '../../store/store.ts'
import { reingestOf } from './reingest-lost.ts'

export interface IndexHealer {
  /** The index has set it aside: puts its documents back into the queue. */
  lost(storeId: string, signal: AbortSignal): Promise<void>
  /** Whether the store is whole again; then it is searched from here on. */
  isWhole(of: OneStore, signal: AbortSignal): Promise<boolean>
  /** Nothing was found in these. Throws `IndexRebuilding` where that is because the index has nothing of a store. */
  checkEmpty(storeIds: readonly string[], signal: AbortSignal): Promise<void>
  /** Throws `IndexRebuilding` where one of them is being rebuilt. */
  check(storeIds: readonly string[]): void
  /** Ends the rebuilding of each store that is whole. */
  settle(signal: AbortSignal): Promise<void>
}

type OneStore = { readonly projectId: string; readonly storeId: string }

export type HealDeps = {
  readonly store: Store
  readonly index: SearchIndex & IndexRepairs
  /** There is something in the queue. */
  readonly wake: () => void
}

/** Documents that are looked for where nothing was found. */
const LOOKED_FOR = 20
const STORES = 50

export function createIndexHealer({ store, index, wake }: HealDeps): IndexHealer {
  const parts = { queue: store.ingestion, index, repairs: null }
  const requeue = async (storeId: string, signal: AbortSignal) => {
    const documents = await reingestOf(storeId, parts, signal)
    if (documents > 0) wake()
    return documents
  }
  const isWhole = async ({ projectId, storeId }: OneStore, signal: AbortSignal) => {
    if ((await requeue(storeId, signal)) > 0) return false
    const found = await store.forProject(projectId).vectorStores.get(storeId)
    if (found !== null && found.counts.in_progress > 0) return false
    await index.rebuilt(storeId)
    return true
  }
  return {
    isWhole,
    async lost(storeId, signal) {
      await requeue(storeId, signal)
    },
    async checkEmpty(storeIds, signal) {
      for (const storeId of storeIds) {
        const documents = await store.ingestion.documents(storeId, '', LOOKED_FOR)
        const missing = documents.length === 0 ? [] : await index.missing(storeId, documents)
        if (missing.length === 0) continue
        // A document that was detached just now is missing too, and is not put back.
        const lost = await reingestOf(storeId, { ...parts, repairs: index }, signal)
        if (lost === 0) continue
        wake()
        throw new IndexRebuilding(storeId)
      }
    },
    check(storeIds) {
      const rebuilding = index.rebuilding().find((id) => storeIds.includes(id))
      if (rebuilding !== undefined) throw new IndexRebuilding(rebuilding)
    },
    async settle(signal) {
      const waiting = new Set(index.rebuilding())
      for (let after: string | undefined = ''; after !== undefined && waiting.size > 0; ) {
        const stores = await store.ingestion.stores(after, STORES)
        for (const of of stores) if (waiting.delete(of.storeId)) await isWhole(of, signal)
        after = stores.at(-1)?.storeId
      }
    },
  }
}
