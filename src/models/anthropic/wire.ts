/** What we send, as the Messages API spells it. Replies are read from unknown JSON and have no types here. */

/** Without `ttl` it lives five minutes after its last use. */
export type CacheControl = { readonly type: 'ephemeral'; readonly ttl?: '1h' }
type Cacheable = { readonly cache_control?: CacheControl }

export type TextBlock = Cacheable & { readonly type: 'text'; readonly text: string }
export type Base64Source = { readonly type: 'base64'; readonly media_type: string; readonly data: string }
export type UrlSource = { readonly type: 'url'; readonly url: string }
export type ImageBlock = Cacheable & { readonly type: 'image'; readonly source: Base64Source | UrlSource }
export type DocumentBlock = Cacheable & {
  readonly type: 'document'
  readonly source:
    | Base64Source
    | UrlSource
    | { readonly type: 'text'; readonly media_type: string; readonly data: string }
  readonly title?: string
}
export type ContentBlock = TextBlock | ImageBlock | DocumentBlock
export type ToolUseBlock = Cacheable & {
  readonly type: 'tool_use'
  readonly id: string
  readonly name: string
  readonly input: Readonly<Record<string, unknown>>
}
export type ToolResultBlock = Cacheable & {
  readonly type: 'tool_result'
  readonly tool_use_id: string
  readonly content: string | readonly ContentBlock[]
  readonly is_error?: true
}
/** As the provider wrote it, whatever is in it: it is signed, and goes back unchanged. */
export type ThinkingBlock = {
  readonly type: 'thinking' | 'redacted_thinking'
  readonly [field: string]: unknown
}

export type UserBlock = ContentBlock | ToolResultBlock
export type AssistantBlock = ThinkingBlock | TextBlock | ToolUseBlock
export type Message =
  | { readonly role: 'user'; readonly content: readonly UserBlock[] }
  | { readonly role: 'assistant'; readonly content: readonly AssistantBlock[] }
  | { readonly role: 'system'; readonly content: readonly TextBlock[] }

export type AnthropicTool = Cacheable & {
  readonly name: string
  readonly description?: string
  readonly input_schema: Readonly<Record<string, unknown>>
  readonly strict?: true
}
export type AnthropicToolChoice =
  | { readonly type: 'none' }
  | { readonly type: 'auto' | 'any'; readonly disable_parallel_tool_use?: true }
  | { readonly type: 'tool'; readonly name: string; readonly disable_parallel_tool_use?: true }

export type ThinkingConfig =
  | { readonly type: 'disabled' | 'between_tools' }
  | { readonly type: 'enabled'; readonly budget_tokens: number }
  | {
      readonly type: 'adaptive'
      readonly display?: 'summarized' | 'omitted'
      readonly block_binding?: { readonly prefix_mismatch_behavior: 'drop_block' }
    }

export type MessagesRequest = Readonly<Record<string, unknown>> & {
  readonly model: string
  readonly max_tokens: number
  readonly stream: true
  readonly system?: readonly TextBlock[]
  readonly messages: readonly Message[]
  readonly tools?: readonly AnthropicTool[]
  readonly tool_choice?: AnthropicToolChoice
  readonly thinking?: ThinkingConfig
}
