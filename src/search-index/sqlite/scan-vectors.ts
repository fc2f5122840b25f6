/**
 * Vectors in blocks, one for each document, and an exact scan over them: it takes as long as there are vectors, and never
 * misses one.
 *
 * Vectors are stored with length 1, so the product of two is the cosine of their angle.
 */
import { toUnit } from '../ranking/unit-vectors.ts'
import type { StoreFile } from './store-file.ts'
import type { VectorCache } from './vector-cache.ts'

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
  /** Counts how often vectors of the store were replaced. */
  readonly revision: number
  readonly limit: number
  /** Null: all. */
  readonly documents: ReadonlySet<number> | null
}

/** The nearest chunks, best first; what points away scores 0 and is left out. */
export function scanVectors(
  file: StoreFile,
  cache: VectorCache,
  { model, values, revision, limit, documents }: Wanted,
): ScoredChunk[] {
  const query = toUnit(values)
  const best = createBest(limit)
  for (const { document, firstChunk, vectors } of cache.blocks(file, { model, dimensions: query.length, revision })) {
    if (documents !== null && !documents.has(document)) continue
    for (let at = 0, chunk = firstChunk; at < vectors.length; at += query.length, chunk++)
      best.offer(chunk, dot(query, vectors, at))
  }
  return best.take()
}

/** Four sums side by side: one alone waits for each of its additions, and takes twice as long. */
function dot(query: Float32Array, vectors: Float32Array, from: number): number {
  const even = query.length - (query.length % 4)
  let [a, b, c, d] = [0, 0, 0, 0]
  for (let at = 0; at < even; at += 4) {
    a += (query[at] ?? 0) * (vectors[from + at] ?? 0)
    b += (query[at + 1] ?? 0) * (vectors[from + at + 1] ?? 0)
    c += (query[at + 2] ?? 0) * (vectors[from + at + 2] ?? 0)
    d += (query[at + 3] ?? 0) * (vectors[from + at + 3] ?? 0)
  }
  for (let at = even; at < query.length; at++) a += (query[at] ?? 0) * (vectors[from + at] ?? 0)
  return a + b + c + d
}

/** The best so many, kept sorted: few are offered that get in. */
function createBest(limit: number) {
  const kept: ScoredChunk[] = []
  return {
    offer(seq: number, score: number): void {
      // Not a number is no likeness either.
      if (!(score > 0) || (kept.length === limit && score <= (kept.at(-1)?.score ?? 0))) return
      let at = kept.length
      while (at > 0 && (kept[at - 1]?.score ?? 0) < score) at--
      kept.splice(at, 0, { seq, score: Math.min(1, score) })
      if (kept.length > limit) kept.pop()
    },
    take: () => kept,
  }
}
