/**
 * Calls of hosted tools in earlier turns as a model is shown them. A model knows functions only: it sees a call and what
 * it gave. Some providers take no calls when no tools are offered; then it is told in words.
 */
import type { TurnItem } from '../models/model.ts'
import type { HostedItem, McpApprovalRequest, McpApprovalResponse, McpError } from '../protocol/hosted-items.ts'
import { markForeign, mcpSource, namespacedName } from '../tools/tool.ts'

type Recalled = { readonly name: string; readonly input: object | string; readonly output: string }

export type RecallOptions = {
  readonly offersTools: boolean
  /** The tool is the provider's own, and it may use it now: then it gets its own item, and others the words. */
  readonly isProviders: boolean
}

export function recallHosted(
  item: HostedItem | McpApprovalResponse,
  { offersTools, isProviders }: RecallOptions,
): TurnItem[] {
  const recalled = recall(item)
  if (isProviders) {
    const said = recalled === null ? JSON.stringify(item) : recalled.output
    return [{ ...note(item.id, `[A tool was used: ${recalled?.name ?? item.type}]\n${said}`), recalled: item }]
  }
  if (recalled === null) return []
  return pairOf(item.id, recalled, offersTools)
}

/** A call that the client did not allow. `request`: what it was asked. */
export function recallDenied(
  request: McpApprovalRequest,
  { reason }: McpApprovalResponse,
  { offersTools }: Pick<RecallOptions, 'offersTools'>,
): TurnItem[] {
  const name = namespacedName(request.server_label, request.name)
  const output = `The user did not allow this call, so it was not run.${reason ? ` The reason: ${reason}` : ''}`
  return pairOf(request.id, { name, input: request.arguments, output }, offersTools)
}

function pairOf(id: string, recalled: Recalled, offersTools: boolean): TurnItem[] {
  const { name, output } = recalled
  const input = typeof recalled.input === 'string' ? recalled.input : JSON.stringify(recalled.input)
  if (!offersTools) return [note(id, `[The tool ${name} was called with ${input} and answered:]\n${output}`)]
  const call = { status: 'completed', call_id: id } as const
  return [
    { id, type: 'function_call', ...call, name, arguments: input },
    { id, type: 'function_call_output', ...call, output },
  ]
}

const note = (id: string, text: string): TurnItem => ({
  id,
  type: 'message',
  status: 'completed',
  role: 'user',
  content: [{ type: 'input_text', text }],
})

const FOUND_BEFORE = 'What it found is in the answer after it.'

/** Null for what says nothing to a model. */
function recall(item: HostedItem | McpApprovalResponse): Recalled | null {
  switch (item.type) {
    case 'web_search_call': {
      const { type, ...input } = item.action
      return {
        name: 'web_search',
        input: { action: type, ...input },
        output: FOUND_BEFORE,
      }
    }
    case 'file_search_call': {
      if (!item.results) {
        return { name: 'file_search', input: { queries: item.queries }, output: FOUND_BEFORE }
      }
      const found = item.results.map(({ filename, text }) => `[${filename}]\n${text}`).join('\n\n')
      return { name: 'file_search', input: { queries: item.queries }, output: found || 'Nothing was found.' }
    }
    case 'code_interpreter_call': {
      const logs = item.outputs?.map((output) => (output.type === 'logs' ? output.logs : '[an image]')).join('\n')
      const output = item.outputs ? logs || 'It printed nothing.' : 'What it printed was not kept.'
      return { name: 'code_interpreter', input: { code: item.code ?? '' }, output }
    }
    case 'image_generation_call': {
      const output = item.status === 'completed' ? 'The image was made and shown.' : 'No image was made.'
      return { name: 'image_generation', input: { prompt: item.revised_prompt ?? '' }, output }
    }
    case 'mcp_call': {
      const name = namespacedName(item.server_label, item.name)
      const output = item.error ? `Error: ${errorText(item.error)}` : (item.output ?? '')
      return { name, input: item.arguments, output: markForeign(mcpSource(item.server_label), output) }
    }
    case 'mcp_list_tools':
    case 'mcp_approval_request':
    case 'mcp_approval_response':
      return null
    default:
      return item satisfies never
  }
}

const errorText = (error: McpError): string =>
  error.type === 'mcp_tool_execution_error' ? JSON.stringify(error.content) : error.message
