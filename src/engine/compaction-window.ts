/**
 * Which items stay beside a compaction. The summary covers everything before it; what stays in its own words is what a
 * summary must not blur: system and developer messages, and the newest messages of the user, up to a size.
 *
 * Invariant: no output is shown without its call.
 */
import { isClientCall, isClientOutput } from '../protocol/client-items.ts'
import type { Item } from '../protocol/items.ts'
import { isAbandonedCall } from './check-pairs.ts'
import { type CompactionSeal, isSummaryMessage } from './compaction-seal.ts'

/** The most bytes of user messages kept beside a summary; a smaller window or threshold lowers it further. */
export const MAX_KEPT_BYTES = 64 * 1024

const bytesOf = (value: unknown) => Buffer.byteLength(JSON.stringify(value))

const isOutput = (item: Item) =>
  item.type === 'function_call_output' || item.type === 'custom_tool_call_output' || isClientOutput(item)
const isCall = (item: Item) => item.type === 'function_call' || item.type === 'custom_tool_call' || isClientCall(item)
const isStanding = (item: Item) => item.type === 'message' && (item.role === 'system' || item.role === 'developer')
const isUserMessage = (item: Item) => item.type === 'message' && item.role === 'user' && !isSummaryMessage(item)

/**
 * The context without what its newest compaction stands for; the very same list when there is none. What was kept when
 * it was made is kept later, unless a smaller window takes less now.
 */
export function dropCompacted(items: readonly Item[], maxBytes: number, seal: CompactionSeal): readonly Item[] {
  const at = items.findLastIndex((item) => item.type === 'compaction')
  if (at < 0) return items
  const [before, after] = [items.slice(0, at), items.slice(at)]
  const wanted = new Set(after.filter(isOutput).flatMap(callIdOf))
  const [compaction] = after
  const opened = compaction?.type === 'compaction' ? seal.open(compaction.encrypted_content) : null
  const kept = new Set(keptMessages(before, Math.min(maxBytes, opened?.keptBytes ?? maxBytes)))
  return [
    ...before.filter((item) => kept.has(item) || (isCall(item) && callIdOf(item).some((id) => wanted.has(id)))),
    ...after,
  ]
}

/**
 * What goes on of the history once a compaction among the `own` items of a response stands for it: what `dropCompacted`
 * shows of it now and may show later, and what no summary can stand for, because the server itself goes by it. Null
 * without a compaction.
 *
 * Invariant: what a model is shown of `[...carried, ...own]`, whatever comes after, is what it would be shown of
 * `[...history, ...own]`, while later compactions keep no more than this one.
 */
export function carriedItems(
  history: readonly Item[],
  own: readonly Item[],
  seal: CompactionSeal,
): readonly Item[] | null {
  if (!own.some((item) => item.type === 'compaction')) return null
  const items = [...history, ...own]
  const shown = new Set(dropCompacted(items, MAX_KEPT_BYTES, seal))
  const isWaiting = waitsFor(items)
  return history.filter((item) => shown.has(item) || isWaiting(item) || isToolList(item))
}

const isToolList = (item: Item) =>
  item.type === 'additional_tools' || item.type === 'mcp_list_tools' || item.type === 'tool_search_output'

/** Calls without their output, and requests for an approval that nobody has answered. */
function waitsFor(items: readonly Item[]): (item: Item) => boolean {
  const answered = new Set(
    items.flatMap((item) =>
      isOutput(item) ? callIdOf(item) : item.type === 'mcp_approval_response' ? [item.approval_request_id] : [],
    ),
  )
  return (item) => {
    if (item.type === 'mcp_approval_request') return !answered.has(item.id)
    return isCall(item) && !isAbandonedCall(item) && !callIdOf(item).some((id) => answered.has(id))
  }
}

const callIdOf = (item: Item): readonly string[] => ('call_id' in item ? [item.call_id] : [])

/** The messages that stay in their own words, in their order; of the user's the newest that fit into `maxBytes`. */
export function keptMessages<T extends Item>(items: readonly T[], maxBytes: number): readonly T[] {
  let room = maxBytes
  const kept: T[] = []
  for (const item of items.toReversed()) {
    if (isUserMessage(item)) {
      room -= bytesOf(item)
      if (room >= 0) kept.push(item)
    } else if (isStanding(item)) kept.push(item)
  }
  return kept.reverse()
}

/**
 * What a model needs in its own words to answer now: the last user message with everything after it or, where that is
 * too much, with the last step alone: the newest calls and their outputs.
 */
export function newestTurn<T extends Item>(items: readonly T[], maxBytes: number): readonly T[] {
  const at = items.findLastIndex(isUserMessage)
  const newest = items.slice(Math.max(at, 0))
  if (at >= 0 && bytesOf(newest) <= maxBytes) return newest
  const step = lastStep(newest)
  return at >= 0 ? [...newest.slice(0, 1), ...step.filter((item) => item !== newest[0])] : step
}

function lastStep<T extends Item>(items: readonly T[]): readonly T[] {
  const outputs = new Set<string>()
  for (const item of items.toReversed()) {
    if (isOutput(item)) for (const id of callIdOf(item)) outputs.add(id)
    else if (!isStanding(item)) break
  }
  let start = items.findIndex((item) => isCall(item) && callIdOf(item).some((id) => outputs.has(id)))
  if (start < 0) return []
  while (items[start - 1]?.type === 'reasoning') start -= 1
  return items.slice(start)
}
