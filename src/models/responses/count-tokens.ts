/** Input tokens as the provider counts them, or an estimate for a provider that does not count. */
import type { Dispatcher } from 'undici'
import type { Clock } from '../../lib/clock.ts'
import { loadTokenizer } from '../../lib/tokenizer.ts'
import { callUpstream, type UpstreamClocks } from '../../lib/upstream-http.ts'
import type { ModelTurn } from '../model.ts'
import { asFields, parseJson } from '../upstream/fields.ts'
import { tokenCount } from '../upstream/token-counts.ts'
import type { WireItem } from './encode-items.ts'
import type { ResponsesRequest } from './encode-request.ts'

export type TokenCounter = (turn: ModelTurn, signal: AbortSignal) => Promise<number>

export type CountOptions = {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  encode(turn: ModelTurn): ResponsesRequest
  readonly dispatcher: Dispatcher
  readonly clock: Clock
  readonly clocks: UpstreamClocks
}

const MAX_REPLY_BYTES = 64 * 1024
/** Statuses that mean "there is no such endpoint". */
const NO_ENDPOINT: ReadonlySet<number> = new Set([404, 405, 501])

/** Somebody waits for the count before anything is told, so it may not take as long as an answer. */
const MAX_COUNT_MS = 5_000

/** Asks the provider; where it cannot say, whatever the reason, an estimate is better than no answer. */
export function createTokenCounter({ encode, ...options }: CountOptions, asks: boolean): TokenCounter {
  const { connectMs, firstByteMs, idleMs, wholeMs } = options.clocks
  const soon = (ms: number) => Math.min(ms, MAX_COUNT_MS)
  const clocks = { connectMs, firstByteMs: soon(firstByteMs), idleMs: soon(idleMs), wholeMs: soon(wholeMs) }
  const post = { ...options, clocks }
  let isOffered = asks
  return async (turn, signal) => {
    const request = encode(turn)
    if (isOffered) {
      const { count, status } = await ask({ ...post, body: JSON.stringify(request), signal })
      if (count !== null) return count
      if (status !== null && NO_ENDPOINT.has(status)) isOffered = false
    }
    signal.throwIfAborted()
    return estimateTokens(request)
  }
}

async function ask(post: Parameters<typeof callUpstream>[0]) {
  try {
    const reply = await callUpstream({ ...post, headers: { ...post.headers, accept: 'application/json' } })
    const { text } = await reply.readText(MAX_REPLY_BYTES)
    const count = reply.status === 200 ? tokenCount(asFields(parseJson(text))?.input_tokens) : null
    return { count, status: reply.status }
  } catch {
    return { count: null, status: null }
  }
}

/** The frame around each item, and the one that opens the reply. */
const TOKENS_PER_ITEM = 3
const TOKENS_FOR_REPLY = 3
/** A flat guess per image: OpenAI's price of a 1024 x 1024 image in high and in low detail. */
const TOKENS_PER_IMAGE = 765
const TOKENS_PER_LOW_IMAGE = 85
/** A file is guessed by its size: one token per 6 bytes, which are 8 characters of base64. */
const BASE64_CHARS_PER_TOKEN = 8

/** By OpenAI's `o200k_base` tokenizer; most other models are within 10 to 20 %. */
export async function estimateTokens({ instructions, input, tools, text }: ResponsesRequest): Promise<number> {
  const tokenizer = await loadTokenizer()
  let tokens = TOKENS_FOR_REPLY
  const countText = (value: unknown) => {
    const json = typeof value === 'string' ? value : JSON.stringify(value)
    if (json) tokens += tokenizer.count(json)
  }
  for (const value of [instructions, tools, text]) if (value) countText(value)
  for (const item of input) {
    tokens += TOKENS_PER_ITEM
    for (const content of contentOf(item)) {
      const part = asFields(content) ?? {}
      if (part.type === 'input_image') tokens += part.detail === 'low' ? TOKENS_PER_LOW_IMAGE : TOKENS_PER_IMAGE
      else if (typeof part.file_data === 'string') tokens += Math.ceil(part.file_data.length / BASE64_CHARS_PER_TOKEN)
      else countText(part.text ?? part.refusal ?? content)
    }
  }
  return tokens
}

function contentOf({ type, content, output, ...rest }: WireItem): readonly unknown[] {
  const parts = type === 'reasoning' ? [...(Array.isArray(rest.summary) ? rest.summary : [])] : (content ?? output)
  if (Array.isArray(parts)) return parts
  return [parts ?? `${rest.name ?? ''}${rest.arguments ?? rest.input ?? ''}`]
}
