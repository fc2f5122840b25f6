/** Gemini's words for why a model stopped. */
import type { FinishReason } from '../model.ts'

/** `failed`: the model or the service gave up on the way; the reply is not an answer. */
const WORDS: Readonly<Record<string, FinishReason | 'failed'>> = {
  STOP: 'stop',
  MAX_TOKENS: 'length',
  SAFETY: 'content_filter',
  RECITATION: 'content_filter',
  LANGUAGE: 'content_filter',
  BLOCKLIST: 'content_filter',
  PROHIBITED_CONTENT: 'content_filter',
  SPII: 'content_filter',
  MODEL_ARMOR: 'content_filter',
  IMAGE_SAFETY: 'content_filter',
  IMAGE_PROHIBITED_CONTENT: 'content_filter',
  IMAGE_RECITATION: 'content_filter',
  MALFORMED_FUNCTION_CALL: 'failed',
  UNEXPECTED_TOOL_CALL: 'failed',
  TOO_MANY_TOOL_CALLS: 'failed',
  MISSING_THOUGHT_SIGNATURE: 'failed',
  MALFORMED_RESPONSE: 'failed',
  NO_IMAGE: 'failed',
  IMAGE_OTHER: 'failed',
  OTHER: 'failed',
}

/** An unknown word counts as a plain stop. `STOP` ends a turn with calls as well. */
export function readFinishReason(word: string, hasCalls: boolean): FinishReason | 'failed' {
  const reason = WORDS[word] ?? 'stop'
  return reason === 'stop' && hasCalls ? 'tool_calls' : reason
}
