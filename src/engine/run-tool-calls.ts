/** Runs the calls of one turn, in the order the model made them, and says whether the model goes on. */
import type { Item } from '../protocol/items.ts'
import type { OfferedCall } from './run-turn.ts'

export type ToolCallsResult =
  /** No calls, or some that the client must run: the response ends. */
  | { readonly next: 'end' }
  /** All ran here: these items join the context of another turn. */
  | { readonly next: 'turn'; readonly items: readonly Item[] }

export async function runToolCalls(calls: readonly OfferedCall[], signal: AbortSignal): Promise<ToolCallsResult> {
  const items: Item[] = []
  let awaitsClient = calls.length === 0
  for (const { call, offered } of calls) {
    const outcome = await offered.tool.execute(call, signal)
    if (outcome.type === 'await-client') awaitsClient = true
    else items.push(...outcome.items)
  }
  return awaitsClient ? { next: 'end' } : { next: 'turn', items }
}
