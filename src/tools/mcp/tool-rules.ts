/** Which tools of a server a request may use, and which calls wait for its client's leave. */
import type { McpSpec } from './mcp-target.ts'

export type ListedTool = {
  readonly name: string
  readonly description: string | null
  readonly input_schema: unknown
  readonly annotations: unknown
}

type Filter = { readonly tool_names?: readonly string[]; readonly read_only?: boolean }

/** `allowed_tools`: everything, some names, or a filter. */
export function isAllowed(tool: ListedTool, { allowed_tools: allowed }: McpSpec): boolean {
  if (allowed === undefined || allowed === null) return true
  return isList(allowed) ? allowed.includes(tool.name) : fits(tool, allowed)
}

/**
 * `require_approval`: always, unless it says otherwise. A tool that both filters name waits, and so does one that none
 * names. What a server says of itself (`read_only`) only counts where the request asks to believe it.
 */
export function needsApproval(tool: ListedTool, { require_approval: rule }: McpSpec): boolean {
  if (rule === undefined || rule === null || rule === 'always') return true
  if (rule === 'never') return false
  if (rule.always && fits(tool, rule.always)) return true
  return !(rule.never && fits(tool, rule.never))
}

/** All that a filter says must be so; one that says nothing fits nothing. */
function fits(tool: ListedTool, { tool_names, read_only }: Filter): boolean {
  if (tool_names === undefined && read_only === undefined) return false
  if (tool_names !== undefined && !tool_names.includes(tool.name)) return false
  return read_only === undefined || isReadOnly(tool) === read_only
}

const isReadOnly = ({ annotations }: ListedTool): boolean =>
  typeof annotations === 'object' && annotations !== null && 'readOnlyHint' in annotations
    ? annotations.readOnlyHint === true
    : false

const isList = (allowed: readonly string[] | Filter): allowed is readonly string[] => Array.isArray(allowed)
