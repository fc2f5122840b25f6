/**
 * The fields of a request that an error may blame. The names are the same on both sides; what stands at an index of
 * `input` is not, because there the whole conversation is the input.
 */
const NAMES = [
  'input',
  'instructions',
  'model',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'text',
  'text.format',
  'text.format.name',
  'text.format.schema',
  'text.verbosity',
  'reasoning',
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
  'safety_identifier',
  'include',
]

export const PARAM_NAMES: Readonly<Record<string, string>> = Object.fromEntries(NAMES.map((name) => [name, name]))
