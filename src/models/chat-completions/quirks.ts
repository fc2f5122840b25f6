/**
 * What vendors' Chat Completions endpoints do differently, as data. The mappers read a row; none of them knows a
 * vendor's name. A field is here only when two endpoints really disagree about it.
 */
import type { Effort } from '../upstream/nearest-effort.ts'

export type Quirks = {
  // ---- the request
  readonly maxTokensField: 'max_completion_tokens' | 'max_tokens'
  /** Takes `stream_options: { include_usage: true }`. */
  readonly streamOptions: boolean
  /** What a developer message, and the instructions, are called. */
  readonly developerRole: 'developer' | 'system'
  /**
   * `first`: chat templates that take one system message, at the start. Leading ones are joined; a later one goes as
   * a user message, because moving it would change what it refers to and spoil the provider's prefix cache.
   */
  readonly systemMessages: 'anywhere' | 'first'
  /** Where the effort goes and which values are known; the nearest lower one is sent. */
  readonly reasoningEffort: {
    readonly field: 'reasoning_effort' | 'reasoning.effort'
    readonly values: readonly Effort[]
  } | null
  readonly structuredOutput: 'json_schema' | 'json_object' | 'none'
  /** Takes `parallel_tool_calls`. */
  readonly parallelToolCalls: boolean
  /** Heeds `tool_choice`. */
  readonly toolChoice: boolean
  /** Takes `tool_choice: { type: 'allowed_tools' }`; else the tools themselves are filtered. */
  readonly allowedTools: boolean
  /** Takes tools of type `custom` (free text). */
  readonly customTools: boolean
  /** Fetches images by URL itself; else only what is sent along is seen. */
  readonly imageUrls: boolean
  /** Takes content parts of type `file`. */
  readonly fileParts: boolean
  /** Assistant messages may hold `refusal`; else it is sent as text. */
  readonly refusalField: boolean
  readonly logprobs: boolean
  /** Takes `presence_penalty` and `frequency_penalty`. */
  readonly penalties: boolean
  readonly verbosity: boolean
  readonly serviceTier: boolean
  readonly promptCacheKey: boolean
  readonly promptCacheRetention: boolean
  /** The field an end user's identifier goes into. */
  readonly safetyIdentifierField: 'safety_identifier' | 'user' | null

  // ---- reasoning, both ways
  /** Fields of a delta that hold reasoning text, the first filled one counts (some send the same text in two). */
  readonly reasoningFields: readonly string[]
  /** Reasoning comes inside the text, in `<think>` tags at its start. */
  readonly thinkTags: boolean
  /** The prompt template has opened the tag already: the text starts inside it. */
  readonly thinkTagPrefilled: boolean
  /**
   * Whether earlier reasoning text is sent back, and as what. `tool-calls`: only with the calls made since the last
   * user message, which some endpoints demand; elsewhere it is a waste of tokens or refused.
   */
  readonly reasoningInput: {
    readonly field: 'reasoning_content' | 'reasoning'
    readonly when: 'always' | 'tool-calls'
  } | null
  /** Opaque reasoning state this endpoint sends and wants to see again. */
  readonly reasoningState: 'reasoning_details' | 'extra_content' | null
}

/** An endpoint we know nothing about: only what every server since 2024 takes. */
export const DEFAULT_QUIRKS: Quirks = {
  maxTokensField: 'max_tokens',
  streamOptions: true,
  developerRole: 'system',
  systemMessages: 'first',
  reasoningEffort: { field: 'reasoning_effort', values: ['low', 'medium', 'high'] },
  structuredOutput: 'json_schema',
  parallelToolCalls: true,
  toolChoice: true,
  allowedTools: false,
  customTools: false,
  imageUrls: true,
  fileParts: false,
  refusalField: false,
  logprobs: true,
  penalties: true,
  verbosity: false,
  serviceTier: false,
  promptCacheKey: false,
  promptCacheRetention: false,
  safetyIdentifierField: null,
  reasoningFields: ['reasoning_content', 'reasoning'],
  thinkTags: true,
  thinkTagPrefilled: false,
  reasoningInput: null,
  reasoningState: null,
}

export const withQuirks = (...overrides: readonly Partial<Quirks>[]): Quirks =>
  Object.assign({}, DEFAULT_QUIRKS, ...overrides)
