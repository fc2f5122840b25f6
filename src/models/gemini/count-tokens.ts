/** What a turn's input costs: counted by the provider, or guessed where that fails. */
import { type CountText, fileTokens, openTextCounter } from '../upstream/estimate-tokens.ts'
import type { GeminiPart, GeminiRequest } from './wire.ts'

/** The Gemini API counts a whole request only inside a field of its own, with the model named again. */
export function countBody(request: GeminiRequest, model: string, vertex: boolean): unknown {
  const { serviceTier: _, ...counted } = request
  return vertex
    ? counted
    : { generateContentRequest: { model: `models/${model.replace(/^models\//, '')}`, ...counted } }
}

/** Of one image, by the provider's own table. */
const TOKENS_PER_IMAGE = 258

export async function estimateTokens({ contents, systemInstruction, tools }: GeminiRequest): Promise<number> {
  const count = await openTextCounter()
  const parts = [...(systemInstruction?.parts ?? []), ...contents.flatMap((content) => content.parts)]
  const said = parts.reduce((sum, part) => sum + countPart(part, count), 0)
  return said + (tools ? count(JSON.stringify(tools)) : 0)
}

function countPart(part: GeminiPart, count: CountText): number {
  if (part.text !== undefined) return count(part.text)
  if (part.functionCall) return count(JSON.stringify(part.functionCall))
  if (part.functionResponse) return count(JSON.stringify(part.functionResponse.response))
  if (!part.inlineData || part.inlineData.mimeType.startsWith('image/')) return TOKENS_PER_IMAGE
  return fileTokens(part.inlineData.data)
}
