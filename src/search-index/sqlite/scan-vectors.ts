/**
 * Vectors in blocks, one for each document, and an exact scan over them: it takes as long as there are vectors, and never
 * misses one.
 *
 * Vectors are stored with length 1, so the product of two is the cosine of their angle.
 */
import { toUnit } from '../ranking/unit-vectors.ts'
import { numberOf, type StoreFile } from './store-file.ts'

const FLOAT_BYTES = Float32Array.BYTES_PER_ELEMENT

export type ScoredChunk = { readonly seq: number; readonly score: number }

export function packVectors(vectors: readonly (readonly number[])[]): Uint8Array {
  const dimensions = vectors[0]?.length ?? 0
  const block = new Float32Array(vectors.length * dimensions)
  for (const [at, vector] of vectors.entries()) block.set(toUnit(vector), at * dimensions)
  return new Uint8Array(block.buffer)
}

type Wanted = {
  readonly model: string
  readonly values: readonly number[]
  readonly limit: number
  /** Null: all. */
  readonly documents: ReadonlySet<number> | null
}

/** The nearest chunks, best first; what points away scores 0 and is left out. */
export function scanVectors(file: StoreFile, { model, values, limit, documents }: Wanted): ScoredChunk[] {
  const query = toUnit(values)
  const best = createBest(limit)
  const rows = file.iterate(
    `SELECT vectors.document, vectors.block, documents.first_chunk FROM vectors
     JOIN documents ON documents.seq = vectors.document WHERE vectors.model = ? AND vectors.dimensions = ?`,
    ...[model, query.length],
  )
  for (const { document, block, first_chunk: first } of rows) {
    if (!(block instanceof Uint8Array) || (documents !== null && !documents.has(numberOf(document)))) continue
    const vectors = floatsOf(block)
    for (let at = 0, chunk = numberOf(first); at < vectors.length; at += query.length, chunk++)
      best.offer(chunk, dot(query, vectors, at))
  }
  return best.take()
}

/** Blobs of the database begin where a float may begin; others are copied to where one may. */
function floatsOf(block: Uint8Array): Float32Array {
  const aligned = block.byteOffset % FLOAT_BYTES === 0 ? block : Uint8Array.from(block)
  return new Float32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / FLOAT_BYTES)
}

function dot(query: Float32Array, vectors: Float32Array, from: number): number {
  let sum = 0
  for (let at = 0; at < query.length; at++) sum += (query[at] ?? 0) * (vectors[from + at] ?? 0)
  return sum
}

/** The best so many, kept sorted: few are offered that get in. */
function createBest(limit: number) {
  const kept: ScoredChunk[] = []
  return {
    offer(seq: number, score: number): void {
      if (score <= 0 || (kept.length === limit && score <= (kept.at(-1)?.score ?? 0))) return
      let at = kept.length
      while (at > 0 && (kept[at - 1]?.score ?? 0) < score) at--
      kept.splice(at, 0, { seq, score: Math.min(1, score) })
      if (kept.length > limit) kept.pop()
    },
    take: () => kept,
  }
}
