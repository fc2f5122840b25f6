/**
 * The names of what a request may ask of a model, and how each can fare at a provider. They stand here because the
 * configuration, where an operator writes them, and the port of models both speak of them.
 */

/** Request fields whose fate depends on the provider, by the names of the Responses API. */
export const TURN_FIELDS = [
  'instructions',
  'input.image',
  'input.image_url',
  'input.file',
  'input.file_url',
  'tools.function',
  'tools.custom',
  'tools.strict',
  'tool_choice',
  'tool_choice.allowed_tools',
  'parallel_tool_calls',
  'text.format.json_schema',
  'text.format.json_object',
  'text.verbosity',
  'reasoning.effort',
  'reasoning.summary',
  'temperature',
  'top_p',
  'presence_penalty',
  'frequency_penalty',
  'top_logprobs',
  'max_output_tokens',
  'stop',
  'service_tier',
  'prompt_cache_key',
  'prompt_cache_retention',
  'prompt_cache_breakpoint',
  'safety_identifier',
] as const
export type TurnField = (typeof TURN_FIELDS)[number]

/**
 * From best to worst. `native`: the provider takes it. `emulated`: done here, with the same outcome. `ignored`: the answer
 * is the same kind of answer without it, so it is reported. `refused`: the answer would mean something else.
 */
export const FIELD_SUPPORTS = ['native', 'emulated', 'ignored', 'refused'] as const
export type FieldSupport = (typeof FIELD_SUPPORTS)[number]
