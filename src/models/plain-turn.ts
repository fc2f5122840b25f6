/** PORT: a turn that asks for nothing, for all who make turns of their own. */
import type { ModelTurn } from './model.ts'

/** Model and items are its maker's to give. */
export const PLAIN_TURN: ModelTurn = {
  model: '',
  instructions: null,
  items: [],
  tools: [],
  toolChoice: { mode: 'auto', allowed: null },
  parallelToolCalls: true,
  text: { format: { type: 'text' }, verbosity: 'medium' },
  reasoning: { effort: null, summary: null },
  temperature: null,
  topP: null,
  presencePenalty: null,
  frequencyPenalty: null,
  topLogprobs: null,
  maxOutputTokens: null,
  stop: null,
  serviceTier: null,
  promptCacheKey: null,
  promptCacheRetention: null,
  safetyIdentifier: null,
  metadata: {},
}
