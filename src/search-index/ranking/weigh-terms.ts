/**
 * BM25, as every index of ours counts it. A score is the share of what the best thinkable chunk would reach: 1 is one that
 * has every term of the query, often.
 */
import { analyzeText } from './analyze-text.ts'

export const K1 = 1.2
export const B = 0.75
/** Terms of a query that are looked at, and those that are looked for: the rarest. */
export const MAX_QUERY_TERMS = 256
export const MAX_SEARCHED_TERMS = 32
/** Candidates whose score is worked out. */
export const MIN_CANDIDATES = 60

/** `chunks`: how many have it. */
export type Term = { readonly term: string; readonly chunks: number; readonly weight: number }

export const termsOf = (query: string): readonly string[] => [...new Set(analyzeText(query))].slice(0, MAX_QUERY_TERMS)

/** Rare terms weigh more; one that no chunk has weighs most, and nobody gets its share. `count`: all chunks. */
export function weigh(terms: readonly string[], chunksOf: (term: string) => number, count: number): readonly Term[] {
  return terms.map((term) => {
    const chunks = chunksOf(term)
    return { term, chunks, weight: Math.log(1 + (count - chunks + 0.5) / (chunks + 0.5)) }
  })
}

/** What the best thinkable chunk has. */
export const bestScore = (terms: readonly Term[]): number =>
  terms.reduce((sum, { weight }) => sum + weight, 0) * (K1 + 1)

/** What most chunks have tells little of one, and to go through them all takes long: it counts where the rest is not enough. */
export function chooseTerms(terms: readonly Term[], count: number) {
  const known = terms.filter(({ chunks }) => chunks > 0).sort((a, b) => a.chunks - b.chunks)
  return { known, telling: known.filter(({ chunks }) => chunks <= count / 2) }
}
