/**
 * `truncation: "auto"`: drops the oldest turns until the context fits. System and developer messages stay, a summary
 * of the earlier conversation stays, the newest turn stays, and a turn goes as a whole, so a call never loses its output.
 */
import type { Item } from '../protocol/items.ts'
import { isSummaryMessage } from './compaction-seal.ts'

/** Splits a context into what always stays and turns that begin with a user message. */
function splitTurns<T extends Item>(
  items: readonly T[],
): { readonly fixed: ReadonlySet<T>; readonly turns: readonly T[][] } {
  const fixed = new Set<T>()
  const turns: T[][] = []
  let previousWasUser = false
  for (const item of items) {
    if (item.type === 'message' && (item.role === 'system' || item.role === 'developer' || isSummaryMessage(item))) {
      fixed.add(item)
      continue
    }
    const isUser = item.type === 'message' && item.role === 'user'
    const last = turns.at(-1)
    if (!last || (isUser && !previousWasUser)) turns.push([item])
    else last.push(item)
    previousWasUser = isUser
  }
  return { fixed, turns }
}

/**
 * The longest suffix of turns for which `fits` holds, found by bisection because counting tokens is not cheap; at
 * least the newest turn. Order is kept.
 */
export async function truncateItems<T extends Item>(
  items: readonly T[],
  fits: (items: readonly T[]) => Promise<boolean>,
): Promise<readonly T[]> {
  const { fixed, turns } = splitTurns(items)
  const without = (dropped: number) => {
    const kept = new Set(turns.slice(dropped).flat())
    return items.filter((item) => fixed.has(item) || kept.has(item))
  }
  let low = 0
  let high = Math.max(0, turns.length - 1)
  while (low < high) {
    const middle = (low + high) >> 1
    if (await fits(without(middle))) high = middle
    else low = middle + 1
  }
  return low === 0 ? items : without(low)
}
