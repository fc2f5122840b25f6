/** What a turn's input costs: counted by the provider, or guessed where that fails. */
import { loadTokenizer } from '../../lib/tokenizer.ts'
import { asFields } from '../upstream/fields.ts'
import { postJson } from '../upstream/post-json.ts'
import type { UpstreamCall } from '../upstream/stream-upstream.ts'
import { tokenCount } from '../upstream/token-counts.ts'
import type { GeminiPart, GeminiRequest } from './wire.ts'

/** A provider that failed to count is not asked again for so long. Cutting a context to size asks many times. */
const COUNT_RETRY_MS = 15_000

/** Null when the provider does not say. Throws `ModelError` on abort alone. */
export function createProviderCounter(options: Parameters<typeof postJson>[0]) {
  const { clock } = options
  let failedAt = Number.NEGATIVE_INFINITY

  return async (call: UpstreamCall, turn: { readonly model: string; readonly signal: AbortSignal }) => {
    if (clock.monotonic() - failedAt < COUNT_RETRY_MS) return null
    const answer = await postJson(options, call, turn).catch((error: unknown) => {
      if (turn.signal.aborted) throw error
      return null
    })
    const counted = tokenCount(asFields(answer)?.totalTokens)
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
