import { type Model, ModelError, type ModelTurn } from '../models/model.ts'

/**
 * Input tokens of a turn, for comparing with a limit. Counting is not cheap, and no context has more tokens than bytes:
 * one with no more bytes than `limit` is not counted at all. A turn that the model will not even count has infinitely
 * many.
 */
export async function countTurn(turn: ModelTurn, model: Model, signal: AbortSignal, limit: number): Promise<number> {
  const bytes = Buffer.byteLength(JSON.stringify(turn))
  if (bytes <= limit) return bytes
  try {
    return await model.countInputTokens(turn, { signal })
  } catch (error) {
    if (error instanceof ModelError && error.kind === 'context_length') return Number.POSITIVE_INFINITY
    throw error
  }
}
