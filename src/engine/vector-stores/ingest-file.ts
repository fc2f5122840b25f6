/**
 * One file into one vector store: its bytes -> text -> chunks -> vectors -> the index -> its status, in this order.
 *
 * Invariant: the index is written in one step and the status after it. A process that dies before the status is written
 * does it all again, and what it puts into the index takes the place of what is there.
 */
import type { BlobStore } from '../../blobs/blob-store.ts'
import { BlobMissing } from '../../blobs/blob-store.ts'
import { DocumentError, type DocumentReader } from '../../documents/document-reader.ts'
import type { TextChunker } from '../../lib/text-chunker.ts'
import { ApiError } from '../../protocol/errors.ts'
import { type Chunk, IndexRebuilding, type SearchIndex } from '../../search-index/search-index.ts'
import type { StoredFile } from '../../store/file-store.ts'
import type { Store } from '../../store/store.ts'
import type { IngestEnd, IngestError, IngestJob } from '../../store/vector-store-catalog.ts'
import type { EmbedFor, TextEmbedder } from './embed-texts.ts'
import { joinPages } from './join-pages.ts'

export type IngestDeps = {
  readonly store: Store
  readonly blobs: BlobStore
  readonly index: SearchIndex
  readonly documents: DocumentReader
  readonly chunker: TextChunker
  readonly embedder: TextEmbedder | null
  /** Larger files are not read. */
  readonly maxBytes: number
}

/** In the ledger: who asked for the vectors of files. */
export const INGEST_KEY = 'file-search'
/** Texts of one call of the embedding model. */
const TEXTS_PER_CALL = 64

/** Throws what may be different another time; anything else is the end of the file. */
export async function ingestFile(job: IngestJob, deps: IngestDeps, signal: AbortSignal): Promise<void> {
  const end = await read(job, deps, signal)
  if (await deps.store.ingestion.finish(job.documentId, end)) return
  await forgetDocument(job, deps)
}

async function read(job: IngestJob, deps: IngestDeps, signal: AbortSignal): Promise<IngestEnd> {
  try {
    const file = await deps.store.forProject(job.projectId).files.get(job.fileId)
    if (!file) return failed('invalid_file', 'The file does not exist any more.')
    const text = joinPages(await readPages(file, job, deps, signal))
    const { max_chunk_size_tokens: maxTokens, chunk_overlap_tokens: overlapTokens } = job.chunking
    const ranges = await deps.chunker.chunk(text.text, { maxTokens, overlapTokens }, signal)
    const chunks = ranges.map(({ start, end }): Chunk => {
      return { text: text.text.slice(start, end), start, end, page: text.pageAt(start) }
    })
    const vectors = await embedChunks(chunks, job, deps, signal)
    const { documentId: id, fileId, attributes } = job
    const document = { id, fileId, filename: file.filename, attributes, vectors }
    const put = () => deps.index.put(job.storeId, document, chunks)
    // What is damaged has been set aside by now. That is no fault of the file, so it costs it none of its tries.
    const { bytes } = await put().catch((error: unknown) => {
      if (error instanceof IndexRebuilding) return put()
      throw error
    })
    return { status: 'completed', usageBytes: bytes, attributes }
  } catch (error) {
    const told = tellEnd(error)
    if (told === null || signal.aborted) throw error
    return { status: 'failed', error: told }
  }
}

async function readPages(file: StoredFile, job: IngestJob, deps: IngestDeps, signal: AbortSignal) {
  if (file.bytes > deps.maxBytes)
    throw new DocumentError('too-large', `it has ${file.bytes} bytes, and files up to ${deps.maxBytes} are searched`)
  const parts = (await deps.store.forProject(job.projectId).files.blobsOf(job.fileId)) ?? []
  // Filled as it comes: to join a hundred megabytes at once would be felt by every request.
  const bytes = Buffer.alloc(file.bytes)
  let filled = 0
  for (const { key } of parts)
    for await (const piece of deps.blobs.read(key, signal)) {
      bytes.set(piece, filled)
      filled += piece.length
    }
  const { filename, mediaType } = file
  const { pages } = await deps.documents.readText({ filename, mediaType, bytes }, signal)
  if (!pages.some((page) => /\S/.test(page))) throw new DocumentError('empty', 'it holds no text')
  return pages
}

/** Null without an embedding model: then it is found by its words. */
export async function embedChunks(
  chunks: readonly Chunk[],
  { projectId, documentId }: Pick<IngestJob, 'projectId' | 'documentId'>,
  { embedder }: Pick<IngestDeps, 'embedder'>,
  signal: AbortSignal,
) {
  if (embedder === null) return null
  const of: EmbedFor = { projectId, keyId: INGEST_KEY, requestId: documentId, signal }
  const vectors: (readonly number[])[] = []
  for (let at = 0; at < chunks.length; at += TEXTS_PER_CALL) {
    const texts = chunks.slice(at, at + TEXTS_PER_CALL).map(({ text }) => text)
    vectors.push(...(await embedder.embed(texts, of)).vectors)
  }
  return { model: embedder.model, vectors }
}

/** It was detached, replaced or cancelled while it was read, or its whole store is gone. */
async function forgetDocument(job: IngestJob, { store, index }: IngestDeps): Promise<void> {
  const usable = await store.forProject(job.projectId).vectorStores.usable([job.storeId])
  if (usable.has(job.storeId)) await index.remove(job.storeId, job.documentId)
  else await index.drop(job.storeId)
}

const failed = (code: IngestError['code'], message: string): IngestEnd => ({
  status: 'failed',
  error: { code, message },
})

const MISSING = 'The content of the file is missing on this server. Upload it again, and attach the new file.'

/** What the file itself is to blame for; null: what may be different another time. */
function tellEnd(error: unknown): IngestError | null {
  if (error instanceof BlobMissing) return { code: 'server_error', message: MISSING }
  if (error instanceof DocumentError) {
    if (error.kind === 'busy') return null
    const code = error.kind === 'unsupported' ? 'unsupported_file' : 'invalid_file'
    return { code, message: `The file could not be read: ${error.message}.` }
  }
  // A model that is unknown or may not be used now may be there when its provider is.
  const isRefusal = error instanceof ApiError && error.status === 400 && error.param === 'input'
  return isRefusal ? { code: 'server_error', message: `The embedding model refused the file: ${error.message}` } : null
}
