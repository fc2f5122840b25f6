/** Composition: vector stores, what searches them, and what fills them. */
import { join } from 'node:path'
import type { BlobStore } from '../blobs/blob-store.ts'
import type { ResolvedConfig } from '../config/resolved-config.ts'
import type { TextExtractor } from '../documents/extract-text.ts'
import type { Engine } from '../engine/engine.ts'
import type { IdempotencyDeps } from '../engine/idempotency.ts'
import { createVectorStores } from '../engine/vector-stores/create-vector-stores.ts'
import { createTextEmbedder } from '../engine/vector-stores/embed-texts.ts'
import { createIndexHealer } from '../engine/vector-stores/heal-index.ts'
import { createIndexTeller } from '../engine/vector-stores/index-teller.ts'
import { ingestFile } from '../engine/vector-stores/ingest-file.ts'
import { reingestLost } from '../engine/vector-stores/reingest-lost.ts'
import { createStoreSearcher, type StoreSearcher } from '../engine/vector-stores/search-stores.ts'
import { upgradeOne } from '../engine/vector-stores/upgrade-vectors.ts'
import type { VectorStores } from '../engine/vector-stores/vector-stores.ts'
import { startIngestion } from '../jobs/ingest-files.ts'
import { createTextChunker } from '../lib/text-chunker.ts'
import type { EmbedderCatalog } from '../models/embedder.ts'
import { createSqliteIndex } from '../search-index/sqlite/sqlite-index.ts'

export type RetrievalParts = IdempotencyDeps & {
  readonly blobs: BlobStore
  readonly documents: TextExtractor
  readonly embedders: EmbedderCatalog
  /** Of an engine that may be opened later. */
  readonly createEmbeddings: Engine['createEmbeddings']
  /** Closes what they hold. */
  readonly opened: AsyncDisposableStack
}

export type Retrieval = {
  readonly searcher: StoreSearcher
  readonly vectorStores: VectorStores
  /** From here on files are ingested; the engine is open. */
  start(): void
}

const DIRECTORY = 'search-index'

export function openRetrieval({ storage, fileSearch, limits }: ResolvedConfig, parts: RetrievalParts): Retrieval {
  const { opened, blobs, documents, embedders, createEmbeddings, ...deps } = parts
  const { store, clock, telemetry } = deps
  const { embeddingModel, vectorBytes } = fileSearch
  const directory = join(storage.dataDir, DIRECTORY)
  let wake = () => {}
  const closing = new AbortController()
  const onDamaged = (storeId: string) => {
    const cause = new Error(`the search index of ${storeId} is damaged, and is rebuilt from its files`)
    telemetry.failed({ requestId: null, where: 'search-index', error: cause })
    // What fails now is done with the next search of the store, or the next start.
    healer.lost(storeId, closing.signal).catch(() => {})
  }
  const index = opened.adopt(createSqliteIndex({ directory, clock, vectorBytes, onDamaged }), (it) => it.close())
  opened.defer(() => closing.abort(new Error('the server is closing')))
  const healer = createIndexHealer({ store, index, wake: () => wake() })
  const chunker = opened.adopt(createTextChunker(), (it) => it.close())
  const embedder = embeddingModel === null ? null : createTextEmbedder(embeddingModel, { embedders, createEmbeddings })
  const teller = createIndexTeller({ queue: store.ingestion, index, telemetry })
  const searcher = createStoreSearcher({ store, index, embedder, clock, healer })
  const ingestion = { store, blobs, index, documents, chunker, embedder, maxBytes: limits.searchedFileBytes }
  const vectorStores = createVectorStores({
    ...deps,
    index,
    teller,
    searcher,
    limits: { stores: limits.vectorStoresPerProject, filesPerStore: limits.filesPerVectorStore },
    onAttached: () => wake(),
  })
  return {
    searcher,
    vectorStores,
    start() {
      const running = startIngestion({
        queue: store.ingestion,
        ingest: (job, signal) => ingestFile(job, ingestion, signal),
        recover: (signal) => reingestLost({ queue: store.ingestion, index, repairs: index }, () => wake(), signal),
        async upgrade(signal) {
          await healer.settle(signal)
          return upgradeOne(ingestion, signal)
        },
        tell: () => teller.tell(),
        clock,
        telemetry,
      })
      opened.use(running)
      wake = () => running.wake()
    },
  }
}
