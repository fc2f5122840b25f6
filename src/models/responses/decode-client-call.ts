/**
 * Calls of the API's own client tools -> calls of the functions that stand for them. They come whole: of what streams of
 * them nothing is needed.
 */
import { clientToolOfCall } from '../../protocol/client-items.ts'
import { CLIENT_TOOL_OF_TYPE } from '../../protocol/client-tools.ts'
import type { ModelTurn } from '../model.ts'
import { asFields, type Fields } from '../upstream/fields.ts'

/** The very same item where it is no such call, or none that was asked for. `isWhole`: before, its arguments are not known. */
export function asFunctionCall(item: Fields, tools: ModelTurn['tools'], isWhole: boolean): Fields {
  const name = nameOf(item, tools)
  if (name === null) return item
  const { id, call_id } = item
  return { type: 'function_call', id, call_id, name, arguments: isWhole ? JSON.stringify(argumentsOf(item)) : '' }
}

function nameOf({ type }: Fields, tools: ModelTurn['tools']): string | null {
  const wanted = clientToolOfCall(type)
  if (wanted === null) return null
  const declared = tools.find(
    (tool) => tool.type === 'function' && CLIENT_TOOL_OF_TYPE.get(tool.native?.type ?? '') === wanted,
  )
  return declared?.name ?? null
}

function argumentsOf(item: Fields): Fields {
  const { type, action, actions, operation, pending_safety_checks } = item
  if (type === 'apply_patch_call') return asFields(operation) ?? {}
  if (type === 'computer_call') return { ...(actions ? { actions } : { action }), pending_safety_checks }
  const { type: _, ...rest } = asFields(action) ?? {}
  return rest
}
