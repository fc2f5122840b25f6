/** A call and its output belong together; a model that sees one without the other answers with an error. */
import { badRequest } from '../protocol/errors.ts'
import type { Item } from '../protocol/items.ts'

/** Calls that were cut off can never be answered and are not shown to a model again. */
export const isAbandonedCall = (item: Item) =>
  (item.type === 'function_call' || item.type === 'custom_tool_call') && item.status === 'incomplete'

/** Refuses a context in which a finished call has no output, or an output no call before it. */
export function checkPairs(items: readonly Item[]): void {
  const open = new Map<string, 'function' | 'custom tool'>()
  const calls = new Set<string>()
  for (const item of items) {
    switch (item.type) {
      case 'function_call':
      case 'custom_tool_call': {
        const kind = item.type === 'function_call' ? 'function' : 'custom tool'
        calls.add(item.call_id)
        open.set(item.call_id, kind)
        break
      }
      case 'function_call_output':
      case 'custom_tool_call_output': {
        const kind = item.type === 'function_call_output' ? 'function' : 'custom tool'
        if (!calls.has(item.call_id)) {
          throw badRequest('input', null, `No tool call found for ${kind} call output with call_id ${item.call_id}.`)
        }
        open.delete(item.call_id)
        break
      }
      default:
    }
  }
  const [unanswered] = open
  if (unanswered) throw badRequest('input', null, `No tool output found for ${unanswered[1]} call ${unanswered[0]}.`)
}
