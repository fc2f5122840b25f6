/** What a turn asks of a model, so that a fallback never goes to one that would have to drop something (law 17). */
import { HOSTED_TOOL_OF_TYPE } from '../protocol/hosted-tools.ts'
import type { Item } from '../protocol/items.ts'
import type { ModelCapabilities, ModelTurn } from './model.ts'

export function canServe(capabilities: ModelCapabilities, turn: ModelTurn): boolean {
  if (turn.tools.length > 0 && !capabilities.functionTools) return false
  if (!hasHostedTools(capabilities, turn)) return false
  if (turn.topLogprobs !== null && !capabilities.logprobs) return false
  if (!capabilities.imageInput && turn.items.some((item) => holds(item, 'input_image'))) return false
  return capabilities.fileInput || !turn.items.some((item) => holds(item, 'input_file'))
}

const hasHostedTools = ({ hostedTools = [] }: ModelCapabilities, { hosted }: ModelTurn): boolean =>
  (hosted?.tools ?? []).every(({ type }) => hostedTools.some((tool) => tool === HOSTED_TOOL_OF_TYPE.get(type)))

function holds(item: Item, type: 'input_image' | 'input_file'): boolean {
  if (item.type === 'message') return item.content.some((part) => part.type === type)
  if (item.type !== 'function_call_output' && item.type !== 'custom_tool_call_output') return false
  return typeof item.output !== 'string' && item.output.some((part) => part.type === type)
}
