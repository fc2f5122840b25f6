/** What we send, as Chat Completions spells it. Replies are read from unknown JSON and have no types here. */

export type ChatTextPart = { readonly type: 'text'; readonly text: string }
export type ChatImagePart = {
  readonly type: 'image_url'
  readonly image_url: { readonly url: string; readonly detail?: 'low' | 'high' }
}
export type ChatFilePart = {
  readonly type: 'file'
  readonly file: { readonly filename: string; readonly file_data: string }
}
export type ChatPart = ChatTextPart | ChatImagePart | ChatFilePart

export type ChatToolCall =
  | {
      readonly id: string
      readonly type: 'function'
      readonly function: { readonly name: string; readonly arguments: string }
      readonly extra_content?: unknown
    }
  | { readonly id: string; readonly type: 'custom'; readonly custom: { readonly name: string; readonly input: string } }

export type ChatAssistantMessage = {
  readonly role: 'assistant'
  readonly content: string | null
  readonly refusal?: string
  readonly tool_calls?: readonly ChatToolCall[]
  readonly reasoning_content?: string
  readonly reasoning?: string
  readonly reasoning_details?: readonly unknown[]
}
export type ChatMessage =
  | { readonly role: 'system' | 'developer'; readonly content: string }
  | { readonly role: 'user'; readonly content: string | readonly ChatPart[] }
  | ChatAssistantMessage
  | { readonly role: 'tool'; readonly tool_call_id: string; readonly content: string }

export type ChatTool =
  | {
      readonly type: 'function'
      readonly function: {
        readonly name: string
        readonly description?: string
        readonly parameters: Readonly<Record<string, unknown>>
        readonly strict?: true
      }
    }
  | {
      readonly type: 'custom'
      readonly custom: { readonly name: string; readonly description?: string; readonly format?: unknown }
    }

export type ChatNamedTool =
  | { readonly type: 'function'; readonly function: { readonly name: string } }
  | { readonly type: 'custom'; readonly custom: { readonly name: string } }
export type ChatToolChoice =
  | 'none'
  | 'required'
  | ChatNamedTool
  | {
      readonly type: 'allowed_tools'
      readonly allowed_tools: { readonly mode: 'auto' | 'required'; readonly tools: readonly ChatNamedTool[] }
    }

export type ChatTools = {
  readonly tools?: readonly ChatTool[]
  readonly tool_choice?: ChatToolChoice
  readonly parallel_tool_calls?: false
}
