/**
 * The body of `POST /v1/chat/completions`, as lenient as real clients need it. What a role may hold is checked where a
 * message becomes items, because one message is one object whatever its role.
 */
import { MAX_FILE_DATA_CHARS, MAX_IMAGE_URL_CHARS, MAX_TEXT_CHARS } from '../content.ts'
import { MAX_STOP_SEQUENCES } from '../foreign-fields.ts'
import { CACHE_RETENTIONS, CACHE_TTLS, EFFORTS, MetadataSchema, SERVICE_TIERS, VERBOSITIES } from '../options.ts'
import { MAX_INPUT_ITEMS } from '../request.ts'
import { AnyObject, MapOf, Maybe, OneOf, type Static, Type } from '../schema.ts'
import { MAX_TOOLS, TOOL_CHOICE_MODES } from '../tools.ts'

const Text = Type.String({ maxLength: MAX_TEXT_CHARS })
const CacheBreakpoint = { prompt_cache_breakpoint: Maybe(Type.Object({ mode: Type.Literal('explicit') })) }

const TextPartSchema = Type.Object({ type: Type.Literal('text'), text: Text, ...CacheBreakpoint })
const ImagePartSchema = Type.Object({
  type: Type.Literal('image_url'),
  image_url: Type.Object({
    url: Type.String({ minLength: 1, maxLength: MAX_IMAGE_URL_CHARS }),
    detail: Maybe(OneOf(['auto', 'low', 'high', 'original'])),
  }),
  ...CacheBreakpoint,
})
const FilePartSchema = Type.Object({
  type: Type.Literal('file'),
  file: Type.Object({
    file_data: Maybe(Type.String({ maxLength: MAX_FILE_DATA_CHARS })),
    file_id: Maybe(Type.String()),
    filename: Maybe(Type.String()),
  }),
  ...CacheBreakpoint,
})
const RefusalPartSchema = Type.Object({ type: Type.Literal('refusal'), refusal: Text })
/** Refused by name: see `chat-messages.ts`. */
const AudioPartSchema = Type.Object({ type: Type.Literal('input_audio'), input_audio: Maybe(AnyObject()) })

export const ChatPartSchema = Type.Union(
  [TextPartSchema, ImagePartSchema, FilePartSchema, RefusalPartSchema, AudioPartSchema],
  { title: 'ChatPart' },
)

/** `type` may be missing: a call is of the kind that it holds. */
export const ChatToolCallSchema = Type.Object({
  id: Type.String({ minLength: 1 }),
  type: Maybe(OneOf(['function', 'custom'])),
  function: Maybe(Type.Object({ name: Type.String({ minLength: 1 }), arguments: Text })),
  custom: Maybe(Type.Object({ name: Type.String({ minLength: 1 }), input: Text })),
})

export const CHAT_ROLES = ['system', 'developer', 'user', 'assistant', 'tool', 'function'] as const
export const ChatMessageSchema = Type.Object({
  role: OneOf(CHAT_ROLES),
  content: Maybe(Type.Union([Text, Type.Array(ChatPartSchema)])),
  name: Maybe(Type.String()),
  refusal: Maybe(Text),
  reasoning_content: Maybe(Text),
  tool_calls: Maybe(Type.Array(ChatToolCallSchema)),
  tool_call_id: Maybe(Type.String({ minLength: 1 })),
  function_call: Maybe(AnyObject()),
  audio: Maybe(AnyObject()),
})

const NameSchema = Type.String({ minLength: 1 })
const FunctionToolSchema = Type.Object({
  type: Type.Literal('function'),
  function: Type.Object({
    name: NameSchema,
    description: Maybe(Type.String()),
    parameters: Maybe(AnyObject()),
    strict: Maybe(Type.Boolean()),
  }),
})
const CustomToolSchema = Type.Object({
  type: Type.Literal('custom'),
  custom: Type.Object({
    name: NameSchema,
    description: Maybe(Type.String()),
    format: Maybe(
      Type.Union([
        Type.Object({ type: Type.Literal('text') }),
        Type.Object({
          type: Type.Literal('grammar'),
          grammar: Type.Object({ syntax: OneOf(['lark', 'regex']), definition: Type.String({ minLength: 1 }) }),
        }),
      ]),
    ),
  }),
})
export const ChatToolSchema = Type.Union([FunctionToolSchema, CustomToolSchema], { title: 'ChatTool' })

const NamedFunctionSchema = Type.Object({
  type: Type.Literal('function'),
  function: Type.Object({ name: NameSchema }),
})
const NamedCustomSchema = Type.Object({ type: Type.Literal('custom'), custom: Type.Object({ name: NameSchema }) })
const NamedToolSchema = Type.Union([NamedFunctionSchema, NamedCustomSchema])
export const ChatToolChoiceSchema = Type.Union([
  OneOf(TOOL_CHOICE_MODES),
  NamedFunctionSchema,
  NamedCustomSchema,
  Type.Object({
    type: Type.Literal('allowed_tools'),
    allowed_tools: Type.Object({
      mode: OneOf(['auto', 'required']),
      tools: Type.Array(NamedToolSchema, { minItems: 1, maxItems: MAX_TOOLS }),
    }),
  }),
])

const ResponseFormatSchema = Type.Union([
  Type.Object({ type: Type.Literal('text') }),
  Type.Object({ type: Type.Literal('json_object') }),
  Type.Object({
    type: Type.Literal('json_schema'),
    json_schema: Type.Object({
      name: Type.String(),
      schema: Maybe(AnyObject()),
      description: Maybe(Type.String()),
      strict: Maybe(Type.Boolean()),
    }),
  }),
])

const StopText = Type.String({ minLength: 1, maxLength: 256 })

export const CreateChatCompletionSchema = Type.Object({
  model: Maybe(Type.String({ minLength: 1, maxLength: 256 })),
  messages: Type.Array(ChatMessageSchema, { minItems: 1, maxItems: MAX_INPUT_ITEMS }),
  audio: Maybe(AnyObject()),
  frequency_penalty: Maybe(Type.Number({ minimum: -2, maximum: 2 })),
  function_call: Maybe(Type.Union([Type.String(), AnyObject()])),
  functions: Maybe(Type.Array(AnyObject())),
  logit_bias: Maybe(MapOf(Type.Number())),
  logprobs: Maybe(Type.Boolean()),
  max_completion_tokens: Maybe(Type.Integer({ minimum: 1 })),
  max_tokens: Maybe(Type.Integer({ minimum: 1 })),
  metadata: Maybe(MetadataSchema),
  modalities: Maybe(Type.Array(OneOf(['text', 'audio']))),
  moderation: Maybe(AnyObject()),
  n: Maybe(Type.Integer({ minimum: 1, maximum: 128 })),
  parallel_tool_calls: Maybe(Type.Boolean()),
  prediction: Maybe(AnyObject()),
  presence_penalty: Maybe(Type.Number({ minimum: -2, maximum: 2 })),
  prompt_cache_key: Maybe(Type.String({ maxLength: 64 })),
  prompt_cache_options: Maybe(
    Type.Object({ mode: Maybe(OneOf(['implicit', 'explicit'])), ttl: Maybe(OneOf(CACHE_TTLS)) }),
  ),
  prompt_cache_retention: Maybe(OneOf(CACHE_RETENTIONS)),
  reasoning_effort: Maybe(OneOf(EFFORTS)),
  response_format: Maybe(ResponseFormatSchema),
  safety_identifier: Maybe(Type.String({ maxLength: 64 })),
  seed: Maybe(Type.Integer()),
  service_tier: Maybe(OneOf(SERVICE_TIERS)),
  stop: Maybe(Type.Union([StopText, Type.Array(StopText, { maxItems: MAX_STOP_SEQUENCES })])),
  store: Maybe(Type.Boolean()),
  stream: Maybe(Type.Boolean()),
  stream_options: Maybe(
    Type.Object({ include_usage: Maybe(Type.Boolean()), include_obfuscation: Maybe(Type.Boolean()) }),
  ),
  temperature: Maybe(Type.Number({ minimum: 0, maximum: 2 })),
  tool_choice: Maybe(ChatToolChoiceSchema),
  tools: Maybe(Type.Array(ChatToolSchema, { maxItems: MAX_TOOLS })),
  top_logprobs: Maybe(Type.Integer({ minimum: 0, maximum: 20 })),
  top_p: Maybe(Type.Number({ minimum: 0, maximum: 1 })),
  user: Maybe(Type.String()),
  verbosity: Maybe(OneOf(VERBOSITIES)),
  web_search_options: Maybe(AnyObject()),
})

export type CreateChatCompletion = Static<typeof CreateChatCompletionSchema>
export type ChatMessage = Static<typeof ChatMessageSchema>
export type ChatPart = Static<typeof ChatPartSchema>
export type ChatToolCall = Static<typeof ChatToolCallSchema>
export type ChatTool = Static<typeof ChatToolSchema>
export type ChatToolChoice = Static<typeof ChatToolChoiceSchema>
export type ChatResponseFormat = Static<typeof ResponseFormatSchema>

export const CHAT_FIELDS: ReadonlySet<string> = new Set(Object.keys(CreateChatCompletionSchema.properties))
