/** Composition: vector stores, what searches them, and what fills them. */
import type { BlobStore } from '../blobs/blob-store.ts'
import type { ResolvedConfig } from '../config/resolved-config.ts'
import type { DocumentReader } from '../documents/document-reader.ts'
import type { Engine } from '../engine/engine.ts'
import type { IdempotencyDeps } from '../engine/idempotency.ts'
import { createVectorStores } from '../engine/vector-stores/create-vector-stores.ts'
import { createTextEmbedder } from '../engine/vector-stores/embed-texts.ts'
import { createIndexTeller } from '../engine/vector-stores/index-teller.ts'
import { ingestFile } from '../engine/vector-stores/ingest-file.ts'
import { reingestLost } from '../engine/vector-stores/reingest-lost.ts'
import type { Reranking } from '../engine/vector-stores/rerank-hits.ts'
import { createFileSearcher } from '../engine/vector-stores/search-stores.ts'
import { upgradeOne } from '../engine/vector-stores/upgrade-vectors.ts'
import type { VectorStores } from '../engine/vector-stores/vector-stores.ts'
import { startIngestion } from '../jobs/ingest-files.ts'
import { createTextChunker } from '../lib/text-chunker.ts'
import { createUpstreamAgent } from '../lib/upstream-http.ts'
import type { EmbedderCatalog } from '../models/embedder.ts'
import { createHttpReranker } from '../models/rerank/http-reranker.ts'
import type { PostgresStore } from '../store/sql/postgres/postgres-store.ts'
import type { FileSearcher } from '../tools/file-searcher.ts'
import { openSearchIndex } from './open-search-index.ts'

export type RetrievalParts = IdempotencyDeps & {
  readonly blobs: BlobStore
  readonly documents: DocumentReader
  readonly embedders: EmbedderCatalog
  /** Of an engine that may be opened later. */
  readonly createEmbeddings: Engine['createEmbeddings']
  /** Where the index is in PostgreSQL too. */
  readonly replicated: PostgresStore | null
  /** Closes what they hold. */
  readonly opened: AsyncDisposableStack
}

export type Retrieval = {
  readonly searcher: FileSearcher
  readonly vectorStores: VectorStores
  /** From here on files are ingested; the engine is open. */
  start(): void
}

export async function openRetrieval(config: ResolvedConfig, parts: RetrievalParts): Promise<Retrieval> {
  const { fileSearch, limits } = config
  const { opened, blobs, documents, embedders, createEmbeddings, replicated, ...deps } = parts
  const { store, clock, telemetry } = deps
  let wake = () => {}
  const { index, repairs, healer } = await openSearchIndex(config, { ...deps, replicated, opened, wake: () => wake() })
  const chunker = opened.adopt(createTextChunker(), (it) => it.close())
  const { embeddingModel } = fileSearch
  const embedder = embeddingModel === null ? null : createTextEmbedder(embeddingModel, { embedders, createEmbeddings })
  const teller = createIndexTeller({ queue: store.ingestion, index, telemetry })
  const reranking = openReranking(config, parts)
  const searcher = createFileSearcher({ store, index, embedder, clock, healer, reranking })
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

function openReranking(
  { fileSearch: { reranker }, limits }: ResolvedConfig,
  { opened, clock, telemetry }: Pick<RetrievalParts, 'opened' | 'clock' | 'telemetry'>,
): Reranking | null {
  if (reranker === null) return null
  const { timeoutMs, ...endpoint } = reranker
  const connectMs = Math.min(limits.upstreamConnectMs, timeoutMs)
  const clocks = { connectMs, firstByteMs: timeoutMs, idleMs: timeoutMs, wholeMs: timeoutMs }
  const dispatcher = opened.adopt(createUpstreamAgent(clocks), (it) => it.destroy())
  return { reranker: createHttpReranker({ ...endpoint, clock, clocks, dispatcher }), telemetry }
}
