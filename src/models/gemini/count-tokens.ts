/** What a turn's input costs: counted by the provider, or guessed where that fails. */
import type { Dispatcher } from 'undici'
import type { Clock } from '../../lib/clock.ts'
import { loadTokenizer } from '../../lib/tokenizer.ts'
import { postUpstream, type UpstreamClocks } from '../../lib/upstream-http.ts'
import { asFields, parseJson } from '../upstream/fields.ts'
import { toModelError } from '../upstream/to-model-error.ts'
import { tokenCount } from '../upstream/token-counts.ts'
import type { GeminiPart, GeminiRequest } from './wire.ts'

export type CountOptions = {
  readonly provider: string
  readonly dispatcher: Dispatcher
  readonly clock: Clock
  readonly clocks: UpstreamClocks
}
export type CountCall = {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
  readonly signal: AbortSignal
}

/** A count is a side matter: it may not hold up what it is for. */
const COUNT_TIMEOUT_MS = 5000
/** A provider that failed to count is not asked again for so long. Cutting a context to size asks many times. */
const COUNT_RETRY_MS = 15_000
const MAX_REPLY_BYTES = 64 * 1024

/** Null when the provider does not say. Throws `ModelError` on abort alone. */
export function createProviderCounter({ provider, dispatcher, clock, clocks: given }: CountOptions) {
  const clocks = { ...given, firstByteMs: COUNT_TIMEOUT_MS, wholeMs: COUNT_TIMEOUT_MS }
  let failedAt = Number.NEGATIVE_INFINITY

  const ask = async ({ url, headers, body, signal }: CountCall): Promise<number | null> => {
    const reply = await postUpstream({ url, headers, body: JSON.stringify(body), signal, dispatcher, clock, clocks })
    try {
      const { text } = await reply.readText(MAX_REPLY_BYTES)
      return reply.status === 200 ? tokenCount(asFields(parseJson(text))?.totalTokens) : null
    } finally {
      reply.destroy()
    }
  }
  return async (call: CountCall): Promise<number | null> => {
    if (clock.monotonic() - failedAt < COUNT_RETRY_MS) return null
    const counted = await ask(call).catch((error: unknown) => {
      if (call.signal.aborted) throw toModelError(error, provider, null)
      return null
    })
    if (counted === null) failedAt = clock.monotonic()
    return counted
  }
}

/** The Gemini API counts a whole request only inside a field of its own, with the model named again. */
export function countBody(request: GeminiRequest, model: string, vertex: boolean): unknown {
  const { serviceTier: _, ...counted } = request
  return vertex
    ? counted
    : { generateContentRequest: { model: `models/${model.replace(/^models\//, '')}`, ...counted } }
}

/** Of one image, by the provider's own table. */
const TOKENS_PER_IMAGE = 258
/** A file is guessed by its size: one token per 6 bytes, which are 8 characters of base64. */
const BASE64_CHARS_PER_TOKEN = 8

/** By OpenAI's `o200k_base` tokenizer, which is within 10 to 20 % of Gemini's own. */
export async function estimateTokens({ contents, systemInstruction, tools }: GeminiRequest): Promise<number> {
  const tokenizer = await loadTokenizer()
  const count = (text: string) => (text === '' ? 0 : tokenizer.count(text))
  const parts = [...(systemInstruction?.parts ?? []), ...contents.flatMap((content) => content.parts)]
  const said = parts.reduce((sum, part) => sum + countPart(part, count), 0)
  return said + (tools ? count(JSON.stringify(tools)) : 0)
}

function countPart(part: GeminiPart, count: (text: string) => number): number {
  if (part.text !== undefined) return count(part.text)
  if (part.functionCall) return count(JSON.stringify(part.functionCall))
  if (part.functionResponse) return count(JSON.stringify(part.functionResponse.response))
  if (!part.inlineData || part.inlineData.mimeType.startsWith('image/')) return TOKENS_PER_IMAGE
  return Math.ceil(part.inlineData.data.length / BASE64_CHARS_PER_TOKEN)
}
