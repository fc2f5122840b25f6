/** Vendors' words for why a model stopped. */
import type { FinishReason } from '../model.ts'

/** Lower case. `failed`: the provider gave up on the way; the reply is not an answer. */
const WORDS: Readonly<Record<string, FinishReason | 'failed'>> = {
  stop: 'stop',
  eos: 'stop',
  eos_token: 'stop',
  end_turn: 'stop',
  stop_sequence: 'stop',
  complete: 'stop',
  completed: 'stop',
  end: 'stop',
  length: 'length',
  max_tokens: 'length',
  max_output_tokens: 'length',
  model_length: 'length',
  model_context_window_exceeded: 'length',
  tool_calls: 'tool_calls',
  tool_call: 'tool_calls',
  tool_use: 'tool_calls',
  function_call: 'tool_calls',
  content_filter: 'content_filter',
  content_filtered: 'content_filter',
  safety: 'content_filter',
  recitation: 'content_filter',
  prohibited_content: 'content_filter',
  blocklist: 'content_filter',
  spii: 'content_filter',
  refusal: 'content_filter',
  sensitive: 'content_filter',
  error: 'failed',
  network_error: 'failed',
  abort: 'failed',
  aborted: 'failed',
  cancelled: 'failed',
  insufficient_system_resource: 'failed',
  malformed_function_call: 'failed',
}

/**
 * An unknown word, or none before `[DONE]`, counts as a plain stop. Many vendors say `stop` after tool calls and some
 * say `tool_calls` without any, so the calls decide between those two.
 */
export function readFinishReason(word: string | null, hasCalls: boolean): FinishReason | 'failed' {
  const reason = WORDS[word?.toLowerCase() ?? 'stop'] ?? 'stop'
  if (reason === 'stop' || reason === 'tool_calls') return hasCalls ? 'tool_calls' : 'stop'
  return reason
}
