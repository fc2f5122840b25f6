/**
 * Reciprocal rank fusion: a chunk gets a share for its place in each list, 1/(60 + place). The score is what it got of what
 * the first of both lists would get, so it lies between 0 and 1, and sorting by it is sorting by fusion.
 */
import type { Ranking } from '../search-index.ts'
import type { StoreFile } from './store-file.ts'

export type Ranked = {
  /** The same for the same chunk in both lists. */
  readonly key: string
  readonly seq: number
  /** From 0 to 1. */
  readonly score: number
  readonly store: { readonly storeId: string; readonly file: StoreFile }
}

const K = 60

/** Best first. Where one list is empty, the other counts with its own scores. */
export function fuse(words: readonly Ranked[], vectors: readonly Ranked[], ranking: Ranking): readonly Ranked[] {
  const lists = [words, vectors].map((list) => list.toSorted(better))
  const [byWords = [], byVectors = []] = lists
  if (byVectors.length === 0) return byWords
  if (ranking.type === 'plain' || byWords.length === 0) return byVectors
  const { textWeight, vectorWeight } = ranking
  const most = (textWeight + vectorWeight) / (K + 1)
  const fused = new Map<string, Ranked>()
  const add = (list: readonly Ranked[], weight: number) =>
    list.forEach((ranked, at) => {
      const share = weight / (K + 1 + at) / most
      fused.set(ranked.key, { ...ranked, score: Math.min(1, (fused.get(ranked.key)?.score ?? 0) + share) })
    })
  add(byWords, textWeight)
  add(byVectors, vectorWeight)
  return [...fused.values()].filter(({ score }) => score > 0).sort(better)
}

/** Equal ones in an order that does not change from search to search. */
const better = (a: Ranked, b: Ranked) => b.score - a.score || (a.key < b.key ? -1 : 1)
