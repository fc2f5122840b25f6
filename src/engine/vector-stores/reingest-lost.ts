/**
 * Holds the index against the catalogue: what is complete there and missing here is put back to be ingested. A backup
 * has the catalogue and not the index, and a file of the index may be lost by itself; without this a store that says it
 * is ready would find nothing, for good.
 */
import type { IndexRepairs, SearchIndex } from '../../search-index/search-index.ts'
import type { IngestQueue } from '../../store/vector-store-catalog.ts'

const STORES = 50
const DOCUMENTS = 500

export type ReingestParts = {
  readonly queue: Pick<IngestQueue, 'stores' | 'documents' | 'requeue'>
  readonly index: Pick<SearchIndex, 'missing'>
  /** Of an index that can lose a store by itself. */
  readonly repairs: Pick<IndexRepairs, 'setAside'> | null
}

/** `onLost` is told of each store that lost any. One that cannot be read keeps no other from being looked at. */
export async function reingestLost(parts: ReingestParts, onLost: () => void, signal: AbortSignal): Promise<void> {
  const failures: unknown[] = []
  for (let after: string | undefined = ''; after !== undefined; ) {
    const stores = await parts.queue.stores(after, STORES)
    for (const { storeId } of stores) {
      try {
        if ((await reingestOf(storeId, parts, signal)) > 0) onLost()
      } catch (error) {
        failures.push(error)
      }
      signal.throwIfAborted()
    }
    after = stores.at(-1)?.storeId
  }
  if (failures.length > 0) throw failures[0]
}

/** Answers how many documents are to be ingested again. */
export async function reingestOf(
  storeId: string,
  { queue, index, repairs }: ReingestParts,
  signal: AbortSignal,
): Promise<number> {
  let lost = 0
  for (let after: string | undefined = ''; after !== undefined; ) {
    signal.throwIfAborted()
    // Complete first, then missing: what is complete has been in the index before it was.
    const documents = await queue.documents(storeId, after, DOCUMENTS)
    const missing = await index.missing(storeId, documents)
    // All of the first ones: it has lost the store, and what comes back bit by bit must not be taken for all of it.
    if (after === '' && missing.length > 0 && missing.length === documents.length) await repairs?.setAside(storeId)
    if (missing.length > 0) lost += await queue.requeue(missing)
    after = documents.at(-1)
  }
  return lost
}
