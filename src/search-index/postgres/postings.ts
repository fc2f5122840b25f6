/**
 * From the chunks of a document to rows of `search_postings`: for each term of a block of chunks one row, with a number for
 * each chunk that has it.
 *
 * A row for every term of every chunk would be ten times as many rows, which cost more than what they hold. The number of a
 * chunk is `position * 2^32 + times * 2^16 + terms`: its place in the document, how often it has the term, and how
 * many terms it has. So a score is worked out without looking at anything else.
 */

import { analyzeText } from '../ranking/analyze-text.ts'
import type { Chunk } from '../search-index.ts'

/** Chunks whose postings share rows, and that are written by one statement. */
export const BLOCK = 64
const FIELD = 2 ** 16
const MAX_FIELD = FIELD - 1
/** Chunks are taken apart so many at a time; between them others have their turn. */
const CHUNKS_AT_ONCE = 8

export type Block = {
  readonly block: number
  readonly chunks: readonly Chunk[]
  readonly postings: readonly { readonly term: string; readonly hits: readonly number[] }[]
  /** Of all its chunks. */
  readonly terms: number
}

export async function* toBlocks(chunks: readonly Chunk[]): AsyncGenerator<Block> {
  for (let block = 0; block * BLOCK < chunks.length; block++) {
    const own = chunks.slice(block * BLOCK, (block + 1) * BLOCK)
    const hits = new Map<string, number[]>()
    let terms = 0
    for (const [at, chunk] of own.entries()) {
      if (at % CHUNKS_AT_ONCE === 0) await new Promise((resolve) => setImmediate(resolve))
      terms += addHits(chunk.text, block * BLOCK + at, hits)
    }
    const postings = [...hits].map(([term, numbers]) => ({ term, hits: numbers }))
    yield { block, chunks: own, postings, terms }
  }
}

/** Answers how many terms the text has. */
function addHits(text: string, position: number, hits: Map<string, number[]>): number {
  const found = analyzeText(text)
  const times = new Map<string, number>()
  for (const term of found) times.set(term, (times.get(term) ?? 0) + 1)
  const length = Math.min(found.length, MAX_FIELD)
  for (const [term, count] of times) {
    const hit = (position * FIELD + Math.min(count, MAX_FIELD)) * FIELD + length
    const known = hits.get(term)
    if (known) known.push(hit)
    else hits.set(term, [hit])
  }
  return found.length
}
