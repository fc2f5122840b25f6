/** Composition: vector stores, what searches them, and what fills them. */
import { join } from 'node:path'
import type { BlobStore } from '../blobs/blob-store.ts'
import { CommandError } from '../cli/app-interface.ts'
import type { ResolvedConfig } from '../config/resolved-config.ts'
import type { TextExtractor } from '../documents/extract-text.ts'
import type { Engine } from '../engine/engine.ts'
import type { IdempotencyDeps } from '../engine/idempotency.ts'
import { createVectorStores } from '../engine/vector-stores/create-vector-stores.ts'
import { createTextEmbedder } from '../engine/vector-stores/embed-texts.ts'
import { createIndexHealer, type IndexHealer } from '../engine/vector-stores/heal-index.ts'
import { createIndexTeller } from '../engine/vector-stores/index-teller.ts'
import { ingestFile } from '../engine/vector-stores/ingest-file.ts'
import { reingestLost } from '../engine/vector-stores/reingest-lost.ts'
import { createStoreSearcher, type StoreSearcher } from '../engine/vector-stores/search-stores.ts'
import { upgradeOne } from '../engine/vector-stores/upgrade-vectors.ts'
import type { VectorStores } from '../engine/vector-stores/vector-stores.ts'
import { startIngestion } from '../jobs/ingest-files.ts'
import { createTextChunker } from '../lib/text-chunker.ts'
import type { EmbedderCatalog } from '../models/embedder.ts'
import type { IndexRepairs, SearchIndex } from '../search-index/search-index.ts'
import { createSqliteIndex } from '../search-index/sqlite/sqlite-index.ts'
import type { PostgresStore } from '../store/sql/postgres/postgres-store.ts'

export type RetrievalParts = IdempotencyDeps & {
  readonly blobs: BlobStore
  readonly documents: TextExtractor
  readonly embedders: EmbedderCatalog
  /** Of an engine that may be opened later. */
  readonly createEmbeddings: Engine['createEmbeddings']
  /** Where the index is in PostgreSQL too. */
  readonly replicated: PostgresStore | null
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

export async function openRetrieval(config: ResolvedConfig, parts: RetrievalParts): Promise<Retrieval> {
  const { fileSearch, limits } = config
  const { opened, blobs, documents, embedders, createEmbeddings, replicated: _, ...deps } = parts
  const { store, clock, telemetry } = deps
  let wake = () => {}
  const { index, repairs, healer } = await openIndex(config, parts, () => wake())
  const chunker = opened.adopt(createTextChunker(), (it) => it.close())
  const { embeddingModel } = fileSearch
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
        recover: (signal) => reingestLost({ queue: store.ingestion, index, repairs }, () => wake(), signal),
        async upgrade(signal) {
          await healer?.settle(signal)
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

/** `repairs`, `healer`: of an index that can lose a store by itself. */
type OpenedIndex = {
  readonly index: SearchIndex
  readonly repairs: IndexRepairs | null
  readonly healer: IndexHealer | null
}

/** Beside the store: what is in one database is found by every server on it. `wake`: there is something in the queue. */
async function openIndex(config: ResolvedConfig, parts: RetrievalParts, wake: () => void): Promise<OpenedIndex> {
  const { replicated, opened } = parts
  if (replicated === null) return openFiles(config, parts, wake)
  const { createPostgresIndex } = await import('../search-index/postgres/postgres-index.ts')
  const { database } = replicated
  const withVectors = config.fileSearch.embeddingModel !== null
  const index = await createPostgresIndex({ database, withVectors }).catch((error) => {
    throw error instanceof Error && error.name === 'NoVectors'
      ? new CommandError(error.message, { cause: error })
      : error
  })
  return { index: opened.adopt(index, (it) => it.close()), repairs: null, healer: null }
}

function openFiles({ storage, fileSearch }: ResolvedConfig, parts: RetrievalParts, wake: () => void): OpenedIndex {
  const { opened, store, clock, telemetry } = parts
  const directory = join(storage.dataDir, DIRECTORY)
  const closing = new AbortController()
  const onDamaged = (storeId: string) => {
    const error = new Error(`the search index of ${storeId} is damaged, and is rebuilt from its files`)
    telemetry.failed({ requestId: null, where: 'search-index', error })
    // What fails now is done with the next search of the store, or the next start.
    healer.lost(storeId, closing.signal).catch(() => {})
  }
  const { vectorBytes } = fileSearch
  const index = opened.adopt(createSqliteIndex({ directory, clock, vectorBytes, onDamaged }), (it) => it.close())
  opened.defer(() => closing.abort(new Error('the server is closing')))
  const healer = createIndexHealer({ store, index, wake })
  return { index, repairs: index, healer }
}
