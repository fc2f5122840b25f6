/** Content parts: what messages, tool outputs and reasoning items are made of. */
import { AnyObject, Maybe, OneOf, type Static, Type } from './schema.ts'

/** Longest text a single part may carry, in characters (OpenAI's own bound). */
export const MAX_TEXT_CHARS = 10_485_760
/** Longest `image_url`, in characters; data URLs count whole. */
export const MAX_IMAGE_URL_CHARS = 20_971_520
/** Longest base64 `file_data`, in characters. */
export const MAX_FILE_DATA_CHARS = 73_400_320

const CacheBreakpoint = { prompt_cache_breakpoint: Maybe(Type.Object({ mode: Type.Literal('explicit') })) }

export const InputTextSchema = Type.Object({
  type: Type.Literal('input_text'),
  text: Type.String({ maxLength: MAX_TEXT_CHARS }),
  ...CacheBreakpoint,
})
export const InputImageSchema = Type.Object({
  type: Type.Literal('input_image'),
  image_url: Maybe(Type.String({ maxLength: MAX_IMAGE_URL_CHARS })),
  file_id: Maybe(Type.String()),
  detail: Maybe(OneOf(['low', 'high', 'auto', 'original'])),
  ...CacheBreakpoint,
})
export const InputFileSchema = Type.Object({
  type: Type.Literal('input_file'),
  file_id: Maybe(Type.String()),
  file_data: Maybe(Type.String({ maxLength: MAX_FILE_DATA_CHARS })),
  file_url: Maybe(Type.String()),
  filename: Maybe(Type.String()),
  detail: Maybe(OneOf(['auto', 'low', 'high'])),
  ...CacheBreakpoint,
})

// As stored and listed: what is not given is left out rather than null, and an image says its detail.
const StoredBreakpoint = { prompt_cache_breakpoint: Type.Optional(Type.Object({ mode: Type.Literal('explicit') })) }

export const StoredTextSchema = Type.Object({
  type: Type.Literal('input_text'),
  text: Type.String(),
  ...StoredBreakpoint,
})
export const StoredImageSchema = Type.Object({
  type: Type.Literal('input_image'),
  /** Null where it is stored, but the reader did not ask to see it. */
  image_url: Maybe(Type.String()),
  file_id: Type.Optional(Type.String()),
  detail: OneOf(['low', 'high', 'auto', 'original']),
  ...StoredBreakpoint,
})
export const StoredFileSchema = Type.Object({
  type: Type.Literal('input_file'),
  file_id: Type.Optional(Type.String()),
  file_data: Type.Optional(Type.String()),
  file_url: Type.Optional(Type.String()),
  filename: Type.Optional(Type.String()),
  detail: Type.Optional(OneOf(['auto', 'low', 'high'])),
  ...StoredBreakpoint,
})
export const StoredPartSchema = Type.Union([StoredTextSchema, StoredImageSchema, StoredFileSchema])

export const AnnotationSchema = Type.Union([
  Type.Object({
    type: Type.Literal('url_citation'),
    url: Type.String(),
    title: Type.String(),
    start_index: Type.Integer(),
    end_index: Type.Integer(),
  }),
  Type.Object({
    type: Type.Literal('file_citation'),
    file_id: Type.String(),
    filename: Type.String(),
    index: Type.Integer(),
  }),
  Type.Object({
    type: Type.Literal('container_file_citation'),
    container_id: Type.String(),
    file_id: Type.String(),
    filename: Type.String(),
    start_index: Type.Integer(),
    end_index: Type.Integer(),
  }),
  Type.Object({ type: Type.Literal('file_path'), file_id: Type.String(), index: Type.Integer() }),
])

const TopLogprobSchema = Type.Object({
  token: Type.String(),
  logprob: Type.Number(),
  bytes: Type.Array(Type.Integer()),
})
/** One token with its log probability and the likeliest alternatives. */
export const LogprobSchema = Type.Object({
  token: Type.String(),
  logprob: Type.Number(),
  bytes: Type.Array(Type.Integer()),
  top_logprobs: Type.Array(TopLogprobSchema),
})

export const OutputTextSchema = Type.Object({
  type: Type.Literal('output_text'),
  text: Type.String(),
  annotations: Type.Array(AnnotationSchema),
  logprobs: Type.Array(LogprobSchema),
})
export const RefusalSchema = Type.Object({ type: Type.Literal('refusal'), refusal: Type.String() })
export const ReasoningTextSchema = Type.Object({ type: Type.Literal('reasoning_text'), text: Type.String() })
export const SummaryTextSchema = Type.Object({ type: Type.Literal('summary_text'), text: Type.String() })

/** As clients send assistant text back: `annotations` and `logprobs` may be missing. */
export const LooseOutputTextSchema = Type.Object({
  type: Type.Literal('output_text'),
  text: Type.String({ maxLength: MAX_TEXT_CHARS }),
  annotations: Maybe(Type.Array(AnyObject())),
  logprobs: Maybe(Type.Array(AnyObject())),
})

/** What a tool may answer with besides a plain string. */
export const ToolOutputPartSchema = Type.Union([InputTextSchema, InputImageSchema, InputFileSchema], {
  title: 'ToolOutputPart',
})
/** What a message in `input` may hold, whatever its role. */
export const MessagePartSchema = Type.Union(
  [InputTextSchema, InputImageSchema, InputFileSchema, LooseOutputTextSchema, RefusalSchema],
  { title: 'MessagePart' },
)
export const OutputPartSchema = Type.Union([OutputTextSchema, RefusalSchema])

export type InputImage = Static<typeof InputImageSchema>
export type InputFile = Static<typeof InputFileSchema>
export type StoredPart = Static<typeof StoredPartSchema>
export type Annotation = Static<typeof AnnotationSchema>
export type Logprob = Static<typeof LogprobSchema>
export type ReasoningText = Static<typeof ReasoningTextSchema>
export type SummaryText = Static<typeof SummaryTextSchema>
export type ToolOutputPart = Static<typeof ToolOutputPartSchema>
export type MessagePart = Static<typeof MessagePartSchema>
export type OutputPart = Static<typeof OutputPartSchema>
