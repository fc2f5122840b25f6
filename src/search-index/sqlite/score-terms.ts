/**
 * BM25 over the terms of one store. FTS5 finds the candidates; their scores are worked out again here, because those of
 * FTS5 have no upper bound, and are all but zero for a term that half of the chunks have, as in any small store.
 */
import { analyzeText } from '../ranking/analyze-text.ts'
import {
  B,
  bestScore,
  chooseTerms,
  K1,
  MAX_SEARCHED_TERMS,
  MIN_CANDIDATES,
  type Term,
  termsOf,
  weigh,
} from '../ranking/weigh-terms.ts'
import type { ScoredChunk } from './scan-vectors.ts'
import { numberOf, type StoreFile, textOf } from './store-file.ts'

type Wanted = { readonly text: string; readonly limit: number; readonly documents: ReadonlySet<number> | null }

export function scoreTerms(file: StoreFile, { text, limit, documents }: Wanted): ScoredChunk[] {
  const totals = file.get('SELECT chunks, term_count FROM totals')
  const count = numberOf(totals?.chunks)
  if (count === 0) return []
  const chunksOf = (term: string) => numberOf(file.get('SELECT doc FROM temp.vocabulary WHERE term = ?', term)?.doc)
  const terms = weigh(termsOf(text), chunksOf, count)
  const averageTerms = Math.max(1, numberOf(totals?.term_count) / count)
  const best = bestScore(terms)
  return candidatesFor(file, terms, count, { documents, limit: Math.max(limit, MIN_CANDIDATES) })
    .map((row) => ({
      seq: numberOf(row.seq),
      score: Math.min(1, bm25(terms, textOf(row.text), averageTerms) / best),
    }))
    .sort((a, b) => b.score - a.score || a.seq - b.seq)
    .slice(0, limit)
}

type Bounds = { readonly documents: ReadonlySet<number> | null; readonly limit: number }

function candidatesFor(file: StoreFile, terms: readonly Term[], count: number, bounds: Bounds) {
  const { known, telling } = chooseTerms(terms, count)
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
