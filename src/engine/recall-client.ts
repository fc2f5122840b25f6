/**
 * Calls of the tools that a client runs and that are no functions, and their outputs, as a model is shown them: as calls
 * of the function each tool stands for. `call_id`: where the item names its call by another id. `native`: the item itself,
 * for a provider that has the tool.
 */
import type { TurnItem } from '../models/model.ts'
import {
  type ClientCall,
  type ClientCallOutput,
  type ClientItem,
  clientToolOfItem,
  isClientCall,
} from '../protocol/client-items.ts'
import type { StoredPart } from '../protocol/content.ts'
import { tellCommands } from '../protocol/shell-output.ts'
import type { ToolParam } from '../protocol/tools.ts'
import { markForeign, namespacedName } from '../tools/tool.ts'

export type RecallClientOptions = {
  readonly call_id: string
  /** The commands ran here: what they said is a stranger's. */
  readonly isForeign: boolean
}

export function recallClient(
  item: ClientItem,
  { call_id, isForeign }: RecallClientOptions = { call_id: item.call_id, isForeign: false },
): TurnItem {
  const { id } = item
  const shared = { id, status: 'completed', call_id, native: { ...item, call_id } } as const
  if (!isClientCall(item)) {
    const output = outputOf(item)
    const told = isForeign && typeof output === 'string' ? markForeign('the commands', output) : output
    return { ...shared, type: 'function_call_output', output: told }
  }
  const name = clientToolOfItem(item.type)
  return { ...shared, type: 'function_call', name, arguments: JSON.stringify(argumentsOf(item)) }
}

/** What the model wrote, as far as it said anything. */
export function argumentsOf(call: ClientCall): object {
  switch (call.type) {
    case 'shell_call':
      return said(call.action)
    case 'local_shell_call': {
      const { type: _, env, ...action } = call.action
      return said({ ...action, env: Object.keys(env).length > 0 ? env : null })
    }
    case 'apply_patch_call':
      return call.operation
    case 'computer_call':
      return call.action ? { action: call.action } : { actions: call.actions ?? [] }
    case 'tool_search_call':
      return isObject(call.arguments) ? call.arguments : { arguments: call.arguments }
    default:
      return call satisfies never
  }
}

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const said = (fields: object) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null && value !== undefined))

function outputOf(item: ClientCallOutput): string | StoredPart[] {
  switch (item.type) {
    case 'shell_call_output':
      return tellCommands(item.output)
    case 'local_shell_call_output':
      return item.output
    case 'apply_patch_call_output': {
      const outcome = item.status === 'completed' ? 'The patch was applied.' : 'The patch was not applied.'
      return item.output ? `${outcome}\n${item.output}` : outcome
    }
    case 'computer_call_output': {
      const { image_url, file_id } = item.output
      return [
        { type: 'input_image', detail: 'auto', ...(image_url ? { image_url } : {}), ...(file_id ? { file_id } : {}) },
      ]
    }
    case 'tool_search_output':
      return tellFound(item.tools)
    default:
      return item satisfies never
  }
}

/** The tools themselves are offered from now on. */
export function tellFound(tools: readonly ToolParam[]): string {
  const names = tools.flatMap((tool) => {
    if (tool.type === 'namespace') return tool.tools.map(({ name }) => namespacedName(tool.name, name))
    if (tool.type === 'mcp') return namesOfServer(tool)
    return 'name' in tool ? [tool.name] : [tool.type]
  })
  return names.length === 0 ? 'No tool was found.' : `These tools can be called now: ${names.join(', ')}.`
}

function namesOfServer({ server_label, allowed_tools }: Extract<ToolParam, { type: 'mcp' }>): string[] {
  const names = Array.isArray(allowed_tools) ? allowed_tools : (allowed_tools?.tool_names ?? [])
  return names.map((name) => namespacedName(server_label, name))
}
