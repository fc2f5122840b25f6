/** How different servers write the same answer: as server-sent events in their own shape, or as one JSON object. */
import type { ChatAnswer, ChatCall } from './chat-rules.ts'

export const CHAT_SHAPES = ['openai', 'ollama', 'llamacpp', 'deepseek', 'fragmented'] as const
export type ChatShape = (typeof CHAT_SHAPES)[number]

export type ChatUsage = {
  readonly prompt: number
  readonly cached: number
  readonly completion: number
  readonly reasoning: number
}
export type ChatReplyPlan = {
  readonly id: string
  readonly model: string
  readonly answer: ChatAnswer
  readonly finish: 'stop' | 'length' | 'tool_calls'
  readonly usage: ChatUsage
  readonly includeUsage: boolean
  /** Null: none asked for; else that many alternatives. */
  readonly topLogprobs: number | null
}
type Fields = Record<string, unknown>

/** Words with the space before them, and single other characters: what this server counts as tokens. */
export const tokensOf = (text: string): readonly string[] => text.match(/\s?[\p{L}\p{N}]+|\s+|[^\s\p{L}\p{N}]/gu) ?? []

const CREATED = 1_750_000_000

export function toCompletion(plan: ChatReplyPlan): Fields {
  const { reasoning, text, refusal, calls } = plan.answer
  const message: Fields = { role: 'assistant', content: text || null, refusal: refusal || null }
  if (reasoning) message.reasoning_content = reasoning
  if (calls.length > 0) message.tool_calls = calls.map((call, index) => wholeCall(plan, call, index))
  const logprobs = plan.topLogprobs === null ? null : { content: logprobsOf(text, plan.topLogprobs), refusal: null }
  const choice = { index: 0, message, logprobs, finish_reason: plan.finish }
  return {
    id: plan.id,
    object: 'chat.completion',
    created: CREATED,
    model: plan.model,
    choices: [choice],
    usage: toUsage(plan.usage),
  }
}

export function toSse(plan: ChatReplyPlan, shape: ChatShape): readonly string[] {
  const newline = shape === 'fragmented' ? '\r\n' : '\n'
  const frame = (data: string) => `data: ${data}${newline}${newline}`
  const frames = SHAPES[shape](plan).map((chunk) => frame(typeof chunk === 'string' ? chunk : JSON.stringify(chunk)))
  if (shape === 'deepseek') frames.unshift(': keep-alive\n\n')
  return [...frames, frame('[DONE]')]
}

type Chunk = Fields | string

const chunkOf = (plan: ChatReplyPlan, choice: Fields | null, more: Fields = {}): Fields => ({
  id: plan.id,
  object: 'chat.completion.chunk',
  created: CREATED,
  model: plan.model,
  choices: choice ? [{ index: 0, delta: {}, finish_reason: null, ...choice }] : [],
  ...more,
})
const deltaOf = (plan: ChatReplyPlan, delta: Fields, more: Fields = {}) => chunkOf(plan, { delta, ...more })

export const toUsage = ({ prompt, cached, completion, reasoning }: ChatUsage): Fields => ({
  prompt_tokens: prompt,
  completion_tokens: completion,
  total_tokens: prompt + completion,
  prompt_tokens_details: { cached_tokens: cached, audio_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: reasoning, audio_tokens: 0 },
})

const callIdOf = ({ id }: ChatReplyPlan, index: number) => `call_${id.slice(-8)}${index}`

const wholeCall = (plan: ChatReplyPlan, { kind, name, input }: ChatCall, index: number): Fields => ({
  id: callIdOf(plan, index),
  type: kind,
  ...(kind === 'function' ? { function: { name, arguments: input } } : { custom: { name, input } }),
})

const inputDelta = ({ kind }: ChatCall, input: string): Fields =>
  kind === 'function' ? { function: { arguments: input } } : { custom: { input } }

const logprobsOf = (text: string, top: number) =>
  tokensOf(text).map((token, index) => {
    const one = (word: string, logprob: number) => ({ token: word, logprob, bytes: [...Buffer.from(word)] })
    const best = -0.01 - (index % 10) / 100
    return {
      ...one(token, best),
      top_logprobs: Array.from({ length: top }, (_, rank) => one(rank === 0 ? token : `${token}${rank}`, best - rank)),
    }
  })

function* textChunks(plan: ChatReplyPlan): Generator<Fields> {
  for (const token of tokensOf(plan.answer.text)) {
    const logprobs =
      plan.topLogprobs === null ? {} : { logprobs: { content: logprobsOf(token, plan.topLogprobs), refusal: null } }
    yield deltaOf(plan, { content: token }, logprobs)
  }
  for (const token of tokensOf(plan.answer.refusal)) yield deltaOf(plan, { refusal: token })
}

function* callChunks(plan: ChatReplyPlan): Generator<Fields> {
  for (const [index, call] of plan.answer.calls.entries()) {
    const { kind, name } = call
    const opened = kind === 'function' ? { function: { name, arguments: '' } } : { custom: { name, input: '' } }
    yield deltaOf(plan, { tool_calls: [{ index, id: callIdOf(plan, index), type: kind, ...opened }] })
    for (const token of tokensOf(call.input))
      yield deltaOf(plan, { tool_calls: [{ index, ...inputDelta(call, token) }] })
  }
}

function* reasoningChunks(plan: ChatReplyPlan, field: string, beside: Fields = {}): Generator<Fields> {
  for (const token of tokensOf(plan.answer.reasoning)) yield deltaOf(plan, { ...beside, [field]: token })
}

const usageChunk = (plan: ChatReplyPlan): readonly Fields[] =>
  plan.includeUsage ? [chunkOf(plan, null, { usage: toUsage(plan.usage) })] : []

const SHAPES: Readonly<Record<ChatShape, (plan: ChatReplyPlan) => readonly Chunk[]>> = {
  openai: (plan) => [
    deltaOf(plan, { role: 'assistant', content: plan.answer.calls.length > 0 ? null : '', refusal: null }),
    ...reasoningChunks(plan, 'reasoning_content'),
    ...textChunks(plan),
    ...callChunks(plan),
    chunkOf(plan, { finish_reason: plan.finish }),
    ...usageChunk(plan),
  ],
  /** Reasoning inside the text; calls whole; every delta repeats the role. */
  ollama(plan) {
    const { reasoning, calls, text, refusal } = plan.answer
    const thought = reasoning ? `<think>\n${reasoning}\n</think>\n\n` : ''
    const role = { role: 'assistant' }
    const words = tokensOf(thought + (text || refusal)).map((content) => deltaOf(plan, { ...role, content }))
    const whole = calls.map((call, index) =>
      deltaOf(plan, { ...role, content: '', tool_calls: [{ index, ...wholeCall(plan, call, index) }] }),
    )
    return [
      ...words,
      ...whole,
      chunkOf(plan, { delta: { ...role, content: '' }, finish_reason: plan.finish }),
      ...usageChunk(plan),
    ]
  },
  /** Usage and timings in the same last chunk as an empty list of choices. */
  llamacpp(plan) {
    const { prompt, cached, completion } = plan.usage
    const timings = { cache_n: cached, prompt_n: prompt - cached, predicted_n: completion, predicted_ms: 12.5 }
    return [
      deltaOf(plan, { role: 'assistant', content: null }),
      ...reasoningChunks(plan, 'reasoning_content'),
      ...textChunks(plan),
      ...callChunks(plan),
      chunkOf(plan, { finish_reason: plan.finish }, plan.includeUsage ? {} : { timings }),
      ...usageChunk(plan).map((chunk) => ({
        ...chunk,
        timings,
        __verbose: { content: plan.answer.text, tokens_cached: cached },
      })),
    ]
  },
  /** Reasoning and text as a pair of which one is null; usage in the chunk that finishes. */
  deepseek(plan) {
    const { prompt, cached, completion, reasoning } = plan.usage
    const usage = {
      prompt_tokens: prompt,
      completion_tokens: completion,
      total_tokens: prompt + completion,
      prompt_cache_hit_tokens: cached,
      prompt_cache_miss_tokens: prompt - cached,
      completion_tokens_details: { reasoning_tokens: reasoning },
    }
    return [
      deltaOf(plan, { role: 'assistant', content: null, reasoning_content: '' }),
      ...reasoningChunks(plan, 'reasoning_content', { content: null }),
      ...[...textChunks(plan)].map((chunk) => withDelta(chunk, { reasoning_content: null })),
      ...callChunks(plan),
      chunkOf(plan, { delta: { content: '', reasoning_content: null }, finish_reason: plan.finish }, { usage }),
    ]
  },
  fragmented,
}

const withDelta = (chunk: Fields, more: Fields): Fields => {
  const [choice] = Array.isArray(chunk.choices) ? chunk.choices : []
  return { ...chunk, choices: [{ ...choice, delta: { ...choice?.delta, ...more } }] }
}

/** Everything at its most awkward: half characters, late names, calls interleaved one character at a time. */
function fragmented(plan: ChatReplyPlan): readonly Chunk[] {
  const { reasoning, text, refusal, calls } = plan.answer
  const halves = (field: string, value: string) =>
    // `split('')` cuts surrogate pairs; JSON.stringify writes the halves as escapes.
    value.split('').map((unit) => JSON.stringify(deltaOf(plan, { [field]: unit })))
  const entry = (index: number, more: Fields) => deltaOf(plan, { tool_calls: [{ index, ...more }] })
  const names = calls.flatMap((call, index) => [
    entry(index, { id: callIdOf(plan, index), type: call.kind }),
    entry(index, call.kind === 'function' ? { function: { name: call.name } } : { custom: { name: call.name } }),
  ])
  const longest = Math.max(0, ...calls.map(({ input }) => input.length))
  const inputs = Array.from({ length: longest }, (_, at) =>
    calls.flatMap((call, index) =>
      at < call.input.length ? [entry(index, inputDelta(call, call.input.charAt(at)))] : [],
    ),
  ).flat()
  return [
    deltaOf(plan, { role: 'assistant' }),
    ...halves('reasoning', reasoning),
    ...halves('content', text),
    ...halves('refusal', refusal),
    ...names,
    ...inputs,
    chunkOf(plan, { finish_reason: plan.finish }),
    ...usageChunk(plan),
  ]
}
