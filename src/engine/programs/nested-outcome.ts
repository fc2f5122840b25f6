/** What a call gave, as its program sees it: a function of the items alone, so that it is the same whenever it is asked. */
import type { HostedItem } from '../../protocol/hosted-items.ts'
import type { Item } from '../../protocol/items.ts'
import type { FunctionToolParam } from '../../protocol/tools.ts'
import type { DeclaredTool, NestedOutcome } from '../../tools/tool.ts'

const value = (given: unknown): NestedOutcome => ({ type: 'value', value: JSON.stringify(given) ?? 'null' })
const failure = (message: string): NestedOutcome => ({ type: 'error', message })

export const isRecord = (given: unknown): given is Readonly<Record<string, unknown>> =>
  typeof given === 'object' && given !== null && !Array.isArray(given)

/** An output of the client. */
export function outcomeOfOutput(output: Item, declared: DeclaredTool): NestedOutcome {
  switch (output.type) {
    case 'function_call_output':
    case 'custom_tool_call_output':
      return value(typeof output.output === 'string' ? readText(output.output, hasSchema(declared)) : output.output)
    case 'shell_call_output':
      return value(output.output)
    case 'apply_patch_call_output':
      return value({ status: output.status, output: output.output ?? '' })
    default:
      return failure('The call was answered with something else.')
  }
}

export const UNKNOWN = 'The server stopped while this call ran, and nobody knows whether it was carried out.'

/** A call that ran here, once it has ended. */
export function outcomeOfHosted(item: HostedItem): NestedOutcome {
  if (item.type === 'mcp_call') {
    if (item.error) {
      const { error } = item
      return failure(error.type === 'mcp_tool_execution_error' ? JSON.stringify(error.content) : error.message)
    }
    return item.status === 'completed' ? value(readText(item.output ?? '', false)) : failure(UNKNOWN)
  }
  if (item.type !== 'code_interpreter_call') return failure('This tool cannot be called by a program.')
  const outputs = item.outputs ?? []
  const logs = outputs.flatMap((output) => (output.type === 'logs' ? [output.logs] : [])).join('\n')
  if (item.status === 'incomplete') return failure(UNKNOWN)
  if (item.status !== 'completed') return failure(logs || 'The code could not be run.')
  return value({ logs, images: outputs.flatMap((output) => (output.type === 'image' ? [output.url] : [])) })
}

function hasSchema({ spec, name }: DeclaredTool): boolean {
  const isSchema = (tool: { readonly type: string }): tool is FunctionToolParam => tool.type === 'function'
  const own = spec.type === 'namespace' ? spec.tools.find((tool) => tool.name === name) : spec
  return own !== undefined && isSchema(own) && !!own.output_schema
}

/** Text that is JSON becomes its value: any where the tool says that it gives JSON, else objects and lists alone. */
function readText(text: string, isJson: boolean): unknown {
  try {
    const read: unknown = JSON.parse(text)
    return isJson || (typeof read === 'object' && read !== null) ? read : text
  } catch {
    return text
  }
}
