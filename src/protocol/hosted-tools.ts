/** Tools of the API that a server runs itself: this one, or the provider behind it. As sent, and as echoed. */
import type { HostedItem, McpApprovalResponse } from './hosted-items.ts'
import { AnyObject, MapOf, Maybe, OneOf, type Static, Type } from './schema.ts'

const CONTEXT_SIZES = ['low', 'medium', 'high'] as const
const CallersSchema = Maybe(Type.Array(OneOf(['direct', 'programmatic']), { minItems: 1 }))
const location = {
  city: Maybe(Type.String()),
  country: Maybe(Type.String()),
  region: Maybe(Type.String()),
  timezone: Maybe(Type.String()),
}

export const WebSearchToolSchema = Type.Object({
  type: OneOf(['web_search', 'web_search_2025_08_26']),
  external_web_access: Type.Optional(Type.Boolean()),
  filters: Maybe(
    Type.Object({
      allowed_domains: Maybe(Type.Array(Type.String())),
      blocked_domains: Maybe(Type.Array(Type.String())),
    }),
  ),
  search_context_size: Type.Optional(OneOf(CONTEXT_SIZES)),
  user_location: Maybe(Type.Object({ type: Type.Optional(Type.Literal('approximate')), ...location })),
})
export const WebSearchPreviewToolSchema = Type.Object({
  type: OneOf(['web_search_preview', 'web_search_preview_2025_03_11']),
  search_content_types: Type.Optional(Type.Array(OneOf(['text', 'image']))),
  search_context_size: Type.Optional(OneOf(CONTEXT_SIZES)),
  user_location: Maybe(Type.Object({ type: Type.Literal('approximate'), ...location })),
})
export const FileSearchToolSchema = Type.Object({
  type: Type.Literal('file_search'),
  vector_store_ids: Type.Array(Type.String()),
  filters: Maybe(
    Type.Union([
      Type.Object({
        type: OneOf(['eq', 'ne', 'gt', 'gte', 'lt', 'lte', 'in', 'nin']),
        key: Type.String(),
        value: Type.Union([
          Type.String(),
          Type.Number(),
          Type.Boolean(),
          Type.Array(Type.Union([Type.String(), Type.Number()])),
        ]),
      }),
      Type.Object({ type: OneOf(['and', 'or']), filters: Type.Array(AnyObject()) }),
    ]),
  ),
  max_num_results: Type.Optional(Type.Number()),
  ranking_options: Type.Optional(
    Type.Object({
      ranker: Type.Optional(OneOf(['auto', 'default-2024-11-15'])),
      score_threshold: Type.Optional(Type.Number()),
      hybrid_search: Type.Optional(Type.Object({ embedding_weight: Type.Number(), text_weight: Type.Number() })),
    }),
  ),
})
const NetworkPolicySchema = Type.Union([
  Type.Object({ type: Type.Literal('disabled') }),
  Type.Object({
    type: Type.Literal('allowlist'),
    allowed_domains: Type.Array(Type.String()),
    domain_secrets: Type.Optional(
      Type.Array(Type.Object({ domain: Type.String(), name: Type.String(), value: Type.String() })),
    ),
  }),
])
const containerFields = {
  type: Type.Literal('auto'),
  file_ids: Type.Optional(Type.Array(Type.String())),
  memory_limit: Maybe(OneOf(['1g', '4g', '16g', '64g'])),
  network_policy: Type.Optional(NetworkPolicySchema),
}
export const CodeInterpreterToolSchema = Type.Object({
  type: Type.Literal('code_interpreter'),
  container: Type.Union([Type.String(), Type.Object(containerFields)]),
  allowed_callers: CallersSchema,
})
export const MAX_PARTIAL_IMAGES = 3
export const ImageGenerationToolSchema = Type.Object({
  type: Type.Literal('image_generation'),
  action: Type.Optional(OneOf(['generate', 'edit', 'auto'])),
  background: Type.Optional(OneOf(['transparent', 'opaque', 'auto'])),
  input_fidelity: Maybe(OneOf(['high', 'low'])),
  input_image_mask: Type.Optional(
    Type.Object({ file_id: Type.Optional(Type.String()), image_url: Type.Optional(Type.String()) }),
  ),
  model: Type.Optional(Type.String()),
  moderation: Type.Optional(OneOf(['auto', 'low'])),
  output_compression: Type.Optional(Type.Integer({ minimum: 0, maximum: 100 })),
  output_format: Type.Optional(OneOf(['png', 'webp', 'jpeg', 'gif', 'svg'])),
  partial_images: Type.Optional(Type.Integer({ minimum: 0, maximum: MAX_PARTIAL_IMAGES })),
  quality: Type.Optional(OneOf(['low', 'medium', 'high', 'xhigh', 'max', 'auto'])),
  size: Type.Optional(Type.String()),
})
const ToolFilterSchema = Type.Object({
  read_only: Type.Optional(Type.Boolean()),
  tool_names: Type.Optional(Type.Array(Type.String())),
})
export const McpToolSchema = Type.Object({
  type: Type.Literal('mcp'),
  server_label: Type.String(),
  allowed_callers: CallersSchema,
  allowed_tools: Maybe(Type.Union([Type.Array(Type.String()), ToolFilterSchema])),
  authorization: Type.Optional(Type.String()),
  /** One that the operator configured, or, where the provider runs it, one of the provider's own. */
  connector_id: Type.Optional(Type.String()),
  defer_loading: Type.Optional(Type.Boolean()),
  headers: Maybe(MapOf(Type.String())),
  require_approval: Maybe(
    Type.Union([
      OneOf(['always', 'never']),
      Type.Object({ always: Type.Optional(ToolFilterSchema), never: Type.Optional(ToolFilterSchema) }),
    ]),
  ),
  server_description: Type.Optional(Type.String()),
  server_url: Type.Optional(Type.String()),
  tunnel_id: Type.Optional(Type.String()),
})

export const HostedToolSchema = Type.Union(
  [
    WebSearchToolSchema,
    WebSearchPreviewToolSchema,
    FileSearchToolSchema,
    CodeInterpreterToolSchema,
    ImageGenerationToolSchema,
    McpToolSchema,
  ],
  { title: 'HostedTool' },
)
/** As sent: a missing `container` means one of the server's choice. */
export const CodeInterpreterToolParamSchema = Type.Object({
  ...CodeInterpreterToolSchema.properties,
  container: Maybe(CodeInterpreterToolSchema.properties.container),
})

/** What an operator switches on; tool types of several ages of the API may be one of them. */
export const HOSTED_TOOLS = ['web_search', 'file_search', 'code_interpreter', 'image_generation', 'mcp'] as const
export type HostedTool = (typeof HOSTED_TOOLS)[number]

export const HOSTED_TOOL_OF_TYPE: ReadonlyMap<string, HostedTool> = new Map([
  ['web_search', 'web_search'],
  ['web_search_2025_08_26', 'web_search'],
  ['web_search_preview', 'web_search'],
  ['web_search_preview_2025_03_11', 'web_search'],
  ['file_search', 'file_search'],
  ['code_interpreter', 'code_interpreter'],
  ['image_generation', 'image_generation'],
  ['mcp', 'mcp'],
])

const TOOL_OF_ITEM = {
  web_search_call: 'web_search',
  file_search_call: 'file_search',
  code_interpreter_call: 'code_interpreter',
  image_generation_call: 'image_generation',
  mcp_list_tools: 'mcp',
  mcp_call: 'mcp',
  mcp_approval_request: 'mcp',
  mcp_approval_response: 'mcp',
} as const satisfies Record<HostedItem['type'] | McpApprovalResponse['type'], HostedTool>
export const hostedToolOfItem = (type: keyof typeof TOOL_OF_ITEM): HostedTool => TOOL_OF_ITEM[type]

/** `tool_choice` that names one of them; OpenAI's own list has no `web_search`, its servers take it. */
export const HostedChoiceSchema = Type.Union([
  Type.Object({
    type: OneOf([
      'web_search',
      'web_search_preview',
      'web_search_preview_2025_03_11',
      'file_search',
      'code_interpreter',
      'image_generation',
    ]),
  }),
  /** Without a label any server may do. */
  Type.Object({ type: Type.Literal('mcp'), server_label: Type.Optional(Type.String()), name: Maybe(Type.String()) }),
])

export type HostedToolSpec = Static<typeof HostedToolSchema>
export type HostedChoice = Static<typeof HostedChoiceSchema>

/** The tool without what is nobody's business: secrets, and where exactly an MCP server is. */
export function withoutSecrets(tool: HostedToolSpec): HostedToolSpec {
  if (tool.type === 'code_interpreter') return { ...tool, container: withoutDomainSecrets(tool.container) }
  if (tool.type !== 'mcp') return tool
  const { authorization: _, headers: __, server_url: url, ...rest } = tool
  return { ...rest, ...(url === undefined ? {} : { server_url: originOf(url) }) }
}

type Container = Extract<HostedToolSpec, { type: 'code_interpreter' }>['container']

function withoutDomainSecrets(container: Container): Container {
  if (typeof container === 'string' || container.network_policy?.type !== 'allowlist') return container
  const { domain_secrets: _, ...network_policy } = container.network_policy
  return { ...container, network_policy }
}

const originOf = (url: string) => (URL.canParse(url) ? new URL(url).origin : '')
