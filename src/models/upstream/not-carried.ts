/** What a turn asks for and a provider will not see, read from the provider's table of fields. */
import type { FieldTable, ModelTurn, NotCarried, TurnField } from '../model.ts'

/**
 * Whether a turn asks for a field, for those that an adapter alone decides about. What a model's capabilities tell
 * (images, files, tools, schemas) is refused while planning.
 */
const ASKED: Readonly<Partial<Record<TurnField, (turn: ModelTurn) => boolean>>> = {
  top_logprobs: (turn) => turn.topLogprobs !== null,
  presence_penalty: (turn) => !!turn.presencePenalty,
  frequency_penalty: (turn) => !!turn.frequencyPenalty,
  temperature: (turn) => turn.temperature !== null,
  top_p: (turn) => turn.topP !== null,
  stop: (turn) => turn.stop !== null && turn.stop.length > 0,
  tool_choice: (turn) => turn.toolChoice.mode === 'required',
  'text.format.json_schema': (turn) => turn.text.format.type === 'json_schema',
  'text.format.json_object': (turn) => turn.text.format.type === 'json_object',
  parallel_tool_calls: (turn) => !turn.parallelToolCalls && turn.tools.length > 0,
  'reasoning.effort': (turn) => turn.reasoning.effort !== null,
  'reasoning.summary': (turn) => turn.reasoning.summary !== null,
  'text.verbosity': (turn) => turn.text.verbosity !== 'medium',
  service_tier: (turn) => !!turn.serviceTier && turn.serviceTier !== 'auto' && turn.serviceTier !== 'default',
  prompt_cache_key: (turn) => !!turn.promptCacheKey,
  prompt_cache_retention: (turn) => !!turn.promptCacheRetention,
  safety_identifier: (turn) => !!turn.safetyIdentifier,
}

/** The name a client used for what the table tells apart more finely. */
const PARAMS: Readonly<Partial<Record<TurnField, string>>> = {
  'text.format.json_schema': 'text.format',
  'text.format.json_object': 'text.format',
}

export function notCarriedOf(fields: FieldTable, turn: ModelTurn): readonly NotCarried[] {
  const lost: NotCarried[] = []
  for (const field in fields) {
    const name = field as TurnField
    const support = fields[name]
    if ((support !== 'ignored' && support !== 'refused') || !ASKED[name]?.(turn)) continue
    lost.push({ param: PARAMS[name] ?? name, weight: support === 'refused' ? 'meaning' : 'hint' })
  }
  return lost
}
