/** Option objects shared by the request and the Response. */
import { AnyObject, MapOf, Maybe, Nullable, OneOf, type Static, Type } from './schema.ts'

export const INCLUDE_VALUES = [
  'web_search_call.action.sources',
  'web_search_call.results',
  'code_interpreter_call.outputs',
  'computer_call_output.output.image_url',
  'file_search_call.results',
  'message.input_image.image_url',
  'message.output_text.logprobs',
  'reasoning.encrypted_content',
] as const
export const IncludeSchema = OneOf(INCLUDE_VALUES)
export type Include = (typeof INCLUDE_VALUES)[number]

export const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const
export const SUMMARIES = ['auto', 'concise', 'detailed'] as const
export const VERBOSITIES = ['low', 'medium', 'high'] as const
export const SERVICE_TIERS = ['auto', 'default', 'flex', 'priority', 'scale', 'fast', 'ultrafast'] as const
export const CACHE_TTLS = ['30m', '12h'] as const
export const CACHE_RETENTIONS = ['in-memory', 'in_memory', '24h'] as const

export const ReasoningParamSchema = Type.Object({
  effort: Maybe(OneOf(EFFORTS)),
  summary: Maybe(OneOf(SUMMARIES)),
  generate_summary: Maybe(OneOf(SUMMARIES)),
  context: Maybe(OneOf(['auto', 'current_turn', 'all_turns'])),
  mode: Maybe(Type.String()),
})
export const ReasoningSchema = Type.Object({
  effort: Nullable(OneOf(EFFORTS)),
  summary: Nullable(OneOf(SUMMARIES)),
  context: Type.Optional(OneOf(['auto', 'current_turn', 'all_turns'])),
  mode: Type.Optional(Type.String()),
})

const SchemaNameSchema = Type.String({ minLength: 1, maxLength: 64, pattern: '^[a-zA-Z0-9_-]+$' })
export const TextFormatParamSchema = Type.Union([
  Type.Object({ type: Type.Literal('text') }),
  Type.Object({ type: Type.Literal('json_object') }),
  Type.Object({
    type: Type.Literal('json_schema'),
    name: SchemaNameSchema,
    schema: AnyObject(),
    description: Maybe(Type.String()),
    strict: Maybe(Type.Boolean()),
  }),
])
export const TextFormatSchema = Type.Union([
  Type.Object({ type: Type.Literal('text') }),
  Type.Object({ type: Type.Literal('json_object') }),
  Type.Object({
    type: Type.Literal('json_schema'),
    name: Type.String(),
    schema: AnyObject(),
    description: Type.Optional(Type.String()),
    strict: Type.Boolean(),
  }),
])
export const TextParamSchema = Type.Object({
  format: Maybe(TextFormatParamSchema),
  verbosity: Maybe(OneOf(VERBOSITIES)),
})
export const TextSchema = Type.Object({ format: TextFormatSchema, verbosity: OneOf(VERBOSITIES) })

/** 16 pairs, keys up to 64 and values up to 512 characters; the counts are checked by `validate.ts`. */
export const MetadataSchema = MapOf(Type.String())

export type ReasoningOptions = Static<typeof ReasoningSchema>
export type TextFormat = Static<typeof TextFormatSchema>
export type TextOptions = Static<typeof TextSchema>
export type Metadata = Static<typeof MetadataSchema>
