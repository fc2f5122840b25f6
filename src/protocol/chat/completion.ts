/** A Response as a chat completion, and its parts as both the whole object and the chunks need them. */
import type { Annotation, Logprob } from '../content.ts'
import type { OutputItem } from '../items.ts'
import { SERVICE_TIERS } from '../options.ts'
import type { ResponseObject, Usage } from '../response.ts'
import { Nullable, OneOf, type Static, Type } from '../schema.ts'

const LogprobSchema = Type.Object({
  token: Type.String(),
  logprob: Type.Number(),
  bytes: Nullable(Type.Array(Type.Integer())),
  top_logprobs: Type.Array(
    Type.Object({ token: Type.String(), logprob: Type.Number(), bytes: Nullable(Type.Array(Type.Integer())) }),
  ),
})
const LogprobsSchema = Nullable(
  Type.Object({ content: Nullable(Type.Array(LogprobSchema)), refusal: Nullable(Type.Array(LogprobSchema)) }),
)
const AnnotationSchema = Type.Object({
  type: Type.Literal('url_citation'),
  url_citation: Type.Object({
    url: Type.String(),
    title: Type.String(),
    start_index: Type.Integer(),
    end_index: Type.Integer(),
  }),
})
const ToolCallSchema = Type.Union([
  Type.Object({
    id: Type.String(),
    type: Type.Literal('function'),
    function: Type.Object({ name: Type.String(), arguments: Type.String() }),
  }),
  Type.Object({
    id: Type.String(),
    type: Type.Literal('custom'),
    custom: Type.Object({ name: Type.String(), input: Type.String() }),
  }),
])
export const ChatUsageSchema = Type.Object({
  prompt_tokens: Type.Integer(),
  completion_tokens: Type.Integer(),
  total_tokens: Type.Integer(),
  prompt_tokens_details: Type.Object({
    cached_tokens: Type.Integer(),
    cache_write_tokens: Type.Integer(),
    audio_tokens: Type.Integer(),
  }),
  completion_tokens_details: Type.Object({
    reasoning_tokens: Type.Integer(),
    audio_tokens: Type.Integer(),
    accepted_prediction_tokens: Type.Integer(),
    rejected_prediction_tokens: Type.Integer(),
  }),
})
const FINISH_REASONS = ['stop', 'length', 'tool_calls', 'content_filter'] as const
const head = {
  id: Type.String(),
  created: Type.Integer(),
  model: Type.String(),
  service_tier: OneOf(SERVICE_TIERS),
}

export const ChatCompletionSchema = Type.Object({
  ...head,
  object: Type.Literal('chat.completion'),
  choices: Type.Array(
    Type.Object({
      index: Type.Integer(),
      finish_reason: OneOf(FINISH_REASONS),
      logprobs: LogprobsSchema,
      message: Type.Object({
        role: Type.Literal('assistant'),
        content: Nullable(Type.String()),
        refusal: Nullable(Type.String()),
        /** What the model thought, where it tells; no field of OpenAI's, but of those who show it. */
        reasoning_content: Type.Optional(Type.String()),
        annotations: Type.Optional(Type.Array(AnnotationSchema)),
        tool_calls: Type.Optional(Type.Array(ToolCallSchema)),
      }),
    }),
  ),
  usage: Type.Optional(ChatUsageSchema),
})

export const ChatChunkSchema = Type.Object({
  ...head,
  object: Type.Literal('chat.completion.chunk'),
  choices: Type.Array(
    Type.Object({
      index: Type.Integer(),
      finish_reason: Nullable(OneOf(FINISH_REASONS)),
      logprobs: LogprobsSchema,
      delta: Type.Object({
        role: Type.Optional(Type.Literal('assistant')),
        content: Type.Optional(Nullable(Type.String())),
        refusal: Type.Optional(Nullable(Type.String())),
        reasoning_content: Type.Optional(Type.String()),
        annotations: Type.Optional(Type.Array(AnnotationSchema)),
        tool_calls: Type.Optional(
          Type.Array(
            Type.Object({
              index: Type.Integer(),
              id: Type.Optional(Type.String()),
              type: Type.Optional(OneOf(['function', 'custom'])),
              function: Type.Optional(
                Type.Object({ name: Type.Optional(Type.String()), arguments: Type.Optional(Type.String()) }),
              ),
              custom: Type.Optional(
                Type.Object({ name: Type.Optional(Type.String()), input: Type.Optional(Type.String()) }),
              ),
            }),
          ),
        ),
      }),
    }),
  ),
  usage: Type.Optional(Nullable(ChatUsageSchema)),
  obfuscation: Type.Optional(Type.String()),
})

export type ChatCompletion = Static<typeof ChatCompletionSchema>
export type ChatChunk = Static<typeof ChatChunkSchema>
export type ChatDelta = ChatChunk['choices'][number]['delta']
export type ChatUsage = Static<typeof ChatUsageSchema>
export type FinishReason = (typeof FINISH_REASONS)[number]
type Message = ChatCompletion['choices'][number]['message']
type ToolCall = Static<typeof ToolCallSchema>
type ChatAnnotation = Static<typeof AnnotationSchema>

/** `resp_x` <-> `chatcmpl-x`: a stored completion can be read as the response it is. */
export const chatId = (responseId: string): string => responseId.replace(/^resp_/, 'chatcmpl-')

export const chatHead = ({ id, created_at, model, service_tier }: ResponseObject) => ({
  id: chatId(id),
  created: created_at,
  model,
  service_tier,
})

export function toChatCompletion(response: ResponseObject): ChatCompletion {
  const logprobs = response.output.flatMap(textPartsOf).flatMap((part) => part.logprobs)
  return {
    ...chatHead(response),
    object: 'chat.completion',
    choices: [
      {
        index: 0,
        finish_reason: finishReasonOf(response),
        logprobs: logprobs.length > 0 ? { content: logprobs, refusal: null } : null,
        message: toMessage(response.output),
      },
    ],
    ...(response.usage && { usage: toChatUsage(response.usage) }),
  }
}

function toMessage(output: readonly OutputItem[]): Message {
  const texts = output.flatMap(textPartsOf)
  const refusal = output.flatMap(refusalsOf).join('')
  const calls = output.flatMap((item) => toToolCall(item) ?? [])
  const reasoning = reasoningOf(output)
  const annotations = texts.flatMap((part) => part.annotations).flatMap((it) => toChatAnnotation(it) ?? [])
  const text = texts.map((part) => part.text).join('')
  return {
    role: 'assistant',
    // Text is null only where something stands in its place: clients that expect a string get one.
    content: text === '' && (calls.length > 0 || refusal !== '') ? null : text,
    refusal: refusal === '' ? null : refusal,
    ...(reasoning !== '' && { reasoning_content: reasoning }),
    ...(annotations.length > 0 && { annotations }),
    ...(calls.length > 0 && { tool_calls: calls }),
  }
}

const contentOf = (item: OutputItem) => (item.type === 'message' ? item.content : [])
const textPartsOf = (item: OutputItem) => contentOf(item).flatMap((part) => (part.type === 'output_text' ? [part] : []))
const refusalsOf = (item: OutputItem) =>
  contentOf(item).flatMap((part) => (part.type === 'refusal' ? [part.refusal] : []))

/** Between two parts of what a model thought. */
export const REASONING_GAP = '\n\n'

/** The chain of thought where the model shows it, and its summaries. */
const reasoningOf = (output: readonly OutputItem[]): string =>
  output
    .flatMap((item) => (item.type === 'reasoning' ? [...item.summary, ...(item.content ?? [])] : []))
    .map(({ text }) => text)
    .join(REASONING_GAP)

/** Null for an item that is no call. */
export function toToolCall(item: OutputItem): ToolCall | null {
  if (item.type === 'function_call') {
    return { id: item.call_id, type: 'function', function: { name: item.name, arguments: item.arguments } }
  }
  if (item.type !== 'custom_tool_call') return null
  return { id: item.call_id, type: 'custom', custom: { name: item.name, input: item.input } }
}

/** Null for what chat completions cannot cite. */
export function toChatAnnotation(annotation: Annotation): ChatAnnotation | null {
  if (annotation.type !== 'url_citation') return null
  const { type, ...url_citation } = annotation
  return { type, url_citation }
}

export const toChatLogprobs = (logprobs: readonly Logprob[]) =>
  logprobs.length > 0 ? { content: [...logprobs], refusal: null } : null

export function finishReasonOf({ incomplete_details, output }: ResponseObject): FinishReason {
  if (incomplete_details?.reason === 'max_output_tokens') return 'length'
  if (incomplete_details?.reason === 'content_filter') return 'content_filter'
  return output.some((item) => toToolCall(item) !== null) ? 'tool_calls' : 'stop'
}

export const toChatUsage = (usage: Usage): ChatUsage => ({
  prompt_tokens: usage.input_tokens,
  completion_tokens: usage.output_tokens,
  total_tokens: usage.total_tokens,
  prompt_tokens_details: { ...usage.input_tokens_details, audio_tokens: 0 },
  completion_tokens_details: {
    ...usage.output_tokens_details,
    audio_tokens: 0,
    accepted_prediction_tokens: 0,
    rejected_prediction_tokens: 0,
  },
})
