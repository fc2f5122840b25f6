/**
 * The body of `POST /v1/responses`, as lenient as real clients need it: nulls for every optional,
 * messages without `type`, tools without `strict`. Unknown top-level fields pass the schema and are reported or
 * refused later (`unsupported_params`).
 */

import { MAX_TEXT_CHARS } from './content.ts'
import { InputItemParamSchema } from './items.ts'
import {
  CACHE_RETENTIONS,
  CACHE_TTLS,
  IncludeSchema,
  MetadataSchema,
  ReasoningParamSchema,
  SERVICE_TIERS,
  TextParamSchema,
} from './options.ts'
import { PromptParamSchema } from './prompt-param.ts'
import { AnyObject, Maybe, OneOf, type Static, Type } from './schema.ts'
import { MAX_TOOLS, ToolChoiceParamSchema, ToolParamSchema } from './tools.ts'

export const MAX_INPUT_ITEMS = 10_000
export const MIN_COMPACT_THRESHOLD = 1_000

export const InputSchema = Type.Union([
  Type.String({ maxLength: MAX_TEXT_CHARS }),
  Type.Array(InputItemParamSchema, { maxItems: MAX_INPUT_ITEMS }),
])

/** An empty list asks for nothing. */
const ContextManagementSchema = Type.Array(
  Type.Object({
    type: OneOf(['compaction']),
    compact_threshold: Maybe(Type.Integer({ minimum: MIN_COMPACT_THRESHOLD })),
  }),
)

/** Fields that `create` and `input_tokens` share. */
const contextFields = {
  model: Maybe(Type.String({ minLength: 1, maxLength: 256 })),
  input: Maybe(InputSchema),
  instructions: Maybe(Type.String({ maxLength: MAX_TEXT_CHARS })),
  previous_response_id: Maybe(Type.String({ minLength: 1 })),
  conversation: Maybe(Type.Union([Type.String(), Type.Object({ id: Type.String() })])),
  tools: Maybe(Type.Array(ToolParamSchema, { maxItems: MAX_TOOLS })),
  tool_choice: Maybe(ToolChoiceParamSchema),
  parallel_tool_calls: Maybe(Type.Boolean()),
  reasoning: Maybe(ReasoningParamSchema),
  text: Maybe(TextParamSchema),
  truncation: Maybe(OneOf(['auto', 'disabled'])),
}

export const CreateResponseSchema = Type.Object({
  ...contextFields,
  background: Maybe(Type.Boolean()),
  client_metadata: Maybe(AnyObject()),
  context_management: Maybe(ContextManagementSchema),
  frequency_penalty: Maybe(Type.Number({ minimum: -2, maximum: 2 })),
  include: Maybe(Type.Array(IncludeSchema)),
  max_output_tokens: Maybe(Type.Integer({ minimum: 1 })),
  max_tool_calls: Maybe(Type.Integer({ minimum: 1 })),
  metadata: Maybe(MetadataSchema),
  moderation: Maybe(AnyObject()),
  presence_penalty: Maybe(Type.Number({ minimum: -2, maximum: 2 })),
  prompt: Maybe(PromptParamSchema),
  prompt_cache_key: Maybe(Type.String({ maxLength: 64 })),
  prompt_cache_options: Maybe(
    Type.Object({ mode: Maybe(OneOf(['implicit', 'explicit'])), ttl: Maybe(OneOf(CACHE_TTLS)) }),
  ),
  prompt_cache_retention: Maybe(OneOf(CACHE_RETENTIONS)),
  safety_identifier: Maybe(Type.String({ maxLength: 64 })),
  service_tier: Maybe(OneOf(SERVICE_TIERS)),
  store: Maybe(Type.Boolean()),
  stream: Maybe(Type.Boolean()),
  stream_options: Maybe(Type.Object({ include_obfuscation: Maybe(Type.Boolean()) })),
  temperature: Maybe(Type.Number({ minimum: 0, maximum: 2 })),
  top_logprobs: Maybe(Type.Integer({ minimum: 0, maximum: 20 })),
  top_p: Maybe(Type.Number({ minimum: 0, maximum: 1 })),
  user: Maybe(Type.String()),
})

/** The body of `POST /v1/responses/input_tokens`; every field is optional. */
export const CountInputTokensSchema = Type.Object({
  ...contextFields,
  personality: Maybe(Type.String({ maxLength: 64 })),
})

/**
 * A validated body. `stop` is no field of the Responses API; clients of other APIs send it as a string or a list, and
 * `validateCreateResponse` hands it on as a list.
 */
export type CreateResponseRequest = Static<typeof CreateResponseSchema> & { readonly stop?: readonly string[] }
export type CountInputTokensRequest = Static<typeof CountInputTokensSchema>

/** Null when none is named; both spellings mean the same. */
export function conversationIdOf({ conversation }: Pick<CountInputTokensRequest, 'conversation'>): string | null {
  if (!conversation) return null
  return typeof conversation === 'string' ? conversation : conversation.id
}

export const CREATE_RESPONSE_FIELDS: ReadonlySet<string> = new Set(Object.keys(CreateResponseSchema.properties))
export const COUNT_INPUT_TOKENS_FIELDS: ReadonlySet<string> = new Set(Object.keys(CountInputTokensSchema.properties))
