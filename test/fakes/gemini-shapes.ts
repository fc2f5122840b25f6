/** A planned reply -> the chunks Gemini sends. */
import { type ChatReplyPlan, tokensOf } from './chat-shapes.ts'
import type { Json } from './chat-validate.ts'
import { signatureOf } from './gemini-signature.ts'

export type GeminiReplyPlan = ChatReplyPlan & {
  /** Thoughts are shown only where asked for. */
  readonly showThoughts: boolean
  /** Newer models sign. */
  readonly signed: boolean
}

/** Tokens of text in one chunk. */
const CHUNK_TOKENS = 4

export function toGeminiChunks(plan: GeminiReplyPlan): readonly Json[] {
  const { answer, usage, showThoughts } = plan
  const parts = [
    ...(answer.reasoning && showThoughts ? [{ text: answer.reasoning, thought: true }] : []),
    ...textParts(plan),
    ...callParts(plan),
  ]
  const base = { modelVersion: plan.model, responseId: plan.id }
  const counts = {
    promptTokenCount: usage.prompt,
    ...(usage.cached > 0 && { cachedContentTokenCount: usage.cached }),
    candidatesTokenCount: usage.completion - usage.reasoning,
    ...(usage.reasoning > 0 && { thoughtsTokenCount: usage.reasoning }),
    totalTokenCount: usage.prompt + usage.completion,
  }
  const early = { promptTokenCount: usage.prompt, totalTokenCount: usage.prompt }
  const chunks = parts.map((part) => ({
    candidates: [{ content: { parts: [part], role: 'model' }, index: 0 }],
    usageMetadata: early,
    ...base,
  }))
  const [last = { candidates: [{ index: 0 }] }] = chunks.slice(-1)
  const [candidate] = last.candidates
  const reason = plan.finish === 'length' ? 'MAX_TOKENS' : 'STOP'
  const end = { candidates: [{ ...candidate, finishReason: reason }], usageMetadata: counts, ...base }
  return [...chunks.slice(0, -1), end]
}

function textParts({ answer, signed }: GeminiReplyPlan): readonly Json[] {
  const text = answer.text + answer.refusal
  if (text === '') return []
  const tokens = tokensOf(text)
  const chunks = Array.from({ length: Math.ceil(tokens.length / CHUNK_TOKENS) }, (_, index) => ({
    text: tokens.slice(index * CHUNK_TOKENS, (index + 1) * CHUNK_TOKENS).join(''),
  }))
  if (!signed) return chunks
  const end = { text: '' }
  return [...chunks, { ...end, thoughtSignature: signatureOf(end, text) }]
}

/** Of parallel calls only the first is signed. */
function callParts({ answer, signed, id }: GeminiReplyPlan): readonly Json[] {
  return answer.calls.map((call, index) => {
    const part = { functionCall: { id: `${id}-${index}`, name: call.name, args: JSON.parse(call.input) } }
    return signed && index === 0 ? { ...part, thoughtSignature: signatureOf(part, '') } : part
  })
}

export const toGeminiSse = (chunks: readonly Json[]): readonly string[] =>
  chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\r\n\r\n`)
