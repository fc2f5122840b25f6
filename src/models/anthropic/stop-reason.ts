/** Why the model stopped, in the words of the Messages API. */
import type { FinishReason } from '../model.ts'

const REASONS: Readonly<Record<string, FinishReason>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  tool_use: 'tool_calls',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  // The provider's own tools paused the turn: there would be more, and it was not said.
  pause_turn: 'length',
  refusal: 'content_filter',
}

/** An unknown word counts as a plain stop; whether there are calls decides between the two kinds of that. */
export function readStopReason(word: string, hasCalls: boolean): FinishReason {
  const reason = REASONS[word] ?? 'stop'
  if (reason === 'stop' || reason === 'tool_calls') return hasCalls ? 'tool_calls' : 'stop'
  return reason
}
