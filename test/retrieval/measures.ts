/** How good a list of answers is, as the field measures it, and the textbook BM25 that others are held against. */
import type { CorpusChunk, CorpusQuery } from './make-corpus.ts'

const DEPTH = 10

export type Quality = { readonly recall: number; readonly ndcg: number }
/** The ids of chunks, best first. */
export type Ranking = readonly number[]

/** The share of what answers that is among the first ten. */
export function recallAt10(ranking: Ranking, { grades }: Pick<CorpusQuery, 'grades'>): number {
  const found = ranking.slice(0, DEPTH).filter((id) => grades.has(id)).length
  return found / Math.min(grades.size, DEPTH)
}

/** What the first ten bring, less the further down it stands, of what the best order would bring. */
export function ndcgAt10(ranking: Ranking, { grades }: Pick<CorpusQuery, 'grades'>): number {
  const gain = (sorted: readonly number[]) =>
    sorted.slice(0, DEPTH).reduce((sum, grade, at) => sum + (2 ** grade - 1) / Math.log2(at + 2), 0)
  return gain(ranking.map((id) => grades.get(id) ?? 0)) / gain([...grades.values()].sort((a, b) => b - a))
}

export function qualityOf(queries: readonly CorpusQuery[], rankings: readonly Ranking[]): Quality {
  const mean = (measure: typeof recallAt10) =>
    queries.reduce((sum, query, at) => sum + measure(rankings[at] ?? [], query), 0) / queries.length
  return { recall: mean(recallAt10), ndcg: mean(ndcgAt10) }
}

const K1 = 1.2
const B = 0.75

/** Words as they stand, in small letters; every chunk is scored. */
export function createTextbookBm25(chunks: readonly CorpusChunk[]): (query: string) => Ranking {
  const documents = chunks.map(({ id, text }) => ({ id, counts: countsOf(text) }))
  const average = documents.reduce((sum, { counts }) => sum + sizeOf(counts), 0) / documents.length
  const having = countsOf('')
  for (const { counts } of documents) for (const word of counts.keys()) having.set(word, (having.get(word) ?? 0) + 1)
  const score = (word: string, counts: ReadonlyMap<string, number>) => {
    const times = counts.get(word) ?? 0
    const n = having.get(word) ?? 0
    const weight = Math.log(1 + (documents.length - n + 0.5) / (n + 0.5))
    return (weight * times * (K1 + 1)) / (times + K1 * (1 - B + (B * sizeOf(counts)) / average))
  }
  return (query) => {
    const words = [...countsOf(query).keys()]
    return documents
      .map(({ id, counts }) => ({ id, score: words.reduce((sum, word) => sum + score(word, counts), 0) }))
      .filter((scored) => scored.score > 0)
      .sort((a, b) => b.score - a.score || a.id - b.id)
      .map(({ id }) => id)
  }
}

function countsOf(text: string): Map<string, number> {
  const counts = new Map<string, number>()
  for (const [word] of text.toLowerCase().matchAll(/[\p{L}\p{N}]+/gu)) counts.set(word, (counts.get(word) ?? 0) + 1)
  return counts
}

const sizeOf = (counts: ReadonlyMap<string, number>) => [...counts.values()].reduce((sum, count) => sum + count, 0)
