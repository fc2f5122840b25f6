/**
 * Items of the tools that a server runs: what was called, how far it came, what it gave. In the two forms of every item:
 * as we store and list them, and, looser, as clients send them back.
 */
import { MAX_TEXT_CHARS } from './content.ts'
import { CallerSchema } from './programs.ts'
import { AnyObject, AnyValue, MapOf, Maybe, Nullable, OneOf, type Static, type TProperties, Type } from './schema.ts'

const loose = { id: Maybe(Type.String()), status: Maybe(Type.String()) }
const Text = Type.String({ maxLength: MAX_TEXT_CHARS })

const stored = <const T extends string, P extends TProperties>(type: T, fields: P) =>
  Type.Object({ id: Type.String(), type: Type.Literal(type), ...fields })
/** Where a program made the call. */
const storedCaller = { caller: Type.Optional(CallerSchema) }
const caller = { caller: Maybe(CallerSchema) }
const param = <const T extends string, P extends TProperties>(type: T, fields: P) =>
  Type.Object({ ...loose, type: Type.Literal(type), ...fields })

// ---- web search -----------------------------------------------------------------------------------------------

const SourceSchema = Type.Object({ type: Type.Literal('url'), url: Type.String() })
export const WebSearchActionSchema = Type.Union([
  Type.Object({
    type: Type.Literal('search'),
    query: Type.Optional(Type.String()),
    queries: Type.Optional(Type.Array(Type.String())),
    /** Only for those who ask for `web_search_call.action.sources`. */
    sources: Type.Optional(Type.Array(SourceSchema)),
  }),
  Type.Object({ type: Type.Literal('open_page'), url: Maybe(Type.String()) }),
  Type.Object({ type: Type.Literal('find_in_page'), url: Type.String(), pattern: Type.String() }),
])
export const WebSearchCallSchema = stored('web_search_call', {
  status: OneOf(['in_progress', 'searching', 'completed', 'failed', 'incomplete']),
  action: WebSearchActionSchema,
})
export const WebSearchCallParamSchema = param('web_search_call', { action: Maybe(WebSearchActionSchema) })

// ---- file search ----------------------------------------------------------------------------------------------

export const FileSearchResultSchema = Type.Object({
  file_id: Type.String(),
  filename: Type.String(),
  text: Type.String(),
  /** From 0 to 1. */
  score: Type.Number(),
  attributes: Maybe(MapOf(Type.Union([Type.String(), Type.Number(), Type.Boolean()]))),
})
export const FileSearchCallSchema = stored('file_search_call', {
  status: OneOf(['in_progress', 'searching', 'completed', 'incomplete', 'failed']),
  queries: Type.Array(Type.String()),
  /** Null for those who do not ask for `file_search_call.results`. */
  results: Type.Optional(Nullable(Type.Array(FileSearchResultSchema))),
})
export const FileSearchCallParamSchema = param('file_search_call', {
  queries: Maybe(Type.Array(Type.String())),
  results: Maybe(Type.Array(AnyObject())),
})

// ---- code interpreter -----------------------------------------------------------------------------------------

export const CodeOutputSchema = Type.Union([
  Type.Object({ type: Type.Literal('logs'), logs: Type.String() }),
  Type.Object({ type: Type.Literal('image'), url: Type.String() }),
])
export const CodeInterpreterCallSchema = stored('code_interpreter_call', {
  ...storedCaller,
  status: OneOf(['in_progress', 'interpreting', 'completed', 'incomplete', 'failed']),
  container_id: Type.String(),
  code: Nullable(Type.String()),
  /** Null for those who do not ask for `code_interpreter_call.outputs`. */
  outputs: Nullable(Type.Array(CodeOutputSchema)),
})
export const CodeInterpreterCallParamSchema = param('code_interpreter_call', {
  ...caller,
  container_id: Type.String(),
  code: Maybe(Text),
  outputs: Maybe(Type.Array(CodeOutputSchema)),
})

// ---- image generation -----------------------------------------------------------------------------------------

const imageFields = {
  action: Maybe(OneOf(['generate', 'edit', 'auto'])),
  background: Maybe(OneOf(['transparent', 'opaque', 'auto'])),
  output_format: Maybe(OneOf(['png', 'webp', 'jpeg', 'gif', 'svg'])),
  quality: Maybe(OneOf(['low', 'medium', 'high', 'xhigh', 'max', 'auto'])),
  revised_prompt: Maybe(Type.String()),
  size: Maybe(Type.String()),
}
export const ImageGenerationCallSchema = stored('image_generation_call', {
  status: OneOf(['in_progress', 'generating', 'completed', 'failed']),
  /** Base64; null until it is there. */
  result: Nullable(Type.String()),
  ...imageFields,
})
export const ImageGenerationCallParamSchema = param('image_generation_call', {
  result: Maybe(Type.String()),
  ...imageFields,
})

// ---- MCP ------------------------------------------------------------------------------------------------------

export const McpToolSchema = Type.Object({
  name: Type.String(),
  description: Maybe(Type.String()),
  input_schema: AnyValue(),
  annotations: Type.Optional(AnyValue()),
})
export const McpListToolsSchema = stored('mcp_list_tools', {
  server_label: Type.String(),
  tools: Type.Array(McpToolSchema),
  error: Type.Optional(Nullable(Type.String())),
})
export const McpListToolsParamSchema = param('mcp_list_tools', {
  server_label: Type.String(),
  tools: Type.Array(McpToolSchema),
  error: Maybe(Type.String()),
})
export const McpErrorSchema = Type.Union([
  Type.Object({ type: Type.Literal('mcp_protocol_error'), code: Type.Integer(), message: Type.String() }),
  Type.Object({ type: Type.Literal('mcp_tool_execution_error'), content: AnyValue() }),
  Type.Object({ type: Type.Literal('http_error'), code: Type.Integer(), message: Type.String() }),
])
const mcpFields = { server_label: Type.String(), name: Type.String(), arguments: Text }
export const McpCallSchema = stored('mcp_call', {
  ...storedCaller,
  ...mcpFields,
  status: OneOf(['in_progress', 'calling', 'completed', 'incomplete', 'failed']),
  output: Type.Optional(Nullable(Type.String())),
  error: Type.Optional(Nullable(McpErrorSchema)),
  approval_request_id: Type.Optional(Nullable(Type.String())),
})
export const McpCallParamSchema = param('mcp_call', {
  ...caller,
  ...mcpFields,
  output: Maybe(Text),
  error: Maybe(Type.Union([McpErrorSchema, Type.String()])),
  approval_request_id: Maybe(Type.String()),
})
export const McpApprovalRequestSchema = stored('mcp_approval_request', { ...mcpFields, ...storedCaller })
export const McpApprovalRequestParamSchema = param('mcp_approval_request', { ...mcpFields, ...caller })
const approval = { approval_request_id: Type.String({ minLength: 1 }), approve: Type.Boolean() }
export const McpApprovalResponseSchema = stored('mcp_approval_response', {
  ...approval,
  reason: Type.Optional(Nullable(Type.String())),
})
export const McpApprovalResponseParamSchema = param('mcp_approval_response', {
  ...approval,
  reason: Maybe(Type.String()),
})

// ---- together -------------------------------------------------------------------------------------------------

export const HOSTED_PARAM_SCHEMAS = [
  WebSearchCallParamSchema,
  FileSearchCallParamSchema,
  CodeInterpreterCallParamSchema,
  ImageGenerationCallParamSchema,
  McpListToolsParamSchema,
  McpCallParamSchema,
  McpApprovalRequestParamSchema,
  McpApprovalResponseParamSchema,
] as const

/** What a run may produce; an approval comes from the client. */
export const HOSTED_OUTPUT_SCHEMAS = [
  WebSearchCallSchema,
  FileSearchCallSchema,
  CodeInterpreterCallSchema,
  ImageGenerationCallSchema,
  McpListToolsSchema,
  McpCallSchema,
  McpApprovalRequestSchema,
] as const

export type WebSearchCall = Static<typeof WebSearchCallSchema>
export type FileSearchCall = Static<typeof FileSearchCallSchema>
export type FileSearchResult = Static<typeof FileSearchResultSchema>
export type CodeInterpreterCall = Static<typeof CodeInterpreterCallSchema>
export type ImageGenerationCall = Static<typeof ImageGenerationCallSchema>
export type McpListTools = Static<typeof McpListToolsSchema>
export type McpCall = Static<typeof McpCallSchema>
export type McpError = Static<typeof McpErrorSchema>
export type McpApprovalRequest = Static<typeof McpApprovalRequestSchema>
export type McpApprovalResponse = Static<typeof McpApprovalResponseSchema>

/** Items that a server's own tools produce. */
export type HostedItem =
  | WebSearchCall
  | FileSearchCall
  | CodeInterpreterCall
  | ImageGenerationCall
  | McpListTools
  | McpCall
  | McpApprovalRequest
export type HostedItemParam = Static<(typeof HOSTED_PARAM_SCHEMAS)[number]>

export const HOSTED_ID_PREFIX = {
  web_search_call: 'ws',
  file_search_call: 'fs',
  code_interpreter_call: 'ci',
  image_generation_call: 'ig',
  mcp_list_tools: 'mcpl',
  mcp_call: 'mcp',
  mcp_approval_request: 'mcpr',
  mcp_approval_response: 'mcpa',
} as const satisfies Record<HostedItem['type'] | McpApprovalResponse['type'], string>

export const isHostedItem = (item: { readonly type?: string | null }): item is HostedItem =>
  item.type !== 'mcp_approval_response' && Object.hasOwn(HOSTED_ID_PREFIX, item.type ?? '')

/** While it is worked on; items without a status are whole when they are shown. */
const OPEN_STATUSES: ReadonlySet<string> = new Set([
  'in_progress',
  'searching',
  'interpreting',
  'generating',
  'calling',
])
export const isOpenStatus = (status: string | undefined): boolean => status === undefined || OPEN_STATUSES.has(status)

/** The item as it began, before anything was streamed of it. */
export function openedItem(item: HostedItem): HostedItem {
  switch (item.type) {
    case 'mcp_list_tools':
    case 'mcp_approval_request':
      return item
    case 'code_interpreter_call':
      return { ...item, status: 'in_progress', code: '', outputs: null }
    case 'mcp_call':
      return { ...item, status: 'in_progress', arguments: '', output: null, error: null }
    case 'image_generation_call':
      return { ...item, status: 'in_progress', result: null }
    default:
      return { ...item, status: 'in_progress' }
  }
}

/** The item as it stays when its run ended before it did. */
export function abandonedItem(item: HostedItem): HostedItem {
  switch (item.type) {
    case 'mcp_list_tools':
    case 'mcp_approval_request':
      return item
    case 'image_generation_call':
      return { ...item, status: 'failed' }
    default:
      return { ...item, status: 'incomplete' }
  }
}
