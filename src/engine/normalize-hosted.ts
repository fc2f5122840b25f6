/** Items of hosted tools as clients send them back -> as we keep them. What they left out gets its empty value. */

import type { FileSearchResult, HostedItem, HostedItemParam, McpApprovalResponse } from '../protocol/hosted-items.ts'
import { keptCaller } from '../protocol/programs.ts'

/** An item that comes back is over, whatever its status says. */
const ended = <T extends string>(status: string | null | undefined, ends: readonly T[]): T | 'completed' =>
  ends.find((known) => known === status) ?? 'completed'

export function normalizeHosted(item: HostedItemParam, id: string): HostedItem | McpApprovalResponse {
  switch (item.type) {
    case 'web_search_call': {
      const action = item.action ?? { type: 'search' as const, queries: [] }
      return { id, type: item.type, status: ended(item.status, ['failed', 'incomplete']), action }
    }
    case 'file_search_call': {
      const results = item.results?.map(toResult) ?? null
      const status = ended(item.status, ['failed', 'incomplete'])
      return { id, type: item.type, status, queries: item.queries ?? [], results }
    }
    case 'code_interpreter_call': {
      const { container_id, code = null, outputs = null } = item
      const status = ended(item.status, ['failed', 'incomplete'])
      return { id, type: item.type, status, container_id, code, outputs, ...keptCaller(item) }
    }
    case 'image_generation_call': {
      const { type, result = null, status, id: _, ...told } = item
      return { id, type, status: ended(status, ['failed']), result, ...told }
    }
    case 'mcp_list_tools':
      return { id, type: item.type, server_label: item.server_label, tools: item.tools, error: item.error ?? null }
    case 'mcp_call': {
      const { type, server_label, name, arguments: input, output = null, approval_request_id = null } = item
      const status = ended(item.status, ['failed', 'incomplete'])
      const error = typeof item.error === 'string' ? oldError(item.error) : (item.error ?? null)
      const asked = { approval_request_id, ...keptCaller(item) }
      return { id, type, server_label, name, arguments: input, status, output, error, ...asked }
    }
    case 'mcp_approval_request':
      return {
        id,
        type: item.type,
        server_label: item.server_label,
        name: item.name,
        arguments: item.arguments,
        ...keptCaller(item),
      }
    case 'mcp_approval_response': {
      const { type, approval_request_id, approve, reason = null } = item
      return { id, type, approval_request_id, approve, reason }
    }
    default:
      return item satisfies never
  }
}

/** Errors were a text once, and some clients have kept such items. */
const oldError = (text: string) => ({
  type: 'mcp_tool_execution_error' as const,
  content: [{ type: 'text', text }],
})

const toResult = (given: Readonly<Record<string, unknown>>): FileSearchResult => ({
  file_id: textOf(given.file_id),
  filename: textOf(given.filename),
  text: textOf(given.text),
  score: typeof given.score === 'number' ? given.score : 0,
})
const textOf = (value: unknown) => (typeof value === 'string' ? value : '')
