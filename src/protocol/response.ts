/**
 * The Response object: every field of the API, always present, in the shape that the OpenAI and the Open Responses
 * schemas accept at once: numbers and booleans are never null, a field that one of them forbids to be null is left out.
 */

import { ItemSchema, OutputItemSchema } from './items.ts'
import { CACHE_TTLS, MetadataSchema, ReasoningSchema, SERVICE_TIERS, TextSchema } from './options.ts'
import { PromptEchoSchema } from './prompt-param.ts'
import { AnyObject, Nullable, OneOf, type Static, Type } from './schema.ts'
import { ToolChoiceSchema, ToolSchema } from './tools.ts'

export const RESPONSE_STATUSES = ['queued', 'in_progress', 'completed', 'failed', 'cancelled', 'incomplete'] as const
export type ResponseStatus = (typeof RESPONSE_STATUSES)[number]

/** `response.error.code` is a closed set; what does not fit is `server_error`. */
export const RESPONSE_ERROR_CODES = [
  'server_error',
  'rate_limit_exceeded',
  'invalid_prompt',
  'data_residency_mismatch',
  'bio_policy',
  'vector_store_timeout',
  'invalid_image',
  'invalid_image_format',
  'invalid_base64_image',
  'invalid_image_url',
  'image_too_large',
  'image_too_small',
  'image_parse_error',
  'image_content_policy_violation',
  'invalid_image_mode',
  'image_file_too_large',
  'unsupported_image_media_type',
  'empty_image_file',
  'failed_to_download_image',
  'image_file_not_found',
] as const

export const UsageSchema = Type.Object({
  input_tokens: Type.Integer(),
  input_tokens_details: Type.Object({ cached_tokens: Type.Integer(), cache_write_tokens: Type.Integer() }),
  output_tokens: Type.Integer(),
  output_tokens_details: Type.Object({ reasoning_tokens: Type.Integer() }),
  total_tokens: Type.Integer(),
})
export const ResponseErrorSchema = Type.Object({ code: OneOf(RESPONSE_ERROR_CODES), message: Type.String() })

export const ResponseSchema = Type.Object({
  id: Type.String(),
  object: Type.Literal('response'),
  created_at: Type.Integer(),
  status: OneOf(RESPONSE_STATUSES),
  background: Type.Boolean(),
  completed_at: Nullable(Type.Integer()),
  error: Nullable(ResponseErrorSchema),
  incomplete_details: Nullable(Type.Object({ reason: OneOf(['max_output_tokens', 'content_filter']) })),
  instructions: Nullable(Type.String()),
  max_output_tokens: Nullable(Type.Integer()),
  max_tool_calls: Nullable(Type.Integer()),
  model: Type.String(),
  output: Type.Array(OutputItemSchema),
  output_text: Type.String(),
  parallel_tool_calls: Type.Boolean(),
  previous_response_id: Nullable(Type.String()),
  conversation: Nullable(Type.Object({ id: Type.String() })),
  prompt: Nullable(PromptEchoSchema),
  prompt_cache_key: Nullable(Type.String()),
  prompt_cache_retention: Nullable(OneOf(['in_memory', '24h'])),
  prompt_cache_options: Type.Optional(Type.Object({ mode: OneOf(['implicit', 'explicit']), ttl: OneOf(CACHE_TTLS) })),
  reasoning: ReasoningSchema,
  safety_identifier: Nullable(Type.String()),
  service_tier: OneOf(SERVICE_TIERS),
  store: Type.Boolean(),
  temperature: Type.Number(),
  top_p: Type.Number(),
  presence_penalty: Type.Number(),
  frequency_penalty: Type.Number(),
  text: TextSchema,
  tool_choice: ToolChoiceSchema,
  tools: Type.Array(ToolSchema),
  top_logprobs: Type.Integer(),
  truncation: OneOf(['auto', 'disabled']),
  usage: Nullable(UsageSchema),
  user: Nullable(Type.String()),
  metadata: MetadataSchema,
  /** Moderation is not carried yet. */
  moderation: Type.Null(),
  content_filters: Nullable(Type.Array(AnyObject())),
})

export const DeletedResponseSchema = Type.Object({
  id: Type.String(),
  object: Type.Literal('response'),
  deleted: Type.Literal(true),
})
export const ItemListSchema = Type.Object({
  object: Type.Literal('list'),
  data: Type.Array(ItemSchema),
  first_id: Nullable(Type.String()),
  last_id: Nullable(Type.String()),
  has_more: Type.Boolean(),
})
export const InputTokensSchema = Type.Object({
  object: Type.Literal('response.input_tokens'),
  input_tokens: Type.Integer(),
})

export type Usage = Static<typeof UsageSchema>
export type ResponseError = Static<typeof ResponseErrorSchema>
/** A Response; named so because `Response` is the platform's HTTP class. */
export type ResponseObject = Static<typeof ResponseSchema>
export type ItemList = Static<typeof ItemListSchema>
