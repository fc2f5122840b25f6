/**
 * Vectors that were read from disk, kept as they are compared: a block lies in the file in pieces of a page, and to put
 * them together for each search takes longer than to compare them.
 *
 * What a file holds is asked for again when another connection has written to it; blocks are known by the number of their
 * first chunk, which is never given twice in a file. Within the limit the stores that were searched last are kept; what
 * does not fit is read from disk each time.
 */
import { numberOf, type StoreFile } from './store-file.ts'

export interface VectorCache {
  /** Every block of vectors that are of this model and length. */
  blocks(file: StoreFile, wanted: WantedVectors): Iterable<VectorBlock>
  /** Nothing is kept of a file that is closed. */
  forget(file: StoreFile): void
}

export type WantedVectors = {
  readonly model: string
  readonly dimensions: number
  /** Another one than before: vectors were replaced. */
  readonly revision: number
}

/** The vectors of a document, one after the other. */
export type VectorBlock = { readonly document: number; readonly firstChunk: number; readonly vectors: Float32Array }

type Kept = WantedVectors & {
  readonly blocks: Map<number, VectorBlock>
  /** As the file was when its rows were listed. */
  version: number
  /** All documents that have vectors, also those whose block is not kept. */
  listed: readonly Listed[]
  bytes: number
}
type Listed = Omit<VectorBlock, 'vectors'>

const FLOAT_BYTES = Float32Array.BYTES_PER_ELEMENT

export function createVectorCache(maxBytes: number): VectorCache {
  /** Least recently searched first. */
  const files = new Map<StoreFile, Kept>()
  let bytes = 0

  const forget = (file: StoreFile) => {
    bytes -= files.get(file)?.bytes ?? 0
    files.delete(file)
  }
  const keep = (file: StoreFile, kept: Kept, block: VectorBlock) => {
    const size = block.vectors.byteLength
    for (const other of files.keys()) {
      if (bytes + size <= maxBytes || other === file) break
      forget(other)
    }
    if (bytes + size > maxBytes) return
    kept.blocks.set(block.firstChunk, block)
    kept.bytes += size
    bytes += size
  }
  const refresh = (file: StoreFile, kept: Kept, version: number) => {
    kept.listed = listBlocks(file, kept)
    kept.version = version
    const there = new Set(kept.listed.map(({ firstChunk }) => firstChunk))
    for (const [firstChunk, { vectors }] of kept.blocks) {
      if (there.has(firstChunk)) continue
      kept.blocks.delete(firstChunk)
      kept.bytes -= vectors.byteLength
      bytes -= vectors.byteLength
    }
  }
  return {
    forget,
    *blocks(file, wanted) {
      if (!isOf(files.get(file), wanted)) forget(file)
      const kept = files.get(file) ?? { ...wanted, blocks: new Map(), version: Number.NaN, listed: [], bytes: 0 }
      files.delete(file)
      files.set(file, kept)
      // Asked before its rows are: what is written in between is seen next time.
      const version = numberOf(file.get('PRAGMA data_version')?.data_version)
      if (version !== kept.version) refresh(file, kept, version)
      for (const listed of kept.listed) {
        const known = kept.blocks.get(listed.firstChunk)
        const block = known ?? readBlock(file, listed, wanted)
        if (block === null) continue
        if (known === undefined) keep(file, kept, block)
        yield block
      }
    },
  }
}

const isOf = (kept: Kept | undefined, { model, dimensions, revision }: WantedVectors): boolean =>
  kept !== undefined && kept.model === model && kept.dimensions === dimensions && kept.revision === revision

const listBlocks = (file: StoreFile, { model, dimensions }: WantedVectors): readonly Listed[] =>
  file
    .all(
      `SELECT vectors.document, documents.first_chunk FROM vectors JOIN documents ON documents.seq = vectors.document
       WHERE vectors.model = ? AND vectors.dimensions = ?`,
      ...[model, dimensions],
    )
    .map((row) => ({ document: numberOf(row.document), firstChunk: numberOf(row.first_chunk) }))

/** Null when it is gone, or another one, since it was listed. */
function readBlock(file: StoreFile, listed: Listed, { model, dimensions }: WantedVectors): VectorBlock | null {
  const row = file.get(
    `SELECT vectors.block FROM vectors JOIN documents ON documents.seq = vectors.document
     WHERE vectors.document = ? AND documents.first_chunk = ? AND vectors.model = ? AND vectors.dimensions = ?`,
    ...[listed.document, listed.firstChunk, model, dimensions],
  )
  return row?.block instanceof Uint8Array ? { ...listed, vectors: floatsOf(row.block) } : null
}

/** Blobs of the database begin where a float may begin; others are copied to where one may. */
function floatsOf(block: Uint8Array): Float32Array {
  const aligned = block.byteOffset % FLOAT_BYTES === 0 ? block : Uint8Array.from(block)
  return new Float32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / FLOAT_BYTES)
}
