/**
 * Gives vectors to documents that have none of the model that is configured now: those ingested without one, or with
 * another. They stay findable by their words meanwhile.
 */
import type { Chunk } from '../../search-index/search-index.ts'
import { embedChunks, type IngestDeps } from './ingest-file.ts'

const STORES = 50
const DOCUMENTS = 20
const CHUNKS = 500

/** One document. Answers whether there was one; throws what the embedding model throws. */
export async function upgradeOne(deps: IngestDeps, signal: AbortSignal): Promise<boolean> {
  if (deps.embedder === null) return false
  for (let after = ''; ; ) {
    const stores = await deps.store.ingestion.stores(after, STORES)
    for (const { projectId, storeId } of stores) {
      const waiting = await deps.index.withoutVectors(storeId, deps.embedder.model, DOCUMENTS)
      const complete = await deps.store.forProject(projectId).vectorStores.complete(waiting)
      const documentId = waiting.find((id) => complete.has(id))
      if (documentId === undefined) continue
      const chunks = await readChunks(storeId, documentId, deps)
      const vectors = await embedChunks(chunks, { projectId, documentId }, deps, signal)
      if (vectors) await deps.index.setVectors(storeId, documentId, vectors)
      return true
    }
    const last = stores.at(-1)
    if (last === undefined || stores.length < STORES) return false
    after = last.storeId
  }
}

async function readChunks(storeId: string, documentId: string, { index }: IngestDeps): Promise<readonly Chunk[]> {
  const chunks: Chunk[] = []
  for (;;) {
    const read = await index.read(storeId, documentId, { from: chunks.length, limit: CHUNKS })
    chunks.push(...read)
    if (read.length < CHUNKS) return chunks
  }
}
