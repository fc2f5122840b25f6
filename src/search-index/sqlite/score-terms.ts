/**
 * BM25 over the terms of one store. FTS5 finds the candidates; their scores are worked out again here, because those of
 * FTS5 have no upper bound, and are all but zero for a term that half of the chunks have, as in any small store.
 *
 * A score is the share of what the best thinkable chunk would reach: 1 is one that has every term of the query, often.
 */
import { analyzeText } from './analyze-text.ts'
import type { ScoredChunk } from './scan-vectors.ts'
import { numberOf, type StoreFile, textOf } from './store-file.ts'

const K1 = 1.2
const B = 0.75
/** Terms of a query that are looked at, and those that are looked for: the rarest. */
export const MAX_QUERY_TERMS = 256
export const MAX_SEARCHED_TERMS = 32
/** Candidates whose score is worked out. */
const MIN_CANDIDATES = 60

type Term = { readonly term: string; readonly chunks: number; readonly weight: number }
type Wanted = { readonly text: string; readonly limit: number; readonly documents: ReadonlySet<number> | null }

export function scoreTerms(file: StoreFile, { text, limit, documents }: Wanted): ScoredChunk[] {
  const totals = file.get('SELECT chunks, term_count FROM totals')
  const count = numberOf(totals?.chunks)
  if (count === 0) return []
  const terms = weigh(file, [...new Set(analyzeText(text))].slice(0, MAX_QUERY_TERMS), count)
  const averageTerms = Math.max(1, numberOf(totals?.term_count) / count)
  const best = terms.reduce((sum, { weight }) => sum + weight, 0) * (K1 + 1)
  return candidatesFor(file, terms, count, { documents, limit: Math.max(limit, MIN_CANDIDATES) })
    .map((row) => ({
      seq: numberOf(row.seq),
      score: Math.min(1, bm25(terms, textOf(row.text), averageTerms) / best),
    }))
    .sort((a, b) => b.score - a.score || a.seq - b.seq)
    .slice(0, limit)
}

/** Rare terms weigh more; one that no chunk has weighs most, and nobody gets its share. */
function weigh(file: StoreFile, terms: readonly string[], count: number): Term[] {
  return terms.map((term) => {
    const chunks = numberOf(file.get('SELECT doc FROM temp.vocabulary WHERE term = ?', term)?.doc)
    return { term, chunks, weight: Math.log(1 + (count - chunks + 0.5) / (chunks + 0.5)) }
  })
}

type Bounds = { readonly documents: ReadonlySet<number> | null; readonly limit: number }

/** What most chunks have tells little of one, and to go through them all takes long: it counts where the rest is not enough. */
function candidatesFor(file: StoreFile, terms: readonly Term[], count: number, bounds: Bounds) {
  const known = terms.filter(({ chunks }) => chunks > 0).sort((a, b) => a.chunks - b.chunks)
  const telling = known.filter(({ chunks }) => chunks <= count / 2)
  const found = telling.length > 0 ? findCandidates(file, telling, bounds) : []
  return known.length > telling.length && found.length < bounds.limit ? findCandidates(file, known, bounds) : found
}

function findCandidates(file: StoreFile, terms: readonly Term[], { documents, limit }: Bounds) {
  const match = terms
    .slice(0, MAX_SEARCHED_TERMS)
    .map(({ term }) => `"${term}"`)
    .join(' OR ')
  if (documents === null) {
    return file.all(
      `SELECT chunks.seq, chunks.text FROM (SELECT rowid FROM terms WHERE terms MATCH ? ORDER BY rank LIMIT ?) AS found
       JOIN chunks ON chunks.seq = found.rowid`,
      ...[match, limit],
    )
  }
  return file.all(
    `SELECT chunks.seq, chunks.text FROM terms JOIN chunks ON chunks.seq = terms.rowid
     WHERE terms MATCH ? AND chunks.document IN (SELECT value FROM json_each(?)) ORDER BY terms.rank LIMIT ?`,
    ...[match, JSON.stringify([...documents]), limit],
  )
}

function bm25(terms: readonly Term[], text: string, averageTerms: number): number {
  const found = analyzeText(text)
  const counts = new Map<string, number>()
  for (const term of found) counts.set(term, (counts.get(term) ?? 0) + 1)
  const length = 1 - B + (B * found.length) / averageTerms
  return terms.reduce((sum, { term, weight }) => {
    const times = counts.get(term) ?? 0
    return sum + (weight * times * (K1 + 1)) / (times + K1 * length)
  }, 0)
}
