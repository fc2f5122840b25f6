/**
 * How a list by words and a list by vectors become one. Their scores cannot be added: one list may rate everything between
 * 0.7 and 0.8. Places alone will not do either: where one list knows the answer and the other guesses, the guesses count
 * as much as the answer.
 *
 * So a chunk gets from each list how far it stands out there: its standard score, above the mean of the list. A list that
 * knows gives much to few, a list that guesses gives little to many. The score is what a chunk got of what the first of
 * both lists would get, so it lies between 0 and 1.
 */
import type { Ranking } from '../search-index.ts'

export type Ranked = {
  /** The same for the same chunk in both lists. */
  readonly key: string
  /** From 0 to 1. */
  readonly score: number
}

/** Places of each list that are fused, at least. */
export const MIN_LISTED = 50
/** Of its score, for a chunk that does not stand out: it is found nevertheless, after those that do, in its order. */
const LEAST = 0.001

/** Best first. Where one list is empty, the other counts with its own scores. */
export function fuse<R extends Ranked>(words: readonly R[], vectors: readonly R[], ranking: Ranking): readonly R[] {
  const lists = [words, vectors].map((list) => list.toSorted(better))
  const [byWords = [], byVectors = []] = lists
  if (byVectors.length === 0) return byWords
  if (ranking.type === 'plain' || byWords.length === 0) return byVectors
  const weighted = [
    { list: byWords, weight: ranking.textWeight },
    { list: byVectors, weight: ranking.vectorWeight },
  ].map(({ list, weight }) => ({ list, shares: standOut(list).map((share) => share * weight) }))
  const most = weighted.reduce((sum, { shares }) => sum + (shares[0] ?? 0), 0)
  const fused = new Map<string, R>()
  for (const { list, shares } of weighted) {
    list.forEach((ranked, at) => {
      const score = (fused.get(ranked.key)?.score ?? 0) + (shares[at] ?? 0) / most
      fused.set(ranked.key, { ...ranked, score: Math.min(1, score) })
    })
  }
  return [...fused.values()].filter(({ score }) => score > 0).sort(better)
}

/** In the order of the list. In a short one stands all that fits at all: the rest counts as chunks that score nothing. */
function standOut(list: readonly Ranked[]): number[] {
  const count = Math.max(list.length, MIN_LISTED)
  const mean = list.reduce((sum, { score }) => sum + score, 0) / count
  const squares = list.reduce((sum, { score }) => sum + (score - mean) ** 2, 0) + (count - list.length) * mean ** 2
  const deviation = Math.sqrt(squares / count)
  return list.map(({ score }) => LEAST * score + (deviation === 0 ? 0 : Math.max(0, (score - mean) / deviation)))
}

/** Equal ones in an order that does not change from search to search. */
const better = (a: Ranked, b: Ranked) => b.score - a.score || (a.key < b.key ? -1 : 1)
